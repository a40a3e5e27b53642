"""The CI script, and what it relies on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import EXPENSIVE

ROOT = Path(__file__).parents[2]
REQUIRING = ("RECCE_META_REQUIRE_POSTGRES", "RECCE_META_REQUIRE_MYSQL")
SKIPPED = "import pytest\n\ndef test_of_{name}():\n    pytest.skip({reason!r})\n\n"
REASONS = {
    "postgres": "no PostgreSQL at 127.0.0.1:5432",
    "mysql": "no MySQL at 127.0.0.1:3306",
    "system": "not on this system",
}


def failed(folder: Path, required: str) -> set[str]:
    """The tests that fail, of one for each reason to skip, with the tests' own conftest."""
    shutil.copy(ROOT / "tests" / "conftest.py", folder / "conftest.py")
    tests = "".join(SKIPPED.format(name=name, reason=reason) for name, reason in REASONS.items())
    (folder / "test_some.py").write_text(tests, encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rfs", "-p", "no:cacheprovider", str(folder)],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), **dict.fromkeys(REQUIRING, required)},
        capture_output=True,
        text=True,
        check=False,
    )
    found = set(re.findall(r"^FAILED \S+::test_of_(\w+)", ran.stdout, re.MULTILINE))
    assert ran.returncode == bool(found), ran.stdout
    assert f"{len(REASONS) - len(found)} skipped" in ran.stdout
    return found


@pytest.mark.parametrize(("required", "failing"), [("1", {"postgres", "mysql"}), ("", set())])
def test_a_skip_for_want_of_a_server_fails_only_where_it_is_required(
    tmp_path: Path, required: str, failing: set[str]
) -> None:
    assert failed(tmp_path, required) == failing


def test_every_skip_for_want_of_a_server_says_which() -> None:
    conftests = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("conftest.py")]

    skips = [line.strip() for text in conftests for line in text.splitlines() if "pytest.skip(" in line]

    assert skips
    reasons = ("no PostgreSQL", "no MySQL", "has no URL", "REQUIRED else pytest.skip(reason)")
    assert all(any(reason in line for reason in reasons) for line in skips)


def test_the_modules_that_begin_first_are_there() -> None:
    assert set(EXPENSIVE) <= {path.name for path in (ROOT / "tests").rglob("test_*.py")}


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_script_is_executable_and_parses() -> None:
    script = ROOT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
