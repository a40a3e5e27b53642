"""The package installs and runs without an environment of the user's own, as tools are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import missing

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.extensive


@pytest.fixture
def uvx() -> str:
    """Path of `uvx`, next to the interpreter or on the PATH."""
    found = shutil.which("uvx", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    return found or missing("uv")


@pytest.mark.parametrize("place", ["a checkout", "the address of a wheel"])
def test_uvx_runs_the_demo(uvx: str, place: str, tmp_path: Path) -> None:
    source = str(ROOT)
    if place != "a checkout":
        build = [
            sys.executable,
            "-m",
            "build",
            "--wheel",
            "--no-isolation",
            "--outdir",
            str(tmp_path),
            source,
        ]
        subprocess.run(build, check=True, capture_output=True)
        source = next(tmp_path.glob("*.whl")).as_uri()
    ran = subprocess.run(
        [uvx, "--no-cache", "--from", source, "recce-meta", "demo"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert "payment_mix" in ran.stdout
