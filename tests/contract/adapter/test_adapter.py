"""What every warehouse does behind the adapter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import (
    MissingRelation,
    QueryCancelled,
    QueryTimeout,
    StoreLocked,
    SyntaxFailed,
    UsageError,
    WarehouseError,
)
from tests.spelling import Spelling, spelling_of

pytestmark = pytest.mark.emulated("snowflake", "bigquery", "redshift")

ROOT = Path(__file__).parents[3]

SLOW = {
    "duckdb": "SELECT count(*) FROM range(1000000000000) AS t(n) WHERE sin(n) > 2",
    "postgres": "SELECT pg_sleep(60)",
    "redshift": "SELECT COUNT(*) FROM pg_catalog.pg_attribute AS a, pg_catalog.pg_attribute AS b,"
    " pg_catalog.pg_attribute AS c",
    "bigquery": "SELECT SUM(a * b) FROM UNNEST(GENERATE_ARRAY(1, 1000000)) AS a"
    " CROSS JOIN UNNEST(GENERATE_ARRAY(1, 1000000)) AS b",
    "snowflake": "SELECT COUNT(*) FROM TABLE(GENERATOR(ROWCOUNT => 1000000)) AS a"
    " CROSS JOIN TABLE(GENERATOR(ROWCOUNT => 1000000)) AS b",
    "databricks": "SELECT COUNT(*) FROM range(10000000) AS a CROSS JOIN range(10000000) AS b"
    " WHERE sin(a.id + b.id) > 2",
}

AWKWARD_TEXTS = [
    "",
    " ",
    "null",
    "NULL",
    r"\N",
    "00123",
    "1e5",
    "true",
    "2026-01-01",
    'it\'s "quoted" `so`',
    r"back\slash \n \u0041 \u0000",
    "tab\tline\nreturn\rend",
    "100% of :name and $1 and ? and {{ ref('x') }}",
    "naïve 漢字 🦆 \u2028",
    "[1, 2]",
    '{"a": 1}',
    "a,b;c|d",
]

TYPES = {
    "number": "bigint",
    "small": "double precision",
    "flag": "boolean",
    "body": "text",
    "moment": "timestamptz",
}
COLUMNS = ("number", "small", "flag", "body", "payload", "moment")


@pytest.fixture
def table(backend: Any, adapter: UnifiedSqlAdapter, schema: str) -> str:
    """An empty table with a column of every kind that the store has."""
    name = adapter.quote_table(schema, "things")
    create(adapter, name, backend.spelling)
    return name


def create(adapter: UnifiedSqlAdapter, table: str, spelling: Spelling) -> None:
    types = {**TYPES, "payload": spelling.kept_json}
    spelling.create_table(adapter, table, {column: types[column] for column in COLUMNS})


@pytest.fixture
def transactions(adapter: UnifiedSqlAdapter) -> None:
    """Skips where each statement stands for itself."""
    if not adapter.warehouse.has_transactions:
        pytest.skip(f"{adapter.warehouse.name} has no transactions")


def read(adapter: UnifiedSqlAdapter, table: str) -> list[tuple[Any, ...]]:
    with adapter.session() as session:
        return session.query(f"SELECT {', '.join(COLUMNS)} FROM {table} ORDER BY number")


def insert(adapter: UnifiedSqlAdapter, table: str, rows: list[tuple[Any, ...]]) -> None:
    with adapter.session() as session:
        session.insert_rows(table, COLUMNS, rows)


def body_row(number: int, body: str | None) -> tuple[Any, ...]:
    return (number, None, None, body, None, None)


# --- the user's SQL ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "row"),
    [
        ("SELECT '100%', 7 % 4", ("100%", 3)),
        ("SELECT '%s', '%(name)s', '%%'", ("%s", "%(name)s", "%%")),
        ("SELECT ':name', '12:30:00', '(?:x)'", (":name", "12:30:00", "(?:x)")),
        ("SELECT '5'::int, CAST('6' AS int)", (5, 6)),
        ("SELECT '?', '$1', '{}'", ("?", "$1", "{}")),
        ("""SELECT '{"a": {"b": "c"}}'::json -> 'a' ->> 'b'""", ("c",)),
        ("SELECT 1 -- a comment; with a semicolon\n", (1,)),
        ("/* first; */ SELECT ';' /* last; */", (";",)),
        ("SELECT $$ dollar; quoted $$", (" dollar; quoted ",)),
        ("SELECT 'it''s; fine';", ("it's; fine",)),
        ("SELECT 2 ; -- done\n", (2,)),
        ("SELECT 'back\\slash'", ("back\\slash",)),
        ("SELECT '漢字 🦆'", ("漢字 🦆",)),
    ],
)
def test_any_text_of_one_statement_arrives_unchanged(
    adapter: UnifiedSqlAdapter, sql: str, row: tuple[Any, ...]
) -> None:
    _, rows = adapter.execute(sql)

    assert rows == [row]


def test_columns_keep_their_names_even_when_two_are_the_same(adapter: UnifiedSqlAdapter) -> None:
    mixed, dotted = map(adapter.quote_identifier, ("Mixed Case", "a.b"))
    columns, rows = adapter.execute(f"SELECT 1 AS {mixed}, 2 AS a, 3 AS a, 4 AS {dotted}")

    assert columns == ["Mixed Case", "a", "a", "a.b"]
    assert rows == [(1, 2, 3, 4)]


def test_json_comes_back_as_values_from_execute_and_as_the_stored_text_in_sessions(
    adapter: UnifiedSqlAdapter, table: str
) -> None:
    insert(adapter, table, [(1, None, None, None, '{"b":  1, "a": [1.0, null]}', None)])
    sql = f"SELECT payload FROM {table}"

    assert adapter.execute(sql)[1] == [({"b": 1, "a": [1.0, None]},)]
    assert adapter.answer(sql) == [('{"b":  1, "a": [1.0, null]}',)]
    with adapter.session() as session:
        assert session.query(sql) == [('{"b":  1, "a": [1.0, null]}',)]


@pytest.mark.parametrize(
    "sql", ["SELECT 1; SELECT 2", "SELECT 1; SELECT 2;", "DROP TABLE x; -- a\nSELECT ';'"]
)
def test_several_statements_are_refused(adapter: UnifiedSqlAdapter, sql: str) -> None:
    with pytest.raises(UsageError, match="several statements"):
        adapter.execute(sql)


@pytest.mark.parametrize("sql", ["", "  \n", ";", " ; "])
def test_no_statement_is_refused(adapter: UnifiedSqlAdapter, sql: str) -> None:
    with pytest.raises(UsageError, match="No SQL to run"):
        adapter.execute(sql)


def test_what_execute_writes_is_kept(backend: Any, adapter: UnifiedSqlAdapter, table: str) -> None:
    adapter.execute(f"INSERT INTO {table} (number) VALUES (1)")
    if backend.name == "duckdb":
        adapter.close()

    with backend.connect() as other:
        assert other.execute(f"SELECT number FROM {table}")[1] == [(1,)]


# --- identifiers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["a b", 'say "hi"', "it's", "select", "Ünï", "a.b", "back\\slash", "`x`", "100%"]
)
def test_a_quoted_name_names_what_it_says(adapter: UnifiedSqlAdapter, schema: str, name: str) -> None:
    table = adapter.quote_table(schema, name)
    adapter.execute(f"CREATE TABLE {table} AS SELECT 1 AS {adapter.quote_identifier(name)}")

    columns, rows = adapter.execute(f"SELECT * FROM {table}")

    assert columns == [name]
    assert rows == [(1,)]


def test_a_table_can_be_named_with_its_database(adapter: UnifiedSqlAdapter, schema: str) -> None:
    assert adapter.database is not None
    table = adapter.quote_table(schema, "t", adapter.database)

    adapter.execute(f"CREATE TABLE {table} AS SELECT 1 AS a")

    assert adapter.execute(f"SELECT * FROM {table}")[1] == [(1,)]


@pytest.mark.parametrize("name", ["", "a\nb", "a\0b", "\x7f"])
def test_what_cannot_be_a_name_is_refused(adapter: UnifiedSqlAdapter, name: str) -> None:
    with pytest.raises(UsageError, match="Invalid identifier"):
        adapter.quote_identifier(name)


# --- sessions ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("transactions")
def test_a_session_keeps_everything_or_nothing(adapter: UnifiedSqlAdapter, table: str) -> None:
    with pytest.raises(RuntimeError, match="stop here"), adapter.session() as session:
        session.execute(f"INSERT INTO {table} (number) VALUES (1)")
        session.insert_rows(table, COLUMNS, [body_row(2, "x")])
        raise RuntimeError("stop here")
    assert read(adapter, table) == []

    with adapter.session() as session:
        session.execute(f"INSERT INTO {table} (number) VALUES (:n)", {"n": 3})
    assert [row[0] for row in read(adapter, table)] == [3]


@pytest.mark.usefixtures("transactions")
def test_a_table_made_in_a_session_that_fails_is_gone(adapter: UnifiedSqlAdapter, schema: str) -> None:
    name = adapter.quote_table(schema, "short_lived")
    with pytest.raises(MissingRelation), adapter.session() as session:
        session.execute(f"CREATE TABLE {name} (a INTEGER)")
        session.query("SELECT * FROM no_such_table_anywhere")

    with pytest.raises(MissingRelation):
        adapter.execute(f"SELECT * FROM {name}")


def test_after_an_error_in_a_session_the_adapter_works_on(adapter: UnifiedSqlAdapter) -> None:
    with pytest.raises(WarehouseError), adapter.session() as session:
        session.query("SELECT * FROM no_such_table_anywhere")

    assert adapter.execute("SELECT 1")[1] == [(1,)]


def test_a_commit_that_is_refused_is_told_and_the_adapter_works_on(postgres_url: str) -> None:
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
        with pytest.raises(WarehouseError, match="duplicate key") as caught, adapter.session() as session:
            session.execute("CREATE TEMPORARY TABLE late (n INT UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            session.execute("INSERT INTO late VALUES (1), (1)")

        assert caught.value.sql == "COMMIT"
        with adapter.session() as session:
            assert session.query("SELECT 1") == [(1,)]


def test_a_connection_that_is_cut_is_told_and_the_adapter_works_on(postgres_url: str) -> None:
    cut = "SELECT pg_terminate_backend(pg_backend_pid())"
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
        with pytest.raises(WarehouseError, match="terminating conn") as caught, adapter.session() as session:
            session.query(cut)

        assert caught.value.sql == cut
        with adapter.session() as session:
            assert session.query("SELECT 1") == [(1,)]


@pytest.mark.usefixtures("transactions")
def test_users_sql_within_a_session_is_part_of_it(adapter: UnifiedSqlAdapter, table: str) -> None:
    with pytest.raises(RuntimeError), adapter.session():
        adapter.execute(f"INSERT INTO {table} (number) VALUES (1)")
        raise RuntimeError

    assert read(adapter, table) == []


def test_sessions_do_not_nest(adapter: UnifiedSqlAdapter) -> None:
    with adapter.session(), pytest.raises(UsageError, match="already open"), adapter.session():
        pass  # pragma: no cover


def test_parameters_arrive_as_they_are(backend: Any, adapter: UnifiedSqlAdapter) -> None:
    sql = f"SELECT CAST(:text AS {backend.spelling.type('text')})"
    with adapter.session() as session:
        for text in AWKWARD_TEXTS:
            assert session.query(sql, {"text": text}) == [(text,)]


def test_a_closed_adapter_opens_again_when_it_is_used(adapter: UnifiedSqlAdapter) -> None:
    adapter.execute("SELECT 1")
    adapter.close()
    adapter.close()

    assert adapter.execute("SELECT 2")[1] == [(2,)]


# --- rows in bulk -----------------------------------------------------------------------------------


def test_texts_come_back_to_the_character(adapter: UnifiedSqlAdapter, table: str) -> None:
    rows = [body_row(number, text) for number, text in enumerate([*AWKWARD_TEXTS, None])]

    insert(adapter, table, rows)

    assert read(adapter, table) == rows


def test_every_kind_of_value_comes_back(adapter: UnifiedSqlAdapter, table: str) -> None:
    moment = datetime(2026, 11, 20, 8, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    rows = [
        (-(2**63), 0.1 + 0.2, True, "x", "null", moment),
        (0, -1e300, False, "", '"text"', datetime(1970, 1, 1, tzinfo=timezone.utc)),
        (1, float("inf"), None, None, "[]", None),
        (2**63 - 1, None, None, None, None, None),
    ]

    insert(adapter, table, rows)

    assert read(adapter, table) == rows


def test_a_null_differs_from_the_json_null(adapter: UnifiedSqlAdapter, table: str) -> None:
    insert(adapter, table, [(1, None, None, None, "null", None), (2, None, None, None, None, None)])

    assert adapter.execute(f"SELECT number FROM {table} WHERE payload IS NULL")[1] == [(2,)]


def test_times_come_back_aware_and_in_utc(backend: Any, adapter: UnifiedSqlAdapter, table: str) -> None:
    local = datetime(2026, 7, 1, 12, 0, tzinfo=timezone(timedelta(hours=-7)))
    insert(adapter, table, [(1, None, None, None, None, local)])

    (row,) = read(adapter, table)

    assert row[5] == local
    assert row[5].utcoffset() == timedelta(0)
    moment = backend.spelling.literal(datetime(2026, 1, 1, tzinfo=timezone.utc), "timestamptz")
    ((text,),) = adapter.execute(f"SELECT CAST({moment} AS {backend.spelling.type('text')})")[1]
    assert text.startswith("2026-01-01 00:00:00")


def test_a_megabyte_of_text_in_one_row_comes_back(adapter: UnifiedSqlAdapter, table: str) -> None:
    big = ("select 'it''s' -- ü\n\\" * 60_000)[:1_000_000]
    rows = [body_row(1, "small"), body_row(2, big), body_row(3, "x" * 20_000_000)]

    insert(adapter, table, rows)

    assert read(adapter, table) == rows


def test_more_rows_than_fit_one_batch_arrive_once_each(adapter: UnifiedSqlAdapter, table: str) -> None:
    rows = [body_row(number, "x" * 9_000) for number in range(4_000)]

    insert(adapter, table, rows)

    count = f"SELECT count(*), count(DISTINCT number), sum(length(body)) FROM {table}"
    assert adapter.execute(count)[1] == [(4_000, 4_000, 36_000_000)]


def test_rows_may_come_from_a_generator_and_may_be_none_at_all(
    adapter: UnifiedSqlAdapter, table: str
) -> None:
    with adapter.session() as session:
        session.insert_rows(table, COLUMNS, (body_row(number, None) for number in range(3)))
        session.insert_rows(table, COLUMNS, [])

    assert len(read(adapter, table)) == 3


@pytest.mark.parametrize("text", ["a\0b", "\0"])
def test_a_text_with_nul_is_refused_with_its_column(
    adapter: UnifiedSqlAdapter, table: str, text: str
) -> None:
    with pytest.raises(WarehouseError, match=r"column 'body' .* NUL"):
        insert(adapter, table, [body_row(1, "fine"), body_row(2, text)])

    assert read(adapter, table) == []


def test_a_text_with_half_a_surrogate_pair_is_refused(adapter: UnifiedSqlAdapter, table: str) -> None:
    with pytest.raises(WarehouseError, match="Invalid Unicode in a string"):
        insert(adapter, table, [body_row(1, "half \ud800")])

    assert read(adapter, table) == []


def test_a_row_with_too_few_values_is_refused(adapter: UnifiedSqlAdapter, table: str) -> None:
    with pytest.raises((ValueError, WarehouseError)):
        insert(adapter, table, [(1, None)])

    assert read(adapter, table) == []


@pytest.mark.usefixtures("transactions")
def test_a_generator_that_fails_leaves_nothing_behind(adapter: UnifiedSqlAdapter, table: str) -> None:
    def rows() -> Any:
        yield body_row(1, "x")
        raise RuntimeError("the source is damaged")

    with pytest.raises(RuntimeError, match="damaged"), adapter.session() as session:
        session.insert_rows(table, COLUMNS, rows())

    assert read(adapter, table) == []


# --- errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT * FROM no_such_table", MissingRelation),
        ("SELECT * FROM no_such_schema.no_such_table", MissingRelation),
        ("SELECT no_such_column FROM (SELECT 1 AS a) AS t", MissingRelation),
        ("SELEKT 1", SyntaxFailed),
    ],
)
def test_an_error_is_of_our_kind_and_carries_its_statement(
    adapter: UnifiedSqlAdapter, sql: str, kind: type[WarehouseError]
) -> None:
    with pytest.raises(kind) as caught:
        adapter.execute(sql)

    assert caught.value.sql == sql
    assert caught.value.code
    assert caught.value.exit_code == 3
    assert "sqlalche.me" not in str(caught.value)


def test_an_unforeseen_error_is_ours_all_the_same(adapter: UnifiedSqlAdapter) -> None:
    with pytest.raises(WarehouseError) as caught:
        adapter.execute("SELECT CAST('abc' AS INTEGER)")

    assert type(caught.value) is WarehouseError
    assert "abc" in caught.value.message
    assert caught.value.__cause__ is not None


# --- stopping ---------------------------------------------------------------------------------------


def test_a_statement_is_stopped_at_its_timeout_and_the_connection_lives_on(
    backend: Any, adapter: UnifiedSqlAdapter
) -> None:
    started = time.monotonic()

    with pytest.raises(QueryTimeout, match=r"after 0\.5 s"):
        adapter.execute_with_cancel(SLOW[backend.name], timeout=0.5)

    assert 0.5 <= time.monotonic() - started < 40
    assert adapter.execute_with_cancel("SELECT 1", timeout=30)[1] == [(1,)]
    with adapter.session() as session:
        assert session.query("SELECT 2") == [(2,)]


@pytest.mark.usefixtures("transactions")
def test_a_timeout_within_a_session_undoes_the_session(
    backend: Any, adapter: UnifiedSqlAdapter, table: str
) -> None:
    with pytest.raises(QueryTimeout), adapter.session() as session:
        session.execute(f"INSERT INTO {table} (number) VALUES (1)")
        adapter.execute_with_cancel(SLOW[backend.name], timeout=0.3)

    assert read(adapter, table) == []


def test_another_thread_can_stop_a_statement(backend: Any, adapter: UnifiedSqlAdapter) -> None:
    adapter.execute("SELECT 1")
    timer = threading.Timer(0.5, adapter.cancel)
    timer.start()

    with pytest.raises(QueryCancelled):
        adapter.execute(SLOW[backend.name])

    timer.join()
    assert adapter.execute("SELECT 1")[1] == [(1,)]


def test_a_timeout_that_is_not_reached_changes_nothing(adapter: UnifiedSqlAdapter) -> None:
    assert adapter.execute_with_cancel("SELECT 1", timeout=60)[1] == [(1,)]


def test_a_timeout_of_nothing_is_refused(adapter: UnifiedSqlAdapter) -> None:
    with pytest.raises(UsageError, match="must be greater than 0 seconds"):
        adapter.execute_with_cancel("SELECT 1", timeout=0)


INTERRUPTED = """
    import signal, sys, time
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may start children deaf to it
    from recce_meta.adapter import UnifiedSqlAdapter

    url, sql, way = sys.argv[1:]
    with UnifiedSqlAdapter.from_url(url) as adapter:
        adapter.execute("SELECT 1")
        started = time.monotonic()
        try:
            print("ready", flush=True)
            if way == "execute":
                adapter.execute(sql)
            else:
                with adapter.session() as session:
                    session.query(sql)
        except KeyboardInterrupt:
            print("interrupted", time.monotonic() - started < 40, flush=True)
        print(adapter.execute("SELECT 2")[1], flush=True)
"""


@pytest.mark.extensive
@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
@pytest.mark.parametrize("way", ["execute", "session"])
def test_ctrl_c_stops_the_statement_and_the_connection_lives_on(backend: Any, way: str) -> None:
    arguments = [sys.executable, "-c", textwrap.dedent(INTERRUPTED), backend.url, SLOW[backend.name], way]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.7)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)

    assert out == "interrupted True\n[(2,)]\n", err


# --- a locked file ----------------------------------------------------------------------------------

HOLDER = """
    import sys, time
    from recce_meta.adapter import UnifiedSqlAdapter

    with UnifiedSqlAdapter.from_url(sys.argv[1]) as adapter:
        adapter.execute("SELECT 1")
        print("held", flush=True)
        sys.stdin.readline()
"""


@pytest.fixture
def duckdb_url(tmp_path: Path) -> str:
    return f"duckdb:///{tmp_path / 'locked.duckdb'}"


@pytest.fixture
def holder(duckdb_url: str) -> Any:
    """A process that holds the file until a line is written to it."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDER), duckdb_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.communicate("\n")


def test_a_file_that_stays_locked_is_reported_with_its_holder(duckdb_url: str, holder: Any) -> None:
    waits: list[str] = []
    adapter = UnifiedSqlAdapter.from_url(duckdb_url, lock_timeout=0.5, on_wait=waits.append)

    with pytest.raises(StoreLocked) as caught:
        adapter.execute("SELECT 1")

    assert len(waits) == 1
    assert str(holder.pid) in caught.value.message
    assert "--lock-timeout" in (caught.value.hint or "")
    assert caught.value.retriable


@pytest.mark.extensive
def test_a_file_that_is_released_in_time_is_opened(duckdb_url: str, holder: Any) -> None:
    waits: list[str] = []
    timer = threading.Timer(0.7, lambda: holder.stdin.write("\n") and holder.stdin.flush())
    timer.start()

    with UnifiedSqlAdapter.from_url(duckdb_url, lock_timeout=30, on_wait=waits.append) as adapter:
        assert adapter.execute("SELECT 1")[1] == [(1,)]

    timer.join()
    assert len(waits) == 1


def test_closing_releases_the_file_at_once(duckdb_url: str) -> None:
    with UnifiedSqlAdapter.from_url(duckdb_url) as adapter:
        adapter.execute("CREATE TABLE t AS SELECT 1 AS a")
    read = "import sys, duckdb; print(duckdb.connect(sys.argv[1]).execute('FROM t').fetchall())"

    done = subprocess.run(
        [sys.executable, "-c", read, duckdb_url.removeprefix("duckdb:///")], capture_output=True, text=True
    )

    assert done.stdout == "[(1,)]\n", done.stderr


# --- DuckDB's own -----------------------------------------------------------------------------------


def test_a_new_file_has_the_oldest_storage_version(duckdb_url: str) -> None:
    with UnifiedSqlAdapter.from_url(duckdb_url) as adapter:
        adapter.execute("CREATE TABLE t AS SELECT 1 AS a")

    path = Path(duckdb_url.removeprefix("duckdb:///"))
    header = path.read_bytes()[:20]

    assert list(path.parent.iterdir()) == [path]
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") == 64  # what DuckDB 0.10 to 1.1 write, and all 1.x read


def test_a_new_file_has_that_version_where_there_are_no_hard_links(
    duckdb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(source: object, target: object) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr("os.link", no_link)
    with UnifiedSqlAdapter.from_url(duckdb_url) as adapter:
        adapter.execute("SELECT 1")

    path = Path(duckdb_url.removeprefix("duckdb:///"))
    assert int.from_bytes(path.read_bytes()[12:20], "little") == 64
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.extensive
def test_several_processes_may_create_one_file_at_once(duckdb_url: str) -> None:
    code = """
        import sys
        from recce_meta.adapter import UnifiedSqlAdapter

        with UnifiedSqlAdapter.from_url(sys.argv[1]) as adapter:
            adapter.execute("CREATE TABLE IF NOT EXISTS t (a INTEGER)")
            adapter.execute("INSERT INTO t VALUES (1)")
    """
    arguments = [sys.executable, "-c", textwrap.dedent(code), duckdb_url]
    processes = [subprocess.Popen(arguments, env=environment()) for _ in range(3)]

    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    with UnifiedSqlAdapter.from_url(duckdb_url) as adapter:
        assert adapter.execute("SELECT count(*) FROM t")[1] == [(3,)]


def test_rows_go_in_where_the_profile_shuts_duckdb_off_from_files(duckdb_url: str) -> None:
    rows = [body_row(number, text) for number, text in enumerate([*AWKWARD_TEXTS, None])]
    with UnifiedSqlAdapter.from_url(duckdb_url + "?enable_external_access=false") as adapter:
        create(adapter, "t", spelling_of("duckdb"))
        insert(adapter, "t", rows)

        assert read(adapter, "t") == rows


def test_a_full_disk_is_told_at_once_and_the_adapter_works_on(duckdb_url: str) -> None:
    code = """
        import resource, sys
        from recce_meta.adapter import UnifiedSqlAdapter
        from recce_meta.errors import TransientFailure, WarehouseError

        with UnifiedSqlAdapter.from_url(sys.argv[1]) as adapter:
            adapter.execute("CREATE TABLE t (a VARCHAR)")
            resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, resource.RLIM_INFINITY))
            try:
                with adapter.session() as session:
                    session.execute("INSERT INTO t SELECT repeat(md5(range::VARCHAR), 100) FROM range(3000)")
            except WarehouseError as error:
                print(isinstance(error, TransientFailure), "Could not write" in error.message)
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            with adapter.session() as session:
                print(session.query("SELECT COUNT(*) FROM t"))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), duckdb_url],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
    )

    assert (done.stdout, done.returncode) == ("False True\n[(0,)]\n", 0), done.stderr


def test_no_temporary_file_is_left(duckdb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch [*] it's"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    with UnifiedSqlAdapter.from_url(duckdb_url) as adapter:
        create(adapter, "t", spelling_of("duckdb"))
        insert(adapter, "t", [body_row(1, "x")])
        with pytest.raises(WarehouseError):
            insert(adapter, "t", [("not a number", None, None, None, None, None)])

        assert [row[0] for row in read(adapter, "t")] == [1]
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("url", ["duckdb://", "duckdb:///:memory:"])
def test_duckdb_in_memory_needs_no_file(url: str) -> None:
    with UnifiedSqlAdapter.from_url(url) as adapter:
        adapter.execute("CREATE TABLE t AS SELECT 1 AS a")
        assert adapter.execute("SELECT * FROM t")[1] == [(1,)]


def test_a_relative_path_is_found_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with UnifiedSqlAdapter.from_url("duckdb:///here it's.duckdb") as adapter:
        adapter.execute("SELECT 1")

    assert (tmp_path / "here it's.duckdb").is_file()


def test_decimals_keep_their_digits(adapter: UnifiedSqlAdapter) -> None:
    assert adapter.execute("SELECT CAST('1234567890.12345' AS DECIMAL(20, 5))")[1] == [
        (Decimal("1234567890.12345"),)
    ]


def environment() -> dict[str, str]:
    """The environment of a child that imports recce_meta as this process does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
