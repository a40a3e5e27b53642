"""`hook -- COMMAND` by the command itself; test_hook.py has the signals and terminals."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import pytest

from recce_meta.cli.main import run_command_line
from tests.e2e.conftest import Cli, Ran
from tests.proofs.hook import failures

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


class InheritedCli(Cli):
    """The command in the process of the tests, whose streams are files: a hooked command inherits them."""

    def __call__(self, *arguments: str | Path, input: str | None = None) -> Ran:
        """Run the command without *input*."""
        assert input is None
        with TemporaryFile() as out, TemporaryFile() as err, pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "environ", self.variables)
            patch.chdir(self.folder)
            with _replaced(1, out) as stdout, _replaced(2, err) as stderr:
                patch.setattr(sys, "stdout", stdout)
                patch.setattr(sys, "stderr", stderr)
                code = run_command_line([str(argument) for argument in arguments])
            out.seek(0)
            err.seek(0)
            return Ran(code, out.read().decode("utf-8"), err.read().decode("utf-8", "replace"))


@contextmanager
def _replaced(number: int, file: IO[bytes]) -> Iterator[io.TextIOWrapper]:
    """Let *file* be the stream of this *number* for this process and those that it starts."""
    kept = os.dup(number)
    os.dup2(file.fileno(), number)
    stream = io.TextIOWrapper(io.FileIO(number, "w", closefd=False), "utf-8", write_through=True)
    try:
        yield stream
    finally:
        stream.flush()
        os.dup2(kept, number)
        os.close(kept)


@pytest.fixture
def shop(request: pytest.FixtureRequest, cli: Cli, project: Path, default_file: Path) -> Cli:
    """Return the command in the process of the tests, whose streams the hooked command inherits."""
    if request.node.get_closest_marker("without_store") is None:
        shutil.copy(default_file, project / "store.duckdb")
    return InheritedCli(cli.folder).within(project, RECCE_META_URL="duckdb:///store.duckdb")


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
def test_a_command_that_was_ended_before_it_had_results_is_named(
    shop: Any, project: Path, dbt: list[str]
) -> None:
    whole = shop("hook", "--", *dbt, "1", "target-base")
    (results,) = (project / "target").glob("run_results.json*")
    (project / "target-base" / results.name).unlink()
    results.unlink()
    killed, ended = (shop("hook", "--", *dbt, code, "target-base") for code in ("137", "0"))

    warning = "warning: The command failed with exit code 137 and left no results: the run has none\n"
    assert killed.code == 137 and warning in killed.err
    assert "left no results" not in whole.err + ended.err


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
    assert "pass its folder with --target-path" in ran.err
    assert recorded(shop) == []


def test_a_project_folder_that_hook_needs_as_well_is_named(shop: Any) -> None:
    ran = shop("hook", "--", sys.executable, "-c", "", "--project-dir", "elsewhere")

    assert "give --project-dir to hook as well, before --" in ran.err


@pytest.mark.cases(1)
@pytest.mark.parametrize("given", [["--target-path", "elsewhere"], ["--target-path=elsewhere"], []])
def test_the_target_path_of_the_command_or_the_project_is_recorded(shop: Any, given: list[str]) -> None:
    if not given:
        with (shop.folder / "dbt_project.yml").open("a") as settings:
            settings.write("target-path: elsewhere\n")
    copying = "import shutil; shutil.copytree('target-base', 'elsewhere', copy_function=shutil.copyfile)"
    ran = shop("hook", "--", sys.executable, "-c", copying, *given)

    assert (ran.code, recorded(shop)) == (0, ["current"]), ran.err


UNREACHABLE = ("--url", "postgresql://postgres:hunter2secret@127.0.0.1:1/test")


@pytest.mark.parametrize("own", [0, 2])
def test_a_store_out_of_reach_is_one_warning(shop: Any, dbt: list[str], own: int) -> None:
    ran = shop("hook", *UNREACHABLE, "--", *dbt, str(own), "target-base")

    assert (ran.code, ran.out) == (own, "1 of 1 OK\n")
    warnings = [line for line in ran.err.splitlines() if line.startswith("warning: ")]
    assert len(warnings) == 1
    assert "Run not recorded: " in warnings[0] and "hint: " in warnings[0]
    assert "hunter2secret" not in ran.out + ran.err


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (UNREACHABLE, 3),
        (["--url", "duckdb:///:memory:"], 3),
        (["--profile", "nosuch", "--url", ""], 3),
        (["--to", "ftp://host"], 2),
        (["-e", "a:b"], 2),
    ],
)
def test_a_strict_job_fails_before_the_command(
    shop: Any, dbt: list[str], options: Sequence[str], code: int
) -> None:
    ran = shop.within(RECCE_META_URL="")("hook", "--strict", *options, "--", *dbt, "0", "target-base")

    assert (ran.code, ran.out) == (code, "")
    assert ran.err.startswith("error: ") and "hunter2secret" not in ran.err


@pytest.mark.without_store
def test_a_strict_job_needs_no_store_yet(shop: Any, dbt: list[str]) -> None:
    ran = shop("hook", "--strict", "--", *dbt, "0", "target-base")

    assert (ran.code, ran.out) == (0, "1 of 1 OK\n")
    assert recorded(shop) == ["current"]


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


def test_without_dbt_the_hint_is_its_environment(shop: Any) -> None:
    ran = shop.within(PATH="/nowhere")("hook", "--", "dbt", "build")

    assert ran.code == 127
    assert ran.err == (
        "error: Command not found: dbt\nhint: activate the environment in which dbt is installed\n"
    )


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


WRONG_SETTINGS: dict[str, dict[str, str]] = {
    "lock timeout": {"RECCE_META_LOCK_TIMEOUT": "soon"},
    "number": {"RECCE_META_COLUMN_TIMEOUT": "nan"},
    "choice": {"RECCE_META_STATS": "everything"},
    "flag": {"RECCE_META_NO_COLUMNS": "perhaps"},
    "strict": {"RECCE_META_HOOK_STRICT": "perhaps"},
    "folder": {"RECCE_META_PROJECT_DIR": "nowhere"},
}
WRONG_FILES = {
    "not YAML": "store: [",
    "a wrong value": "threads: many",
    "a password": "store: postgresql://u:hunter2@h/x",
    "a list": "- store",
}


@pytest.mark.parametrize("variables", WRONG_SETTINGS.values(), ids=WRONG_SETTINGS)
def test_a_wrong_variable_is_one_warning_and_the_command_runs_once(
    shop: Any, dbt: list[str], variables: dict[str, str]
) -> None:
    ran = shop.within(**variables)("hook", "--", *dbt, "7", "target-base")

    assert (ran.code, ran.out) == (7, "1 of 1 OK\n")
    (warning,) = (line for line in ran.err.splitlines() if line.startswith("warning: "))
    assert warning.startswith("warning: Run not recorded: ") and next(iter(variables)) in warning
    assert recorded(shop) == []


@pytest.mark.parametrize("text", WRONG_FILES.values(), ids=WRONG_FILES)
def test_a_wrong_configuration_is_one_warning_and_nothing_is_recorded(
    shop: Any, project: Path, dbt: list[str], text: str
) -> None:
    (project / "recce_meta.yml").write_text(text)

    ran = shop("hook", "--", *dbt, "0", "target-base")

    assert (ran.code, ran.out) == (0, "1 of 1 OK\n")
    (warning,) = (line for line in ran.err.splitlines() if line.startswith("warning: "))
    assert warning.startswith("warning: Run not recorded: ") and "recce_meta.yml:" in warning
    assert "hunter2" not in ran.err
    (project / "recce_meta.yml").unlink()
    assert recorded(shop) == []


def test_a_wrong_setting_fails_a_strict_job_before_the_command(
    shop: Any, project: Path, dbt: list[str]
) -> None:
    by_variable = shop.within(RECCE_META_LOCK_TIMEOUT="soon")("hook", "--strict", "--", *dbt, "0")
    strict_by_variable = shop.within(RECCE_META_LOCK_TIMEOUT="soon", RECCE_META_STRICT="1")
    (project / "recce_meta.yml").write_text("strore: 1")
    by_file = shop("hook", "--strict", "--", *dbt, "0")

    for ran in (by_variable, strict_by_variable("hook", "--", *dbt, "0"), by_file):
        assert (ran.code, ran.out) == (2, "")


def test_the_first_rows_of_a_failed_test_are_recorded_without_private_values(
    shop: Any, project: Path, dbt: list[str]
) -> None:
    folder = project / "target-base"
    for name in ("manifest", "run_results"):
        (file,) = folder.glob(f"{name}.json*")
        content = file.read_bytes()
        document = json.loads(gzip.decompress(content) if file.suffix == ".gz" else content)
        if name == "manifest":
            test = min(one for one in document["nodes"] if one.startswith("test."))
            document["nodes"][test]["compiled_code"] = "select range as id, 'a@x.com' as email from range(9)"
        else:
            for result in document["results"]:
                if result["unique_id"] == test:
                    result |= {"status": "fail", "failures": 9}
        file.unlink()
        (folder / f"{name}.json").write_text(json.dumps(document))

    ran = shop("hook", "--failed-rows", "2", "--private", "nothing", "--", *dbt, "1", "target-base")

    # The demo has a failed test whose tables are not here.
    assert (ran.code, "Failed rows of orders_are_paid_once were not read" in ran.err) == (1, True)
    sql = "SELECT failed_rows FROM run_results WHERE failed_rows IS NOT NULL"
    found = shop("query", sql, "--format", "json")
    rows = [{"id": number, "email": "***"} for number in (0, 1)]
    assert [row["failed_rows"] for row in json.loads(found.out)["rows"]] == [rows]


def test_with_an_unknown_key_the_run_is_recorded_without_statistics(
    shop: Any, project: Path, dbt: list[str]
) -> None:
    (project / "recce_meta.yml").write_text("privcy: {columns: [salary]}\n")

    ran = shop("hook", "--stats", "row-count", "--", *dbt, "0", "target-base")

    assert ran.code == 0
    (warning,) = (line for line in ran.err.splitlines() if line.startswith("warning: "))
    assert warning.startswith("warning: no statistics stored: ")
    assert "unknown key 'privcy' in the file" in warning
    (project / "recce_meta.yml").unlink()
    assert recorded(shop) == ["current"]


@pytest.mark.parametrize("variables", [{"RECCE_META_COLOR": "loud"}, {"RECCE_META_LOG_FILE": "nowhere/log"}])
def test_settings_of_the_output_alone_do_not_keep_the_run_from_being_recorded(
    shop: Any, dbt: list[str], variables: dict[str, str]
) -> None:
    ran = shop.within(**variables)("hook", "--", *dbt, "0", "target-base")

    assert (ran.code, ran.out) == (0, "1 of 1 OK\n")
    assert len([line for line in ran.err.splitlines() if line.startswith("warning: ")]) == 1
    assert recorded(shop) == ["current"]


def test_a_log_that_cannot_be_opened_is_one_warning(shop: Any, dbt: list[str]) -> None:
    ran = shop("hook", "--log-file", "nowhere/log", "--", *dbt, "3", "target-base")

    assert (ran.code, ran.out) == (3, "1 of 1 OK\n")
    hint = "hint: create the folder nowhere"
    assert ran.err.startswith(
        f"warning: nowhere/log: No such file or directory; {hint}\na deprecation\nRecorded run "
    )


@pytest.mark.parametrize("options", [["-q", "-v"], ["--url", os.fsdecode(b"\xff")], ["--nosuch"]])
def test_an_error_before_the_dashes_is_wrong_usage(shop: Any, dbt: list[str], options: list[str]) -> None:
    ran = shop("hook", *options, "--", *dbt, "0", "target-base")

    assert (ran.code, ran.out) == (2, "")


def test_without_dashes_the_command_begins_at_its_first_word(shop: Any, dbt: list[str]) -> None:
    ran = shop("hook", *dbt, "0", os.fsdecode(b"target-\xff"))

    assert ran.out == "1 of 1 OK\n"


def test_the_warning_names_the_failure_of_the_command_and_not_a_missing_manifest(
    shop: Any, dbt: list[str]
) -> None:
    ran = shop("hook", "--", *dbt, "2")

    assert ran.code == 2
    assert ran.err.endswith(
        "warning: Run not recorded: the command failed with exit code 2; it wrote no manifest.json\n"
    )


def test_arguments_of_the_command_may_be_any_bytes(shop: Any, project: Path) -> None:
    (project / "echo.py").write_text("import os, sys; print(os.fsencode(sys.argv[1]))")

    ran = shop("hook", "--", sys.executable, "echo.py", os.fsdecode(b"\xff\xfe"))

    assert (ran.code, ran.out) == (0, "b'\\xff\\xfe'\n")


@pytest.mark.without_store
def test_a_store_that_is_a_pipe_is_refused(shop: Any, project: Path, dbt: list[str]) -> None:
    os.mkfifo(project / "store.duckdb")

    ran = shop("hook", "--", *dbt, "0", "target-base")

    assert ran.code == 0
    assert "warning: Run not recorded: Not a database file: " in ran.err


def test_what_keeps_the_configuration_from_being_read_is_no_missing_configuration(
    shop: Any, project: Path, dbt: list[str]
) -> None:
    table = b"[tool.recce-meta]\nproject = 'x'\n"
    for name, content in (
        ("recce_meta.yml", None),
        ("recce_meta.yml", b"store: {ulr: x}"),
        ("recce_meta.yml", b"storr: prod"),
        ("pyproject.toml", table + b"# \xff"),
        ("pyproject.toml", b"[tool.recce-meta\n"),
    ):
        path = project / name
        os.mkfifo(path) if content is None else path.write_bytes(content)

        ran = shop("hook", "--", *dbt, "0", "target-base")

        assert (ran.code, ran.out) == (0, "1 of 1 OK\n"), (name, content)
        assert ran.err.count("warning: Run not recorded: ") == 1 and name in ran.err, ran.err
        path.unlink()
        assert recorded(shop) == []


def test_a_log_that_is_a_pipe_and_a_broken_dependency_do_not_stop_the_command(
    process_cli: Any, project: Path, dbt: list[str]
) -> None:
    shop = process_cli.within(project, RECCE_META_URL="duckdb:///store.duckdb")
    os.mkfifo(project / "log")
    (project / "broken").mkdir()
    (project / "broken" / "msgspec.py").write_text("raise ImportError('libfoo.so')")
    paths = os.pathsep.join((str(project / "broken"), shop.variables["PYTHONPATH"]))

    for variables in ({"RECCE_META_LOG_FILE": "log"}, {"PYTHONPATH": paths}):
        ran = shop.within(**variables)("hook", "--", *dbt, "6")
        assert (ran.code, ran.out) == (6, "1 of 1 OK\n")
        assert "Traceback" not in ran.err


def test_the_word_hook_in_another_command_changes_nothing(shop: Any) -> None:
    ran = shop("record", "hook")

    assert (ran.code, ran.err) == (
        3,
        "error: Folder not found: hook\n"
        "hint: run `dbt build` first, or pass dbt's target folder with --target-path\n",
    )


@pytest.mark.parametrize(
    "seeds", [range(1, 5), pytest.param(range(5, 13), marks=pytest.mark.extensive)], ids=str
)
def test_a_sample_of_random_breakages_never_hurts_the_job(seeds: range) -> None:
    assert list(failures(seeds)) == []


PLANNED = """
import json, shutil, sys
from pathlib import Path
words = sys.argv[1:]
if words[0] == "compile":
    print("compiling")
    folder = Path(words[words.index("--target-path") + 1])
    made = Path("compiled")
    shutil.copytree(made, folder, dirs_exist_ok=True) if made.exists() else sys.exit(2)
else:
    print(json.dumps(words))
    shutil.copytree("compiled" if Path("compiled").exists() else "target-base", "target", dirs_exist_ok=True,
        copy_function=shutil.copyfile)
"""


@pytest.fixture
def planned(shop: Cli, project: Path) -> tuple[Cli, list[str]]:
    """The command, with base in the store, and a program that compiles what the folder `compiled` has."""
    (project / "dbt.py").write_text(PLANNED)
    assert shop("record", "--target-path", "target-base", "-e", "base").code == 0
    return shop, ["hook", "-e", "pr", "--plan", "--", sys.executable, "dbt.py"]


def test_a_planned_build_gets_its_nodes_and_the_state_of_base(
    planned: tuple[Cli, list[str]], project: Path
) -> None:
    shop, hook = planned
    shutil.copytree(project / "target", project / "compiled")

    ran = shop(*hook, "build", "--fail-fast", "--target", "pr")

    words = json.loads(ran.out)
    assert (ran.code, words[:5]) == (0, ["build", "--fail-fast", "--target", "pr", "--select"]), ran.err
    assert "jaffle_shop.marts.daily_revenue" in words and "compiling" in ran.err
    state = json.loads(Path(words[-1], "manifest.json").read_bytes())
    assert state["nodes"]["model.jaffle_shop.orders"]["relation_name"] == '"jaffle_shop"."prod"."orders"'
    assert recorded(shop)[0] == "pr"


def test_nothing_is_built_if_the_plan_is_empty(planned: tuple[Cli, list[str]], project: Path) -> None:
    shop, hook = planned
    shutil.copytree(project / "target-base", project / "compiled")

    ran = shop(*hook, "build")

    assert (ran.code, ran.out) == (0, "") and "Nothing to build" in ran.err


def test_all_nodes_are_built_if_dbt_cannot_compile(planned: tuple[Cli, list[str]]) -> None:
    shop, hook = planned

    ran = shop(*hook, "build")

    assert (ran.code, json.loads(ran.out)) == (0, ["build"])
    assert "Not planned, so all nodes are built: dbt compile failed with exit code 2" in ran.err


@pytest.mark.parametrize(
    "words",
    [
        "build --select orders",
        "build -sorders",
        "build -xf",
        "-qsorders build",
        "build --full-refresh",
        "run",
    ],
)
def test_a_command_that_cannot_be_planned_is_not_started(planned: tuple[Cli, list[str]], words: str) -> None:
    shop, hook = planned

    ran = shop(*hook, *words.split())

    assert (ran.code, ran.out) == (2, "") and "hook --plan" in ran.err
