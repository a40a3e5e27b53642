"""`query`: a user's read-only statement on the store, in every format."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from recce_meta.store import sql_files
from tests.e2e.conftest import Cli, ProcessCli


@pytest.fixture(params=["duckdb", "postgres"], scope="module")
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _recorded: Any
) -> Iterator[Any]:
    """The command on a store with two runs, in a schema whose name needs quotes."""
    if request.param == "duckdb":
        url, schema = "duckdb:///store.duckdb", f'Meta, "{uuid4().hex[:8]}"'
    else:
        url, schema = request.getfixturevalue("postgres_url"), f'Meta, "{uuid4().hex[:8]}" 100%'
    cli = Cli(tmp_path_factory.mktemp("query")).within(RECCE_META_URL=url, RECCE_META_SCHEMA=schema)
    for side in ("base", "current"):
        ran = cli("record", "-e", side, "--target-path", _recorded.parent / side)
        assert ran.code == 0, ran.err
    yield cli
    if request.param == "postgres":
        _drop(url, schema)


def test_names_without_a_schema_are_those_of_the_store(filled: Any) -> None:
    ran = filled("query", "select environment, node_count from runs order by 1")

    assert ran.code == 0, ran.err
    assert ran.out.splitlines() == [
        "  environment  node_count",
        "  base                 35",
        "  current              40",
        "2 rows",
    ]


@pytest.mark.extensive
def test_every_question_of_the_cookbook_runs(filled: Any) -> None:
    for file in sql_files.cookbook("duckdb"):
        ran = filled("query", "--cookbook", file.name, "--format", "json")
        assert ran.code == 0, (file.name, ran.err)
        assert json.loads(ran.out)["is_complete"] is True


def test_json_csv_and_tsv_hold_every_row_and_a_table_says_what_it_leaves_out(filled: Any) -> None:
    statement = "select unique_id, tags from nodes order by run_id, unique_id"
    document = json.loads(filled("query", statement, "--format", "json").out)
    assert document["columns"] == ["unique_id", "tags"]
    assert len(document["rows"]) == 75
    assert {type(row["tags"]) for row in document["rows"]} == {list}
    for style, separator in (("csv", ","), ("tsv", "\t")):
        text = filled("query", statement, "--format", style).out
        header, *rows = csv.reader(io.StringIO(text), delimiter=separator)
        assert header == ["unique_id", "tags"]
        assert [{"unique_id": row[0], "tags": json.loads(row[1])} for row in rows] == document["rows"]

    cut = filled("query", statement, "-n", "2")
    assert cut.out.splitlines()[-1] == "First 2 rows. There are more: --limit 0 shows all"
    assert filled("query", statement, "-n", "75").out.splitlines()[-1] == "75 rows"
    assert filled("query", statement, "--limit", "0").out.splitlines()[-1] == "75 rows"
    assert json.loads(filled("query", statement, "-n", "2", "--format", "json").out)["is_complete"] is False
    assert filled("query", statement, "-n", "1", "--format", "markdown").out.startswith(
        "| unique_id | tags |\n| --- | --- |\n| `"
    )


def test_text_is_sent_as_it_is(filled: Any) -> None:
    statement = "select '100%' as a, ':x' as b, '{{ y }}' as c, 5 % 3 as d, null as e, '' as f, 1 as a;  -- ;"
    document = json.loads(filled("query", statement, "--format", "json").out)

    assert document["columns"] == ["a", "b", "c", "d", "e", "f", "a_2"]
    assert document["rows"] == [
        {"a": "100%", "b": ":x", "c": "{{ y }}", "d": 2, "e": None, "f": "", "a_2": 1}
    ]
    assert filled("query", statement, "--format", "csv").out == 'a,b,c,d,e,f,a\n100%,:x,{{ y }},2,,"",1\n'


@pytest.mark.extensive
def test_a_statement_comes_from_standard_input_or_a_file_and_goes_to_a_file(filled: Any) -> None:
    cli = ProcessCli(filled.folder, filled.environ)  # a process of its own has a standard input
    (cli.folder / "count.sql").write_text("-- how many\nselect count(*) as runs from runs;\n")

    for argument, given in (("-", "select count(*) as runs from runs"), ("@count.sql", None)):
        ran = cli("query", argument, "--format", "csv", "-o", "out.csv", input=given)
        assert (ran.code, ran.out, ran.err) == (0, "", "")
        assert (cli.folder / "out.csv").read_text() == "runs\n2\n"


def test_no_rows_are_an_answer(filled: Any) -> None:
    statement = "select run_id, branch from runs where 1 = 0"
    assert filled("query", statement).out.splitlines() == ["  run_id  branch", "0 rows"]
    assert json.loads(filled("query", statement, "--format", "json").out)["rows"] == []
    assert filled("query", statement, "--format", "csv").out == "run_id,branch\n"


REFUSED = {
    "insert into runs select * from runs": "Not a query: the statement begins with 'INSERT'",
    "with gone as (delete from runs returning 1) select * from gone": "the statement contains DELETE",
    "select * into copied from runs": "the statement contains INTO",
    "select * from runs for update": "the statement contains UPDATE",
    "copy runs to 'x'": "Not a query: the statement begins with 'COPY'",
    "attach 'x' as y": "Not a query: the statement begins with 'ATTACH'",
    "select 1; drop table runs": "The SQL contains several statements",
    "select nextval('x')": "Function 'nextval' is refused",
    "": "No SQL to run",
}


@pytest.mark.cases(5)
@pytest.mark.parametrize("statement", REFUSED)
def test_only_one_query_is_run(filled: Any, statement: str) -> None:
    ran = filled("query", statement)

    assert (ran.code, ran.out) == (2, "")
    assert REFUSED[statement] in ran.err


def test_a_function_that_writes_meets_a_read_only_transaction(
    cli: Any, postgres_url: str, _recorded: Any
) -> None:
    import psycopg
    from psycopg import sql

    schema = f"meta_{uuid4().hex[:8]}"
    cli = cli.within(RECCE_META_URL=postgres_url, RECCE_META_SCHEMA=schema)
    assert cli("record", "--target-path", _recorded.parent / "base").code == 0
    with psycopg.connect(postgres_url, autocommit=True) as server:
        name = sql.Identifier(schema)
        server.execute(
            sql.SQL(
                "CREATE FUNCTION {}.wipe() RETURNS int LANGUAGE sql"
                " AS 'UPDATE {}.store SET schema_version = 0 RETURNING 1'"
            ).format(name, name)
        )
        ran = cli("query", "select wipe()")
        server.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(name))

    assert ran.code == 3
    assert "cannot execute UPDATE in a read-only transaction" in ran.err


def test_wrong_usage_names_the_way_out(filled: Any) -> None:
    assert "  failing_tests " in filled("query").out
    assert "Tests: coverage_by_schema, failed_rows," in " ".join(filled("query", "--help").out.split())
    assert "--cookbook cannot be combined with SQL" in filled("query", "select 1", "--cookbook", "x").err
    unknown = filled("query", "--cookbook", "orphan_sourcez")
    assert (unknown.code, "did you mean 'orphan_sources'" in unknown.err) == (2, True)
    assert "hint: recce-meta query --cookbook failing_tests" in filled("query", "failing_tests").err
    missing = filled("query", "select * from no_such_view")
    assert (missing.code, "no_such_view" in missing.err) == (3, True)
    nowhere = filled("query", "select 1", "--schema", "no_such_schema")
    assert (nowhere.code, nowhere.out) == (3, "")
    assert "No store found in schema 'no_such_schema'" in nowhere.err


def test_a_question_says_how_to_edit_it(filled: Any) -> None:
    ran = filled("query", "--cookbook", "downstream_of_a_source", "-n", "1")
    assert "recce-meta sql cookbook --name downstream_of_a_source" in ran.err
    assert filled("query", "--cookbook", "storage_used").err == ""


def test_the_budget_stops_the_query(cli: Any, postgres_url: str, _recorded: Any) -> None:
    schema = f"meta_{uuid4().hex[:8]}"
    cli = cli.within(RECCE_META_URL=postgres_url, RECCE_META_SCHEMA=schema)
    assert cli("init").code == 0
    started = time.monotonic()
    ran = cli("query", "select pg_sleep(60)", "--budget", "0.5")
    cli_seconds = time.monotonic() - started
    _drop(postgres_url, schema)

    assert (ran.code, cli_seconds < 50) == (3, True)
    assert "Query stopped after 0.5 s" in ran.err


@pytest.mark.extensive
def test_interrupting_cancels_the_query_in_the_warehouse(cli: Any, postgres_url: str) -> None:
    import psycopg

    schema = f"meta_{uuid4().hex[:8]}"
    cli = cli.within(RECCE_META_URL=postgres_url, RECCE_META_SCHEMA=schema)
    assert cli("init").code == 0
    mark = uuid4().hex
    running = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND application_name = %s"
    command = [*cli.argv, "query", "select pg_sleep(60)", "--url", f"{postgres_url}?application_name={mark}"]
    with (
        psycopg.connect(postgres_url, autocommit=True) as server,
        subprocess.Popen(command, cwd=cli.folder, env=cli.variables, stderr=subprocess.PIPE) as process,
    ):

        def is_running() -> bool:
            return server.execute(running, (mark,)).fetchone() != (0,)

        _wait_for(is_running)
        process.send_signal(signal.SIGINT)
        assert process.wait(120) == 130
        _wait_for(lambda: not is_running())
    _drop(postgres_url, schema)


def _wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def _drop(url: str, schema: str) -> None:
    import psycopg
    from psycopg import sql

    with psycopg.connect(url, autocommit=True) as server:
        server.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


def test_a_duckdb_file_without_write_permission_is_read(store: Any) -> None:
    file = store.folder / "store.duckdb"
    before = file.read_bytes()
    os.chmod(file, 0o444)

    ran = store("query", "select count(*) as runs from runs", "--format", "csv")

    assert (ran.code, ran.out) == (0, "runs\n2\n"), ran.err
    assert file.read_bytes() == before


def test_sql_takes_its_dialect_from_the_connection(cli: Any) -> None:
    (cli.folder / "profiles.yml").write_text(
        "shop: {target: prod, outputs: {prod: {type: databricks, host: h, http_path: p, schema: s, token: t,"
        " catalog: main}}}\n"
    )
    own = cli("sql", "views", "--name", "latest_runs", "--profile", "shop")
    assert own.out == cli("sql", "views", "--name", "latest_runs", "--dialect", "databricks").out
    by_url = cli("sql", "views", "--name", "latest_runs", "--url", "bigquery://p/d")
    assert by_url.out == cli("sql", "views", "--name", "latest_runs", "--dialect", "bigquery").out
    grants = cli("sql", "grants", "--role", "reader", "--profile", "shop")
    assert "GRANT USE CATALOG ON CATALOG `main` TO `recce_reader`;" in grants.out
    (cli.folder / "profiles.yml").unlink()
    without = cli("sql", "views", "--name", "latest_runs")
    assert without.out == cli("sql", "views", "--name", "latest_runs", "--dialect", "duckdb").out
    assert "this is DuckDB's SQL; --dialect chooses another" in without.err
