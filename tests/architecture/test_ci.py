"""The scripts of CI, and what they rely on: the parts of the tests, and programs that may be missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import parts
from tests.support.needs import NEEDS

pytestmark = pytest.mark.extensive

ROOT = Path(__file__).parents[2]
FILE = "tests/unit/test_some.py"
SOME_TESTS = """
import pytest
from tests.support.needs import missing

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

@pytest.mark.journey
@pytest.mark.extensive
def test_of_journey():
    pass

@pytest.mark.drivers("no.such.driver")
def test_of_drivers():
    pass

def test_of_browser(browser):
    pass

@pytest.fixture
def browser():
    return None
"""

LONG_TESTS = """
import pytest

pytestmark = pytest.mark.extensive
1 / 0
"""


def start(
    folder: Path, *arguments: str, required: str = "", tests: str = FILE, long: bool = False
) -> tuple[int, str]:
    """Run SOME_TESTS in the file *tests* with the tests' own conftest; return exit code and output.

    If *long* is set, there is a module beyond the core, which cannot be imported.
    """
    folder.mkdir(exist_ok=True)
    conftest = (ROOT / "tests" / "conftest.py").read_text("utf-8")
    (folder / "conftest.py").write_text(conftest.replace("SLOW = 5", "SLOW = -1"), encoding="utf-8")
    markers = "\n".join(f"    {name}" for name in (*parts.BEYOND_CORE, *parts.GATED))
    (folder / "pytest.ini").write_text(f"[pytest]\nmarkers =\n{markers}\n", encoding="utf-8")
    (folder / tests).parent.mkdir(parents=True)
    (folder / tests).write_text(SOME_TESTS, encoding="utf-8")
    if long:
        (folder / "tests/unit/test_long.py").write_text(LONG_TESTS, encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-p", "no:randomly", *arguments],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), "RECCE_META_REQUIRE": required},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def ran(folder: Path, *arguments: str, required: str = "") -> tuple[dict[str, str], str]:
    """Run SOME_TESTS; return the outcome of each test, and the output."""
    code, output = start(folder, *arguments, required=required)
    found = re.findall(rf"^{FILE}::test_of_(\w+) (\w+)", output, re.MULTILINE)
    assert code == any(outcome == "FAILED" for _, outcome in found), output
    return dict(found), output


def test_the_core_leaves_out_marked_tests_and_those_with_a_browser(tmp_path: Path) -> None:
    outcomes, output = ran(tmp_path)

    assert outcomes == dict.fromkeys(("postgres", "docker", "system", "drivers"), "SKIPPED") | {
        "core": "PASSED"
    }
    assert "3 deselected" in output


def test_all_runs_every_test_and_lists_what_is_missing(tmp_path: Path) -> None:
    outcomes, output = ran(tmp_path, "--all")

    assert outcomes == dict.fromkeys(("postgres", "docker", "system", "drivers"), "SKIPPED") | dict.fromkeys(
        ("core", "network", "browser", "journey"), "PASSED"
    )
    assert f"Docker: 1 tests ({NEEDS['Docker']})\nPostgreSQL: 1 tests ({NEEDS['PostgreSQL']})" in output


def test_a_named_file_runs_whole(tmp_path: Path) -> None:
    outcomes, _ = ran(tmp_path, FILE)

    assert (outcomes["network"], outcomes["browser"]) == ("PASSED", "PASSED")


def test_the_gate_runs_journeys_and_tests_with_drivers(tmp_path: Path) -> None:
    outcomes, _ = ran(tmp_path, "--gate")

    assert outcomes == {"journey": "PASSED", "drivers": "SKIPPED"}


def test_a_part_has_what_the_core_leaves_out(tmp_path: Path) -> None:
    _, output = start(tmp_path, "--part", "proofs")
    assert set(re.findall(r"::test_of_(\w+) PASSED", output)) == {"network", "journey"}

    shutil.rmtree(tmp_path / "tests")
    _, output = start(tmp_path, "--part", "browser")
    assert re.findall(r"::test_of_(\w+) PASSED", output) == ["browser"]


def test_a_module_beyond_the_core_is_imported_only_with_all_tests(tmp_path: Path) -> None:
    core, gate, everything = (
        start(tmp_path / f"{number}", *options, long=True)[1]
        for number, options in enumerate([(), ("--gate",), ("--all",)])
    )

    assert "ERROR" not in core and "ERROR" not in gate
    assert "ZeroDivisionError" in everything


def test_modules_that_take_long_are_listed_with_durations(tmp_path: Path) -> None:
    _, output = start(tmp_path / "with", "--durations=1")
    assert re.search(r"modules that took more than .*\s+\d+\.\d s  tests/unit/test_some.py\n", output)

    _, output = start(tmp_path / "without")
    assert "modules that took more" not in output


def test_a_test_in_no_part_ends_the_gate(tmp_path: Path) -> None:
    code, output = start(tmp_path, "--gate", tests="tests/elsewhere/test_some.py")

    assert code == pytest.ExitCode.USAGE_ERROR
    assert (
        "tests/elsewhere/test_some.py is in no part: add its folder to PARTS in tests/support/parts.py"
        in output
    )


def test_changed_files_choose_the_parts_that_test_them() -> None:
    assert parts.changed_parts(["recce_meta/sync/fsck.py"]) == ["emulators", "sync", "proofs"]
    assert parts.changed_parts(["docs/index.md"]) == ["docs"]
    assert parts.changed_parts(["tests/contract/store/test_waiting.py"]) == ["stores"]
    assert parts.changed_parts(["tests/conftest.py"]) == [*parts.PARTS]


def test_every_source_and_test_has_a_part() -> None:
    for top in ("recce_meta", "sql", "tests", "scripts", "docs", "dbt_package", "editors", "examples"):
        for path in (ROOT / top).rglob("*"):
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and "__pycache__" not in name:
                assert parts.changed_parts([name]), name


def test_failures_come_with_the_command_that_repeats_them(tmp_path: Path) -> None:
    results = tmp_path / "results.xml"
    _, output = start(
        tmp_path, "-o", "junit_family=xunit1", f"--junitxml={results}", required="Docker PostgreSQL"
    )

    assert parts.failures(results) == [
        "5 2",
        f"FAILED  python -m pytest -n 0 {FILE}::test_of_docker",
        f"FAILED  python -m pytest -n 0 {FILE}::test_of_postgres",
    ], output
    none = tmp_path / "none.xml"
    assert parts.failures(none) == ["0 1", "pytest ended without results"]
    assert parts.failures(results, none)[:2] == ["5 3", "pytest ended without results"]


def test_what_is_required_and_missing_fails(tmp_path: Path) -> None:
    outcomes, output = ran(tmp_path, required="PostgreSQL browser")

    assert outcomes == {
        **dict.fromkeys(("docker", "system", "drivers"), "SKIPPED"),
        "postgres": "FAILED",
        "core": "PASSED",
    }
    assert f"no PostgreSQL: {NEEDS['PostgreSQL']} (required by RECCE_META_REQUIRE)" in output


def test_the_parts_need_what_tests_may_lack() -> None:
    named = " ".join([parts.GATE, *(part.needs for part in parts.PARTS.values())]).split()

    assert set(named) == NEEDS.keys() - {"Docker", "DuckLake"}


def test_a_test_that_lacks_a_program_says_so_in_one_way() -> None:
    names = "|".join(map(re.escape, NEEDS))
    said = re.compile(rf"""skip(?:if)?\([^)]*f?["']no (?:{names})\b""")

    files = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]

    assert [path.name for path in files if said.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize("name", ["run", "all", "setup"])
def test_the_scripts_are_executable_and_parse(name: str) -> None:
    script = ROOT / ".ci" / name

    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_an_unknown_part_is_refused_before_anything_is_installed() -> None:
    ended = subprocess.run(
        [str(ROOT / ".ci" / "all"), "nowhere"], capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.returncode == 1
    assert "unknown part or question: needs nowhere" in ended.stderr and "== " not in ended.stdout
