"""The package installs and runs without an environment of the user's own, as tools are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.needs import missing

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.extensive


DEMO = ["recce-meta", "demo"]


@pytest.fixture
def uvx() -> str:
    """Path of `uvx`, next to the interpreter or on the PATH."""
    found = shutil.which("uvx", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    return found or missing("uv")


def built_wheel(folder: Path) -> str:
    """Build the wheel of the checkout in *folder*; return its address."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    return next(folder.glob("*.whl")).as_uri()


def run(*command: str, cwd: Path, **variables: str) -> str:
    """Output of *command* without the settings of this interpreter."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ran = subprocess.run(command, cwd=cwd, env=own | variables, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("place", ["a checkout", "the address of a wheel"])
def test_uvx_runs_the_demo(uvx: str, place: str, tmp_path: Path) -> None:
    source = str(ROOT) if place == "a checkout" else built_wheel(tmp_path)

    assert "payment_mix" in run(uvx, "--no-cache", "--from", source, *DEMO, cwd=tmp_path)


def test_pipx_installs_a_program_that_runs_the_demo(uvx: str, tmp_path: Path) -> None:
    folders = {"PIPX_HOME": str(tmp_path / "home"), "PIPX_BIN_DIR": str(tmp_path / "bin")}

    run(uvx, "pipx", "install", str(ROOT), cwd=tmp_path, **folders)

    assert "payment_mix" in run(str(tmp_path / "bin" / DEMO[0]), DEMO[1], cwd=tmp_path)
