"""`hook -- COMMAND` by the command itself; test_hook.py has the signals and terminals."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

DBT = """
import shutil, sys
code, *artifacts = sys.argv[1:]
print("1 of 1 OK")
print("a deprecation", file=sys.stderr)
for folder in artifacts:
    shutil.copytree(folder, "target", dirs_exist_ok=True, copy_function=shutil.copyfile)
sys.exit(int(code))
"""


@pytest.fixture
def dbt(project: Path) -> list[str]:
    """A program that takes an exit code and the artifacts to leave behind, in the place of dbt."""
    (project / "dbt.py").write_text(DBT)
    return [sys.executable, "dbt.py"]


@pytest.fixture
def shop(process_cli: Any, project: Path) -> Any:
    """Return the command in a process of its own, whose streams the hooked command inherits."""
    return process_cli.within(project, RECCE_META_URL="duckdb:///store.duckdb")


def recorded(shop: Any) -> list[str]:
    ran = shop("runs", "--format", "json")
    return [run["environment"] for run in json.loads(ran.out)["runs"]] if ran.code == 0 else []


@pytest.mark.extensive
def test_a_run_is_recorded_and_the_commands_output_is_its_own(shop: Any, dbt: list[str]) -> None:
    ran = shop("hook", "-e", "base", "--", *dbt, "0", "target-base")

    assert (ran.code, ran.out) == (0, "1 of 1 OK\n")
    assert ran.err.startswith("a deprecation\nRecorded run bc1c9a92 of jaffle_shop as base\n")
    assert recorded(shop) == ["base"]


@pytest.mark.extensive
def test_a_failed_build_is_recorded_and_keeps_its_exit_code(shop: Any, dbt: list[str]) -> None:
    ran = shop("hook", "--", *dbt, "2", "target-base")

    assert ran.code == 2
    assert recorded(shop) == ["current"]


@pytest.mark.extensive
def test_a_repeated_job_records_once(shop: Any, dbt: list[str]) -> None:
    first, second = (shop("hook", "--", *dbt, "0", "target-base") for _ in range(2))

    assert (first.code, second.code) == (0, 0)
    assert "was already recorded; nothing written" in second.err
    assert recorded(shop) == ["current"]


@pytest.mark.parametrize(("strict", "code"), [([], 0), (["--strict"], 3)])
def test_an_earlier_runs_artifacts_are_not_taken_for_this_ones(
    shop: Any, dbt: list[str], strict: list[str], code: int
) -> None:
    ran = shop("hook", *strict, "--", *dbt, "0")

    assert ran.code == code
    assert "warning: Run not recorded: the command wrote no manifest.json into " in ran.err
    assert recorded(shop) == []


@pytest.mark.parametrize(
    ("strict", "own", "code"),
    [([], "0", 0), (["--strict"], "0", 3), ([], "2", 2), (["--strict"], "2", 2)],
)
def test_a_store_out_of_reach_is_one_warning_and_fails_a_strict_job_alone(
    shop: Any, dbt: list[str], strict: list[str], own: str, code: int
) -> None:
    url = "postgresql://postgres:hunter2secret@127.0.0.1:1/test"

    ran = shop("hook", *strict, "--url", url, "--", *dbt, own, "target-base")

    assert (ran.code, ran.out) == (code, "1 of 1 OK\n")
    warnings = [line for line in ran.err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1
    assert "Run not recorded: " in warnings[0] and "hint: " in warnings[0]
    assert "hunter2secret" not in ran.out + ran.err


@pytest.mark.parametrize("options", [["--url", "nonsense"], ["--profile", "nosuch"], ["--schema", ""]])
def test_settings_of_the_store_never_stop_the_command(shop: Any, dbt: list[str], options: list[str]) -> None:
    ran = shop.within(RECCE_META_URL="")("hook", *options, "--", *dbt, "0", "target-base")

    assert (ran.code, ran.out) == (0, "1 of 1 OK\n")
    assert "warning: Run not recorded: " in ran.err
    assert "Traceback" not in ran.err


def test_damaged_artifacts_are_one_warning(shop: Any, project: Path, dbt: list[str]) -> None:
    (project / "damaged").mkdir()
    (project / "damaged" / "manifest.json").write_text('{"nodes": ')

    ran = shop("hook", "--", *dbt, "0", "damaged")

    assert ran.code == 0
    (warning,) = (line for line in ran.err.splitlines() if line.startswith("warning: "))
    assert "manifest.json is not complete JSON" in warning


def test_options_after_the_command_are_the_commands(shop: Any, project: Path) -> None:
    (project / "echo.py").write_text("import sys; print(sys.argv[1:])")
    echo = [sys.executable, "echo.py", "build", "--target", "prod", "--strict", "-e", "x", "--", "--url", "y"]

    with_dashes, without = shop("hook", "--", *echo), shop("hook", *echo)

    assert with_dashes.out == without.out == f"{echo[2:]}\n"


def test_a_misspelt_option_is_not_run_as_a_command(shop: Any, dbt: list[str]) -> None:
    ran = shop("hook", "--enviroment", "base", "--", *dbt, "0")

    assert (ran.code, ran.out) == (2, "")
    assert "--enviroment" in ran.err


def test_a_command_that_does_not_exist_is_told_as_a_shell_tells_it(shop: Any) -> None:
    ran = shop("hook", "--", "no-such-program")

    assert ran.code == 127
    assert ran.err == "error: Command not found: no-such-program\n"


def test_without_a_command_the_usage_is_wrong(shop: Any) -> None:
    ran = shop("hook")

    assert ran.code == 2
    assert ran.err.startswith("error: Missing argument 'COMMAND...'\nhint: recce-meta hook --help")


def test_a_wrong_project_folder_in_the_environment_does_not_stop_the_command(
    shop: Any, dbt: list[str]
) -> None:
    ran = shop.within(DBT_PROJECT_DIR="nowhere")("hook", "--", *dbt, "0", "target-base")

    assert (ran.code, ran.out) == (0, "1 of 1 OK\n")
    assert "warning: Run not recorded: " in ran.err
