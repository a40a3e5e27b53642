"""The CI script, and what it relies on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import KEPT_TOGETHER

ROOT = Path(__file__).parents[2]
REQUIRING = ("RECCE_META_REQUIRE_POSTGRES", "RECCE_META_REQUIRE_MYSQL")
SKIPPED = "import pytest\n\ndef test_of_a_server():\n    pytest.skip({reason!r})\n"


def outcome(folder: Path, reason: str, required: str) -> int:
    """The exit code of pytest in *folder*, with the tests' own conftest and one test that skips."""
    shutil.copy(ROOT / "tests" / "conftest.py", folder / "conftest.py")
    (folder / "test_one.py").write_text(SKIPPED.format(reason=reason), encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), **dict.fromkeys(REQUIRING, required)},
        capture_output=True,
        check=False,
    )
    return ran.returncode


@pytest.mark.parametrize(
    ("reason", "required", "expected"),
    [
        ("no PostgreSQL at 127.0.0.1:5432", "1", 1),
        ("no PostgreSQL at 127.0.0.1:5432", "", 0),
        ("no MySQL at 127.0.0.1:3306", "1", 1),
        ("no MySQL at 127.0.0.1:3306", "", 0),
        ("not on this system", "1", 0),
    ],
)
def test_a_skip_for_want_of_a_server_fails_only_where_it_is_required(
    tmp_path: Path, reason: str, required: str, expected: int
) -> None:
    assert outcome(tmp_path, reason, required) == expected


def test_every_skip_for_want_of_a_server_says_which() -> None:
    conftests = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("conftest.py")]

    skips = [line.strip() for text in conftests for line in text.splitlines() if "pytest.skip(" in line]

    assert skips
    assert all("no PostgreSQL" in line or "no MySQL" in line or "has no URL" in line for line in skips)


def test_the_modules_that_are_kept_together_are_there() -> None:
    assert set(KEPT_TOGETHER) <= {path.name for path in (ROOT / "tests").rglob("test_*.py")}


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_script_is_executable_and_parses() -> None:
    script = ROOT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
