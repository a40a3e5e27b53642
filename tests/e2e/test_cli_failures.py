"""Whatever a user does wrong: one message, one hint, the right exit code; never a traceback."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
OTHER = ROOT / "tests" / "data" / "artifacts" / "generated" / "jaffle_ext_full" / "dbt_1.10"
STORE = "duckdb:///store.duckdb"


def assert_told(ran: Any, code: int, message: str, hint: str | None = None) -> None:
    """One error on stderr with *message*, then the hint, and nothing on stdout."""
    assert ran.code == code, ran
    assert ran.out == ""
    assert ran.err.startswith("error: "), ran.err
    assert message in ran.err
    assert "Traceback" not in ran.err and "this is a bug" not in ran.err
    assert ran.err.count("error: ") == 1
    assert not ran.err.partition("\n")[0].endswith(".")
    if hint is not None:
        assert f"\nhint: {hint}" in ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["diff", "--format", "yaml"], "'yaml' is not one of 'table', 'json', 'markdown'"),
        (["diff", "one", "two", "three"], "Got unexpected extra argument (three)"),
        (["diff", "--lock-timeout", "soon"], "'soon' is not a valid float"),
        (["diff", "--lock-timeout", "-1"], "-1.0 is not in the range"),
        (["diff", "--nonsense"], "--nonsense"),
        (["runs", "-n", "0"], "0 is not in the range"),
        (["runs", "-n", "some"], "'some' is not a valid integer"),
        (["lineage"], "Missing argument 'NODE'"),
        (["lineage", "orders", "--depth", "0"], "0 is not in the range"),
        (["prune", "--older-than", "30x"], "'30x' is not an age such as 30d, 8w or 12h"),
        (["prune", "--keep-last", "-1"], "-1 is not in the range"),
        (["prune", "--keep-last", "9" * 20], "is not in the range"),
        (["prune", "--older-than", f"{'9' * 20}d"], "is not an age such as 30d, 8w or 12h"),
        (["runs", "-n", "9" * 20], "is not in the range"),
        (["sql", "tables"], "'tables' is not one of 'ddl', 'views', 'queries'"),
        (["sql", "ddl", "--dialect", "oracle"], "'oracle' is not one of 'bigquery', 'databricks', 'duckdb'"),
        (["record", "--project-dir", "nowhere"], "Directory 'nowhere' does not exist"),
        (["demo", "--dir", "file"], "Directory 'file' is a file"),
    ],
)
def test_wrong_options_exit_with_2_and_point_to_the_help(
    cli: Any, arguments: list[str], message: str
) -> None:
    (cli.folder / "file").touch()

    assert_told(cli(*arguments), 2, message, hint=f"recce-meta {arguments[0]} --help")


def test_an_argument_that_is_not_utf_8_is_refused(cli: Any) -> None:
    ran = cli("show", "caf\udce9")  # as Python reads the byte 0xe9

    assert_told(ran, 2, r"Argument 'caf\udce9' is not valid UTF-8")


def test_a_template_that_is_not_utf_8_is_refused_with_its_place(cli: Any, tmp_path: Path) -> None:
    (tmp_path / "latin.sql").write_bytes("select 'é'".encode("latin-1"))

    assert_told(cli("render", "latin.sql"), 2, "latin.sql is not UTF-8: byte 9 is 0xe9")


def test_a_misspelt_command_is_told_with_the_nearest(cli: Any) -> None:
    assert_told(cli("dif"), 2, "Unknown command 'dif'", hint="did you mean 'diff'?")
    assert_told(cli("status"), 2, "Unknown command 'status'")


def test_no_command_at_all_shows_the_help_and_fails(cli: Any) -> None:
    ran = cli()

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == cli("--help").out


@pytest.mark.parametrize(
    "command", [["runs"], ["show"], ["diff"], ["lineage", "orders"], ["prune", "--keep-last", "1"]]
)
def test_reading_from_a_file_that_is_not_there_fails_and_creates_none(cli: Any, command: list[str]) -> None:
    ran = cli(*command, "--url", STORE)

    assert_told(ran, 3, "DuckDB file not found: store.duckdb", hint="check the path; recce-meta init")
    assert list(cli.folder.glob("*.duckdb")) == []


@pytest.mark.cases(2)
@pytest.mark.parametrize(
    "command", [["runs"], ["show"], ["diff"], ["lineage", "orders"], ["prune", "--keep-last", "1"]]
)
def test_a_database_without_a_store_says_how_to_make_one(cli: Any, command: list[str]) -> None:
    cli("init", "--url", STORE, "--schema", "elsewhere")

    ran = cli(*command, "--url", STORE)

    assert_told(ran, 3, "No store found in schema 'recce_metadata'", hint="create it with recce-meta init")


@pytest.mark.extensive
def test_an_empty_store_says_how_to_fill_it(cli: Any) -> None:
    cli("init", "--url", STORE)

    assert cli("runs", "--url", STORE).out == "No runs recorded\n"
    assert_told(
        cli("diff", "--url", STORE), 2, "the store has no runs", hint="record one with recce-meta record"
    )


@pytest.mark.extensive
def test_a_missing_side_says_how_to_record_it(cli: Any, project: Path) -> None:
    store = cli.within(RECCE_META_URL=STORE)
    store("record", "--target-path", project / "target")

    ran = store("diff", "base", "current")

    assert_told(
        ran,
        2,
        "Run 'base' not found",
        hint="record one with recce-meta record --environment base --target-path DIR, or scan",
    )


@pytest.mark.parametrize(
    ("selector", "message", "hint"),
    [
        ("curent", "Run 'curent' not found", "did you mean 'current'?"),
        ("nosuch", "Run 'nosuch' not found", "list the runs with recce-meta runs"),
        ("base~99999999999999999999", "Run 'base~99999999999999999999' not found", None),
        ("base~5", "Run 'base~5' not found: there is only one such run", "the oldest one is ~0"),
        ("before:soon", "Invalid date or time in 'before:soon'", "for example before:2026-11-01"),
        ("before:1999-01-01", "Run 'before:1999-01-01' not found", None),
        ("sha:0000000", "Run 'sha:0000000' not found", None),
        ("", "Run selector is empty", "use a run id"),
        ("path:nowhere", "nowhere", None),
    ],
)
def test_runs_that_are_not_there(store: Any, selector: str, message: str, hint: str | None) -> None:
    ran = store("show", selector)

    assert_told(ran, 3 if selector.startswith("path:") else 2, message, hint)


@pytest.mark.cases(4)
@pytest.mark.parametrize(
    ("option", "name"),
    [
        *(("-e", name) for name in ("", "latest", "path:x", "prod~1", "x" * 65)),
        *(("--run-id", name) for name in ("x" * 65, "sha:1", "latest")),
    ],
)
def test_a_run_gets_no_name_that_selectors_could_not_reach(
    store: Any, project: Path, option: str, name: str
) -> None:
    ran = store("record", "--target-path", project / "target", option, name)

    assert_told(ran, 2, "Invalid name for ", hint="use 1 to 64 characters without ':' and '~'")


def test_the_name_of_a_branch_leads_to_its_selector(store: Any, project: Path) -> None:
    store("record", "--target-path", project / "target", "--run-id", "x", "--branch", "feature/x")

    assert_told(
        store("show", "feature/x"), 2, "Run 'feature/x' not found", hint="did you mean 'branch:feature/x'?"
    )


def test_a_prefix_of_several_ids_lists_them(store: Any, project: Path) -> None:
    for number in "12":
        store("record", "--target-path", project / "target", "--run-id", f"same-{number}")

    assert_told(store("show", "same"), 2, "same-1 (current", hint="use a longer prefix of the id")
    assert store("show", "same-1").code == 0


@pytest.mark.extensive
def test_several_projects_in_one_store_ask_which_unless_one_is_at_hand(store: Any, project: Path) -> None:
    shutil.copytree(OTHER, store.folder / "other")
    for side in ("base", "current"):
        store("record", "-e", side, "--run-id", f"other-{side}", "--target-path", "other")
    url = f"duckdb:///{store.folder / 'store.duckdb'}"

    nowhere = store("diff")
    named = store("diff", "--project", "jaffle_ext")
    at_hand = store.within(project)("diff", "--url", url)
    below = store.within("shop/target")("diff", "--url", url)
    overruled = store.within(project)("diff", "--url", url, "--project", "jaffle_ext")
    unknown = store("diff", "--project", "nosuch")

    assert_told(
        nowhere, 2, "this store has 2 projects: jaffle_ext, jaffle_shop", hint="choose one with --project"
    )
    assert named.out.startswith("jaffle_ext\n") and overruled.out == named.out
    assert at_hand.out.startswith("jaffle_shop\n") and below.out == at_hand.out
    assert_told(unknown, 2, "current has no run of project 'nosuch', but of '")


@pytest.mark.parametrize(
    ("node", "message", "hint"),
    [
        ("ordres", "Node 'ordres' not found", "did you mean 'orders'"),
        ("zzzzzz", "Node 'zzzzzz' not found", None),
    ],
)
def test_nodes_that_are_not_there(store: Any, node: str, message: str, hint: str | None) -> None:
    assert_told(store("lineage", node), 2, message, hint)


@pytest.mark.cases(4)
@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ("tag:", "Invalid selector 'tag:' at character 5: a name is missing"),
        ("tga:nightly", "Unknown selection method 'tga' in selector 'tga:nightly' at character 1"),
        ("state:modfied", "modfied"),
        ("result:", "result:"),
    ],
)
@pytest.mark.parametrize("option", ["--select", "--exclude"])
def test_selections_that_cannot_be_read(store: Any, option: str, selection: str, message: str) -> None:
    assert_told(store("diff", option, selection), 2, message)


def _nothing(folder: Path) -> None:
    folder.rmdir()


def _no_manifest(folder: Path) -> None:
    (folder / "catalog.json").write_text("{}")


def _empty(folder: Path) -> None:
    (folder / "manifest.json").touch()


def _truncated(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"metadata": {"dbt_version": "1.9.0"}, "nodes": {')


def _not_a_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("{}")


def _truncated_gzip(folder: Path) -> None:
    whole = (OTHER / "manifest.json.gz").read_bytes()
    (folder / "manifest.json.gz").write_bytes(whole[: len(whole) // 2])


def _foreign_catalog(folder: Path) -> None:
    shutil.copy(ROOT / "recce_meta" / "demo_data" / "base" / "manifest.json.gz", folder)
    shutil.copy(OTHER / "catalog.json.gz", folder)


def _a_folder_for_a_file(folder: Path) -> None:
    (folder / "manifest.json").mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        _nothing,
        _no_manifest,
        _empty,
        _truncated,
        _not_a_manifest,
        _truncated_gzip,
        _foreign_catalog,
        _a_folder_for_a_file,
    ],
)
def test_artifacts_that_cannot_be_used_leave_nothing_behind(cli: Any, damage: Callable[[Path], None]) -> None:
    (cli.folder / "target").mkdir()
    damage(cli.folder / "target")

    assert_told(cli("record", "--url", STORE), 3, "target", hint="")
    assert_told(cli("diff", "path:target", "path:other"), 3, "target")
    assert not (cli.folder / "store.duckdb").exists()


@pytest.mark.extensive
def test_a_store_that_cannot_be_read_is_left_alone(store: Any, project: Path) -> None:
    import duckdb

    file = store.folder / "store.duckdb"
    with duckdb.connect(file) as connection:
        connection.execute(
            "UPDATE recce_metadata.store SET schema_version = 99, read_version = 98, migrated_by = '9.8.7'"
        )
    remedy = "install recce_meta 9.8.7"

    for command in (
        ["runs"],
        ["show"],
        ["diff"],
        ["init"],
        ["prune", "--keep-last", "0"],
        ["lineage", "orders"],
    ):
        assert_told(store(*command), 3, "has read version 98, but recce_meta", hint=remedy)
    assert_told(
        store("record", "--target-path", project / "target", "--run-id", "x"), 3, "has read version 98"
    )
    doctor = store("doctor")
    assert doctor.code == 3 and "version 99" in doctor.out and remedy in doctor.out
    with duckdb.connect(file) as connection:
        assert connection.execute("SELECT count(*) FROM recce_metadata.runs").fetchone() == (2,)


def test_a_read_only_database_can_be_read(store: Any, project: Path) -> None:
    url = f"{STORE}?read_only=true"

    assert store("diff", "--url", url).code == 0
    written = store("record", "--target-path", project / "target", "--run-id", "x", "--url", url)

    assert_told(written, 3, "read-only mode", hint="open the file for writing")


def test_files_that_are_no_database(cli: Any) -> None:
    (cli.folder / "store.duckdb").write_text("this is not a database" * 500)

    assert_told(cli("runs", "--url", STORE), 3, "store.duckdb", hint="check host, port, path and database")
    assert_told(
        cli("init", "--url", "duckdb:///no/such/folder/x.duckdb"),
        3,
        "x.duckdb",
        hint="check host, port, path",
    )
    assert_told(cli("runs", "--url", "duckdb:///."), 3, "")


@pytest.mark.parametrize("url", ["duckdb://", "duckdb:///:memory:", "duckdb:///:memory:shop"])
def test_nothing_is_recorded_into_memory(cli: Any, project: Path, url: str) -> None:
    """It would be gone with the command that says it was recorded."""
    for command in ("init", "record"):
        options = ("--project-dir", str(project)) if command == "record" else ()
        assert_told(cli(command, "--url", url, *options), 3, "in an in-memory database", hint="use a file")
    for command in ("runs", "serve"):
        assert_told(cli(command, "--url", url), 3, "A database in memory holds no store", hint="use a file")


def test_the_doctor_says_that_nothing_is_kept_in_memory(cli: Any) -> None:
    doctor = cli("doctor", "--url", "duckdb://")

    assert doctor.code == 3 and "in an in-memory database" in doctor.out
    assert "use a file" in doctor.out


@pytest.mark.parametrize(
    ("url", "code", "message"),
    [
        ("sqlite:///x.db", 3, "SQLite file not found: x.db"),
        ("nosuch://me:hunter2secret@host/db", 2, "nosuch"),
        ("nonsense", 2, "Invalid database URL"),
        ("postgresql://me:p@ss-hunter2secret@host/db", 2, "write @ as %40"),
        ("postgresql://me:hunter2secret@host:port/db", 2, "Invalid database URL"),
    ],
)
def test_urls_that_lead_nowhere(cli: Any, url: str, code: int, message: str) -> None:
    ran = cli("runs", "--url", url)

    assert_told(ran, code, message, hint="")
    assert "hunter2secret" not in ran.err


def test_a_report_that_cannot_be_written_names_the_file(cli: Any, project: Path) -> None:
    sides = [f"path:{project / name}" for name in ("target-base", "target")]

    ran = cli("diff", *sides, "-o", "no/such/folder/diff.md")

    assert_told(ran, 3, "diff.md: No such file or directory")


def test_windows_paths_are_taken_as_they_are(cli: Any) -> None:
    ran = cli("diff", r"path:C:\shop\target-base", r"path:C:\shop\target")

    assert_told(ran, 3, r"C:\shop\target-base")


@pytest.mark.parametrize("schema", ["", "a\nb"])
def test_schemas_that_cannot_be_named(cli: Any, schema: str) -> None:
    assert_told(cli("init", "--url", STORE, "--schema", schema), 2, "Invalid identifier")


ODD = ("schéma ⟦x⟧", "select", "a.b", ":x", "'", "\\")


@pytest.mark.parametrize(
    "schema", ['Odd "na;me" 100%', *(pytest.param(name, marks=pytest.mark.extensive) for name in ODD)]
)
def test_schemas_may_have_any_other_name(cli: Any, project: Path, schema: str) -> None:
    store = cli.within(RECCE_META_URL=STORE, RECCE_META_SCHEMA=schema)

    for side, folder in (("base", "target-base"), ("current", "target")):
        assert store("record", "-e", side, "--target-path", project / folder).code == 0
    diff = store("diff")

    assert (diff.code, diff.err) == (0, "")
    assert "4 modified" in diff.out
    assert store("prune", "--keep-last", "0").out.startswith("Removed 2 runs")
    assert store("doctor").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["quality", "--sample", "1\n0"], "'1↵0' is neither a percentage"),
        (["value", "--tables", "a", "b", "--sample", "1\r\n0%"], "'1↵0%' is not a percentage"),
        (["prune", "--older-than", "3\nd"], "'3↵d' is not an age"),
        (["scan", "-e", "a\nb"], "Invalid name for an environment: 'a↵b'"),
        (["scan", "--run-id", "a\nb"], "Invalid name for a run: 'a↵b'"),
        (["doctor", "--url", "postgresql://nobody@127.0.0.1:1/x"], "Is the server running"),
        (["value", "--tables", "a", "b", "-k", "id", "--where", "v =\n nope"], ""),
        (["query-diff", "--tables", "a", "b", "select\n nope", "--base-sql", "select 1"], ""),
    ],
)
def test_no_message_holds_an_escaped_line_break(cli: Any, arguments: list[str], message: str) -> None:
    ran = cli(*arguments, *(() if "--url" in arguments else ("--url", STORE)))
    assert ran.code in (2, 3) and message in ran.out + ran.err
    assert r"\n" not in ran.out + ran.err and "this is a bug" not in ran.err


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ('threads: "four\\nfive"', "Field 'threads' is not a whole number: 'four↵five'"),
        ('type: ["duck\\ndb"]', "Field 'type' is not a string: ['duck↵db']"),
    ],
)
def test_a_profile_with_a_line_break_is_shown_without_escapes(
    cli: Any, tmp_path: Path, fields: str, message: str
) -> None:
    kind = "" if fields.startswith("type") else "type: duckdb\n      "
    text = f"shop:\n  outputs:\n    dev:\n      {kind}path: shop.duckdb\n      {fields}\n"
    (tmp_path / "profiles.yml").write_text(text, encoding="utf-8")
    ran = cli("runs", "--profiles-dir", str(tmp_path), "--profile", "shop", "--target", "dev")
    assert ran.code == 3 and message in ran.err and r"\n" not in ran.err


@pytest.mark.extensive
def test_the_markdown_of_a_check_shows_a_drivers_error_in_one_line(cli: Any, project: Path) -> None:
    for side in ("target-base", "target"):
        record = ("record", "--environment", side, "--target-path", project / side, "--url", STORE)
        assert cli(*record).code == 0
    text = "checks:\n  - {name: broken, type: query_diff, params: {sql_template: 'select nope frm x'}}\n"
    (cli.folder / "checks.yml").write_text(text, encoding="utf-8")
    sides = ("--base", "target-base", "--current", "target")
    ran = cli("check", "run", "checks.yml", "--format", "markdown", *sides, "--url", STORE)
    assert "broken" in ran.out and "&#92;n" not in ran.out and r"\n" not in ran.out, ran.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "x" * 9_000],
        ["diff", "path:" + "x/" * 2_000, "latest"],
        ["y" * 9_000],
        ["query-diff", "select 1 from nowhere as " + "z" * 9_000, "--base-sql", "select 1"],
        ["runs", "--limit", "1" * 9_000],
    ],
)
def test_a_message_has_at_most_2000_characters(store: Any, arguments: list[str]) -> None:
    ran = store(*arguments)
    assert ran.code in (2, 3)
    assert ran.err.startswith("error: ")
    assert max(map(len, ran.err.splitlines())) <= 2_000 + len("error: ")
