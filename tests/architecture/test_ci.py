"""The CI script, and what it relies on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import BEYOND_CORE, EXPENSIVE
from tests.needs import NEEDS

pytestmark = pytest.mark.extensive

ROOT = Path(__file__).parents[2]
SOME_TESTS = """
import pytest
from tests.needs import missing

def test_of_postgres():
    missing("PostgreSQL")

def test_of_docker():
    missing("Docker", "no engine")

def test_of_system():
    pytest.skip("not on this system")

def test_of_core():
    pass

@pytest.mark.network
def test_of_network():
    pass

def test_of_browser(browser):
    pass

@pytest.fixture
def browser():
    return None
"""


def ran(folder: Path, *arguments: str, required: str = "") -> tuple[dict[str, str], str]:
    """Run SOME_TESTS with the tests' own conftest; return the outcome of each test, and the output."""
    shutil.copy(ROOT / "tests" / "conftest.py", folder / "conftest.py")
    markers = "\n".join(f"    {name}" for name in BEYOND_CORE)
    (folder / "pytest.ini").write_text(f"[pytest]\nmarkers =\n{markers}\n", encoding="utf-8")
    (folder / "test_some.py").write_text(SOME_TESTS, encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-p", "no:randomly", *arguments],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), "RECCE_META_REQUIRE": required},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.findall(r"^test_some.py::test_of_(\w+) (\w+)", done.stdout, re.MULTILINE)
    assert done.returncode == any(outcome == "FAILED" for _, outcome in found), done.stdout
    return dict(found), done.stdout


def test_the_core_leaves_out_marked_tests_and_those_with_a_browser(tmp_path: Path) -> None:
    outcomes, output = ran(tmp_path)

    assert outcomes == dict.fromkeys(("postgres", "docker", "system"), "SKIPPED") | {"core": "PASSED"}
    assert "2 deselected" in output


def test_all_runs_every_test_and_lists_what_is_missing(tmp_path: Path) -> None:
    outcomes, output = ran(tmp_path, "--all")

    assert outcomes == dict.fromkeys(("postgres", "docker", "system"), "SKIPPED") | dict.fromkeys(
        ("core", "network", "browser"), "PASSED"
    )
    assert f"Docker: 1 tests ({NEEDS['Docker']})\nPostgreSQL: 1 tests ({NEEDS['PostgreSQL']})" in output


def test_a_named_file_runs_whole(tmp_path: Path) -> None:
    outcomes, _ = ran(tmp_path, "test_some.py")

    assert (outcomes["network"], outcomes["browser"]) == ("PASSED", "PASSED")


def test_what_is_required_and_missing_fails(tmp_path: Path) -> None:
    outcomes, output = ran(tmp_path, required="PostgreSQL browser")

    assert outcomes == {"postgres": "FAILED", "docker": "SKIPPED", "system": "SKIPPED", "core": "PASSED"}
    assert f"no PostgreSQL: {NEEDS['PostgreSQL']} (required by RECCE_META_REQUIRE)" in output


def test_the_script_requires_only_known_needs() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    required = re.findall(r'^.*\bREQUIRE="(?:\$REQUIRE )?([^"]+)"', script, re.MULTILINE)

    assert {name for names in required for name in names.split()} == NEEDS.keys() - {"Docker"}


def test_a_test_that_lacks_a_program_says_so_in_one_way() -> None:
    names = "|".join(map(re.escape, NEEDS))
    said = re.compile(rf"""skip(?:if)?\([^)]*f?["']no (?:{names})\b""")

    files = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]

    assert [path.name for path in files if said.search(path.read_text(encoding="utf-8"))] == []


def test_the_modules_that_begin_first_are_there() -> None:
    assert set(EXPENSIVE) <= {path.name for path in (ROOT / "tests").rglob("test_*.py")}


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_script_is_executable_and_parses() -> None:
    script = ROOT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
