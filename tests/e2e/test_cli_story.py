"""The whole path of a user: create, record, list, compare, look around, tidy up, all by the command."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "tests" / "data" / "artifacts"

PROFILES = "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: dev.duckdb}\n"


def test_the_console_script_is_the_command() -> None:
    try:
        scripts = distribution("recce-meta").entry_points.select(group="console_scripts")
    except PackageNotFoundError:
        pytest.skip("recce-meta is not installed here")
    (script,) = scripts
    assert (script.name, script.value) == ("recce-meta", "recce_meta.cli.main:main")

    program = Path(sys.executable).parent / "recce-meta"
    if not program.exists():
        pytest.skip("recce-meta is not installed into this interpreter's own folder")
    ran = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0
    assert ran.stdout.startswith("recce-meta, version ")


@pytest.mark.extensive
def test_from_nothing_to_a_diff_inside_a_dbt_project(cli: Any, project: Path) -> None:
    (project / "profiles.yml").write_text(PROFILES)
    shop = cli.within(project)

    created = shop("init")
    base = shop("record", "--environment", "base", "--target-path", "target-base")
    current = shop("record")
    diff = shop("diff")

    assert [ran.code for ran in (created, base, current, diff)] == [0, 0, 0, 0]
    assert created.out.startswith("Store created in schema recce_metadata")
    assert base.out.startswith("Recorded run bc1c9a92 of jaffle_shop as base\n")
    assert current.out.startswith("Recorded run 0829a5f9 of jaffle_shop as current\n")
    assert "4 modified · 6 added (5 tests) · 1 removed" in diff.out
    assert "~ customers" in diff.out
    assert [ran.err for ran in (created, base, current, diff)] == [""] * 4
    assert (project / "dev.duckdb").is_file()


@pytest.mark.extensive
def test_the_project_is_found_from_a_folder_below_it(cli: Any, project: Path) -> None:
    below = project / "models" / "marts"
    below.mkdir(parents=True)

    ran = cli.within(below)("record", "--url", f"duckdb:///{project / 'dev.duckdb'}")

    assert ran.out.startswith("Recorded run 0829a5f9")


@pytest.mark.extensive
def test_the_project_may_lie_elsewhere(cli: Any, project: Path) -> None:
    (project / "profiles.yml").write_text(PROFILES)

    ran = cli("record", "--project-dir", project, "--profiles-dir", project)

    assert ran.out.startswith("Recorded run 0829a5f9")
    assert (project / "dev.duckdb").is_file()


def test_recording_twice_writes_once(store: Any, project: Path) -> None:
    again = store("record", "--target-path", project / "target")
    runs = store("runs", "--format", "json")

    assert again.code == 0
    assert "was already recorded; nothing written" in again.out
    assert len(json.loads(runs.out)["runs"]) == 2


def test_one_set_of_artifacts_may_be_recorded_under_two_names(store: Any, project: Path) -> None:
    ran = store("record", "--target-path", project / "target", "--run-id", "mine", "-e", "staging")
    shown = store("show", "mine", "--format", "json")

    assert ran.code == 0
    assert json.loads(shown.out)["run"]["environment"] == "staging"


@pytest.mark.extensive
def test_init_is_safe_to_repeat(store: Any) -> None:
    first, second = store("init"), store("init")

    assert (first.code, second.code) == (0, 0)
    assert second.out.startswith("Store refreshed in schema recce_metadata")
    assert len(json.loads(store("runs", "--format", "json").out)["runs"]) == 2


def test_options_say_what_neither_repository_nor_ci_does(store: Any, project: Path) -> None:
    facts = ["--git-sha", "abc1234", "--branch", "feature/x", "--pull-request", "7", "--git-dirty"]
    store("record", "--target-path", project / "target", "--run-id", "facts", *facts, "--target-name", "ci")

    run = json.loads(store("show", "facts", "--format", "json").out)["run"]

    assert (run["git_sha"], run["branch"], run["pull_request"]) == ("abc1234", "feature/x", "7")
    assert (run["git_dirty"], run["target_name"]) == (True, "ci")
    assert (
        store("show", "branch:feature/x", "--format", "json").out
        == store("show", "facts", "--format", "json").out
    )


@pytest.mark.parametrize("style", ["table", "markdown"])
def test_runs_are_listed_newest_first(store: Any, style: str) -> None:
    ran = store("runs", "--format", style)

    assert ran.code == 0
    assert 0 < ran.out.index("0829a5f9") < ran.out.index("bc1c9a92")


def test_runs_are_listed_by_environment_and_number(store: Any) -> None:
    assert "bc1c9a92" not in store("runs", "-n", "1").out
    assert "0829a5f9" not in store("runs", "-e", "base").out
    assert store("runs", "--project", "another").out == "No runs recorded\n"


def test_show_tells_what_a_run_holds_and_what_happened(store: Any) -> None:
    text, as_json, markdown = (
        store("show", "base", "--format", style) for style in ("table", "json", "markdown")
    )

    assert "10 models, 4 seeds, 2 exposures, 19 tests" in text.out
    assert "18 pass, 13 success" in text.out
    assert json.loads(as_json.out)["counts"]["model"] == 10
    assert "jaffle_shop" in markdown.out


def test_show_reads_artifacts_that_were_never_recorded(cli: Any, project: Path) -> None:
    ran = cli("show", f"path:{project / 'target'}")

    assert (ran.code, ran.err) == (0, "")
    assert "10 models, 4 seeds, 2 exposures, 23 tests, 1 unit test" in ran.out


@pytest.mark.parametrize(
    ("options", "expected", "unexpected"),
    [
        ([], ["stg_orders", "daily_revenue", "raw_orders"], []),
        (["--upstream"], ["stg_orders", "raw_orders"], ["daily_revenue"]),
        (["--downstream"], ["daily_revenue"], ["stg_orders"]),
        (["--upstream", "--depth", "1"], ["stg_orders"], ["raw_orders"]),
    ],
)
def test_lineage_goes_up_and_down(
    store: Any, options: list[str], expected: list[str], unexpected: list[str]
) -> None:
    ran = store("lineage", "orders", *options)
    as_json = store("lineage", "orders", *options, "--format", "json")
    names = {node["name"] for node in json.loads(as_json.out)["nodes"]}

    assert (ran.code, ran.err) == (0, "")
    assert all(name in ran.out for name in expected)
    assert names.issuperset(expected)
    assert names.isdisjoint(unexpected)


def test_lineage_is_drawn_in_markdown(store: Any) -> None:
    assert "mermaid" in store("lineage", "orders", "--format", "markdown").out


def test_lineage_of_artifacts_needs_no_store_and_no_profile(cli: Any, project: Path) -> None:
    ran = cli("lineage", "orders", "--run", f"path:{project / 'target'}")

    assert (ran.code, ran.err) == (0, "")
    assert "daily_revenue" in ran.out


def test_prune_says_what_it_would_remove_and_then_removes_it(store: Any) -> None:
    would = store("prune", "--keep-last", "0", "--environment", "current", "--dry-run")
    still = store("runs", "--format", "json")
    did = store("prune", "--keep-last", "0", "--environment", "current")
    left = store("runs", "--format", "json")

    assert would.out.startswith("Would remove 1 run\n")
    assert len(json.loads(still.out)["runs"]) == 2
    assert did.out.startswith("Removed 1 run\n")
    assert would.out.endswith("1 deletion would reach other stores with push, pull and sync\n")
    assert did.out.endswith("1 deletion will reach other stores with push, pull and sync\n")
    assert [run["environment"] for run in json.loads(left.out)["runs"]] == ["base"]


def test_a_pruned_run_is_not_recorded_again(store: Any, project: Path) -> None:
    assert store("prune", "--keep-last", "0", "--environment", "current").code == 0

    again = store("record", "--target-path", project / "target")
    other = store("record", "--target-path", project / "target", "--run-id", "again")

    assert again.code == 3 and "was pruned on" in again.err and "--run-id" in again.err
    assert other.code == 0, other.err


def test_a_run_that_was_pruned_from_this_store_only_can_be_recorded_again(store: Any, project: Path) -> None:
    did = store("prune", "--keep-last", "0", "--environment", "current", "--local")

    assert "will reach" not in did.out
    assert store("record", "--target-path", project / "target").code == 0


def test_prune_keeps_the_latest_run_of_each_environment(store: Any) -> None:
    assert store("prune", "--older-than", "0d").out == "Nothing to prune\n"
    assert store("prune", "--keep-last", "1", "--older-than", "12h").out == "Nothing to prune\n"


def test_doctor_finds_nothing_wrong_with_a_store_that_works(store: Any) -> None:
    text, as_json = store("doctor"), store("doctor", "--format", "json")

    assert (text.code, as_json.code) == (0, 0)
    assert text.out.endswith("No problems found\n")
    assert json.loads(as_json.out)["ok"] is True


@pytest.mark.parametrize("kind", ["ddl", "views", "cookbook"])
@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
def test_the_sql_is_printed_for_every_dialect_and_schema(cli: Any, kind: str, dialect: str) -> None:
    plain = cli("sql", kind, "--dialect", dialect)
    odd = cli("sql", kind, "--dialect", dialect, "--schema", 'Odd "one')

    assert (plain.code, odd.code) == (0, 0)
    assert re.search(r"recce_metadata\.(store_)?runs", plain.out)
    assert re.search(r'"Odd ""one"\.(store_)?runs', odd.out)
    assert "recce_metadata." not in odd.out


def test_tables_and_views_that_are_printed_can_be_run_by_hand_on_an_empty_database(cli: Any) -> None:
    import duckdb

    with duckdb.connect() as connection:
        for kind in ("ddl", "views"):
            connection.execute(cli("sql", kind, "--schema", 'Odd "one').out)

        assert connection.execute('SELECT COUNT(*) FROM "Odd ""one".nodes').fetchall() == [(0,)]


def test_one_question_can_be_asked_for_by_name(cli: Any) -> None:
    every, one = cli("sql", "cookbook"), cli("sql", "cookbook", "--name", "undescribed_models")

    assert 0 < len(one.out) < len(every.out)
    assert one.out.strip() in every.out


@pytest.mark.extensive
def test_what_init_prints_creates_a_store_that_works(cli: Any, project: Path) -> None:
    import duckdb

    script = cli("init", "--sql", "--url", "duckdb:///store.duckdb")
    assert not (cli.folder / "store.duckdb").exists()
    with duckdb.connect(cli.folder / "store.duckdb") as connection:
        connection.execute(script.out)

    ran = cli("record", "--target-path", project / "target", "--url", "duckdb:///store.duckdb")

    assert ran.out.startswith("Recorded run 0829a5f9")


@pytest.mark.extensive
def test_other_artifacts_go_the_same_way(cli: Any) -> None:
    store = cli.within(RECCE_META_URL="duckdb:///store.duckdb")
    for side, version in (("base", "dbt_1.9"), ("current", "dbt_1.10")):
        folder = ARTIFACTS / "generated" / "jaffle_ext_full" / version
        shutil.copytree(folder, cli.folder / side)
        assert store("record", "-e", side, "--target-path", side).code == 0

    ran = store("diff")

    assert ran.out.startswith("jaffle_ext\n")
    assert "No changes" in ran.out  # an upgrade of dbt alone changes nothing


@pytest.mark.extensive
def test_dbts_own_variable_names_the_folder_of_the_artifacts(cli: Any, project: Path) -> None:
    shop = cli.within(project, DBT_TARGET_PATH="target-base", RECCE_META_URL="duckdb:///store.duckdb")

    assert shop("record").out.startswith("Recorded run bc1c9a92")


@pytest.mark.extensive
def test_earlier_runs_are_reached_by_counting_back(store: Any, project: Path) -> None:
    store("record", "-e", "base", "--run-id", "newer", "--target-path", project / "target")

    since = json.loads(store("diff", "base~1", "base", "--format", "json").out)
    one_argument = json.loads(store("diff", "base~1", "--format", "json").out)

    assert (since["base"]["run_id"][:8], since["current"]["run_id"]) == ("bc1c9a92", "newer")
    assert one_argument["current"]["environment"] == "current"


LOADED = """
import sys
from recce_meta.cli.main import run_command_line
code = run_command_line(["-v", *sys.argv[1:]])
print(code, *sys.modules, file=sys.stderr)
"""
NEVER = {
    "psycopg",
    "rich",
    "yaml",
    "duckdb_engine",
    "sqlalchemy.dialects.postgresql",
    "recce_meta.report.html",
}
NO_SQL = NEVER | {"sqlglot", "jinja2"}
NO_DATA = NEVER | {
    "recce_meta.data_diff.value",
    "recce_meta.api.data.changed_data",
    "recce_meta.extractors.database",
}


@pytest.mark.cases(3)
@pytest.mark.parametrize(
    ("command", "never", "modules", "statements"),
    [
        # Of nearly all commands, one module names sets of node types, one counts provisional answers, one
        # has the freshness of sources, one finds what macros reach, one is the place of a database.
        (["runs"], NO_SQL, 87, 2),
        (["show"], NO_SQL, 133, 7),
        (["lineage", "orders"], NO_SQL, 133, 6),
        (["impact", "stg_orders"], NO_SQL, 134, 8),
        # DuckDB is asked what fails without the column: its readers' SQL and macros are read.
        (["impact", "stg_orders.order_id"], NEVER, 157, 11),
        # Of two small runs, nodes, edges and columns are read once each. One module judges hooks of views,
        # one rows of unit tests, one declares the kinds of figures, two the keys of clauses and open queries.
        # Three ask a database whether edited
        # queries can be built. One statement reads the stored diff, and one whether the store was written
        # to meanwhile.
        (["diff"], NO_DATA, 221, 32),
        # This store has no tables of data: the statements are those until the first of them is missed.
        # Two read the macros of runs that lack compiled SQL. One module declares the kinds of figures,
        # one the types of explanations, one names of columns.
        (["value", "orders"], NEVER | {"jinja2", "recce_meta.api.diff"}, 170, 21),
    ],
)
def test_commands_keep_their_budget_of_imports_and_statements(
    store: Any, command: list[str], never: set[str], modules: int, statements: int
) -> None:
    """Each costs every user time at every start: to raise a number is a decision."""
    ran = subprocess.run(
        [sys.executable, "-c", LOADED, *command],
        cwd=store.folder,
        env=store.variables,
        capture_output=True,
        text=True,
        check=False,
    )
    *messages, last = ran.stderr.splitlines()
    code, *loaded = last.split()
    found = re.search(r"(\d+) statements in", "".join(messages))

    assert code == ("3" if "value" in command else "0") and found is not None, messages
    assert never.isdisjoint(loaded), never.intersection(loaded)
    assert len([name for name in loaded if name.startswith("recce_meta")]) <= modules
    assert int(found[1]) <= statements


AT_EXIT = """
import atexit, gc, sys
from recce_meta.cli.main import main
atexit.register(lambda: print(gc.get_threshold()[0], len(gc.get_objects()), file=sys.stderr))
main()
"""


def test_a_command_rarely_searches_for_garbage_and_leaves_none_to_its_end(store: Any) -> None:
    """Both cost a small command a fifth of its CPU time."""
    ran = subprocess.run(
        [sys.executable, "-c", AT_EXIT, "runs"],
        cwd=store.folder,
        env=store.variables,
        capture_output=True,
        text=True,
        check=True,
    )
    threshold, searched = map(int, ran.stderr.split())

    assert threshold >= 10_000
    assert searched < 1_000
