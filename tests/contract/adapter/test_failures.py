"""What goes wrong while statements run: where the fault is, what is tried again, and what is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import (
    ConnectionFailed,
    ConnectionLost,
    MissingRelation,
    PermissionDenied,
    QueryCancelled,
    QueryTimeout,
    SyntaxFailed,
    TransientFailure,
    WarehouseError,
)
from tests.contract.adapter.test_adapter import environment
from tests.support.line import Line

SLEEP = "SELECT pg_sleep(60), '{mark}'"
LONG = "SELECT count(*) FROM generate_series(1, 100000000000) AS n /* {mark} */"


@pytest.fixture
def duckdb() -> Iterator[UnifiedSqlAdapter]:
    with UnifiedSqlAdapter.from_url("duckdb://") as adapter:
        yield adapter


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[UnifiedSqlAdapter]:
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
        yield adapter


@pytest.fixture
def other(postgres_url: str) -> Iterator[UnifiedSqlAdapter]:
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
        yield adapter


@pytest.fixture
def mark() -> str:
    """What a statement is found by among all that the server runs."""
    return f"mark {uuid4().hex}"


def running(other: UnifiedSqlAdapter, mark: str) -> list[int]:
    """The servers that run a statement with this mark."""
    sql = (
        "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
        f" AND query LIKE '%{mark}%'"
    )
    return [pid for (pid,) in other.execute(sql)[1]]


def until(condition: Any, seconds: float = 120.0) -> None:
    """Wait for *condition*."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.05)


# --- where the fault is -------------------------------------------------------------------------------

LONG_LINE = (
    f"SELECT {', '.join(f'{n} AS a{n}' for n in range(60))}, nope, {', '.join('1' for _ in range(60))}"
)


@pytest.mark.parametrize(
    ("sql", "kind", "line", "column"),
    [
        ("SELECT 1,\n  2 FORM t x", SyntaxFailed, 2, 10),
        ("SELECT *\nFROM\n\n  nowhere", MissingRelation, 4, 3),
        ("SELECT '漢字 🦆', nope FROM (SELECT 1 AS b) AS t", MissingRelation, 1, 16),
        ("-- select\n/* a\nb */ SELEKT 1", SyntaxFailed, 3, 6),
        (f"{LONG_LINE} FROM (SELECT 1) AS t", MissingRelation, 1, LONG_LINE.index("nope") + 1),
    ],
)
def test_an_error_tells_the_line_and_the_column(
    duckdb: UnifiedSqlAdapter,
    postgres: UnifiedSqlAdapter,
    sql: str,
    kind: type[WarehouseError],
    line: int,
    column: int,
) -> None:
    for adapter in (duckdb, postgres):
        with pytest.raises(kind) as caught:
            adapter.execute(sql)

        assert (caught.value.line, caught.value.column) == (line, column), str(caught.value)
        shown, caret = (caught.value.excerpt or "").split("\n")
        assert shown in sql
        assert caret.strip() == "^"
        assert caught.value.sql == sql
        assert caught.value.message.count("^") > 0


def test_an_error_without_a_place_has_none(postgres: UnifiedSqlAdapter) -> None:
    with pytest.raises(WarehouseError) as caught:
        postgres.execute("SELECT 1 / (n - 1) FROM generate_series(1, 2) AS n")

    assert (caught.value.line, caught.value.column, caught.value.excerpt) == (None, None, None)


# --- the grant that is missing ------------------------------------------------------------------------


@pytest.fixture
def stranger(postgres_url: str, postgres: UnifiedSqlAdapter) -> Iterator[str]:
    """A role that may log in and nothing else."""
    name = f'recce "{uuid4().hex[:8]}"'
    quoted = postgres.quote_identifier(name)
    postgres.execute(f"CREATE ROLE {quoted} LOGIN PASSWORD 'hush-hush'")
    yield name
    postgres.execute(f"DROP OWNED BY {quoted}")
    postgres.execute(f"DROP ROLE {quoted}")


@contextmanager
def as_role(url: str, role: str) -> Iterator[UnifiedSqlAdapter]:
    from sqlalchemy import make_url

    given = make_url(url).set(username=role, password="hush-hush")
    with UnifiedSqlAdapter.from_url(given.render_as_string(hide_password=False)) as adapter:
        yield adapter


def test_a_right_that_is_missing_is_named_and_its_grant_gives_it(
    postgres_url: str, postgres: UnifiedSqlAdapter, stranger: str
) -> None:
    schema, new = f'it\'s "{uuid4().hex[:8]}"', f"new {uuid4().hex[:8]}"
    quoted, table = postgres.quote_identifier(schema), postgres.quote_table(schema, "t")
    made = postgres.quote_table(schema, "made")
    postgres.execute(f"CREATE SCHEMA {quoted}")
    postgres.execute(f"CREATE TABLE {table} (a INT)")
    try:
        with as_role(postgres_url, stranger) as adapter:
            for sql in (
                f"SELECT * FROM {table}",
                f"INSERT INTO {table} VALUES (1)",
                f"CREATE TABLE {made} (a INT)",
                f"CREATE SCHEMA {adapter.quote_identifier(new)}",
            ):
                with pytest.raises(PermissionDenied) as caught:
                    adapter.execute(sql)
                assert caught.value.hint is not None
                assert caught.value.code == "42501"
                if sql.startswith("INSERT"):  # as the store alone is
                    assert "recce-meta sql grants --role recorder" in caught.value.hint
                    postgres.execute(f"GRANT INSERT ON {table} TO {postgres.quote_identifier(stranger)}")
                    continue
                for grant in caught.value.hint.partition("to run: ")[2].split("; "):
                    postgres.execute(grant)
                adapter.execute(sql)
    finally:
        postgres.execute(f"DROP SCHEMA {quoted} CASCADE")
        postgres.execute(f"DROP SCHEMA IF EXISTS {postgres.quote_identifier(new)} CASCADE")


def test_duckdb_names_no_grant_but_what_shuts_the_file(tmp_path: Any) -> None:
    url = f"duckdb:///{tmp_path / 'x.duckdb'}"
    with UnifiedSqlAdapter.from_url(url) as adapter:
        adapter.execute("CREATE TABLE t (a INT)")

    with UnifiedSqlAdapter.from_url(f"{url}?read_only=true") as adapter:
        with pytest.raises(PermissionDenied, match="read-only") as caught:
            adapter.execute("CREATE SCHEMA s")
        assert "GRANT" not in str(caught.value)
        assert "read_only" in (caught.value.hint or "")


# --- stopped, and gone --------------------------------------------------------------------------------


@pytest.mark.parametrize("sql", [SLEEP, LONG])
def test_a_statement_over_its_timeout_is_gone_from_the_server(
    postgres: UnifiedSqlAdapter, other: UnifiedSqlAdapter, mark: str, sql: str
) -> None:
    with pytest.raises(QueryTimeout) as caught:
        postgres.execute_with_cancel(sql.format(mark=mark), timeout=0.5)

    assert caught.value.code == "57014"
    assert running(other, mark) == []
    assert postgres.execute("SELECT 1")[1] == [(1,)]


def test_within_a_session_the_clock_on_this_side_stops_it_and_it_is_gone(
    postgres: UnifiedSqlAdapter, other: UnifiedSqlAdapter, mark: str
) -> None:
    with pytest.raises(QueryTimeout), postgres.session():
        postgres.execute_with_cancel(LONG.format(mark=mark), timeout=0.5)

    assert running(other, mark) == []
    assert postgres.execute("SELECT 1")[1] == [(1,)]


def test_a_limit_of_the_servers_own_is_a_timeout(postgres: UnifiedSqlAdapter) -> None:
    postgres.execute("SET statement_timeout = 200")

    with pytest.raises(QueryTimeout, match="statement timeout"):
        postgres.execute("SELECT pg_sleep(60)")

    assert postgres.execute("SELECT 1")[1] == [(1,)]


def test_a_statement_that_is_cancelled_is_gone_from_the_server(
    postgres: UnifiedSqlAdapter, other: UnifiedSqlAdapter, mark: str
) -> None:
    postgres.connect()
    errors: list[BaseException] = []

    def run() -> None:
        try:
            postgres.execute(LONG.format(mark=mark))
        except WarehouseError as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: running(other, mark))
    postgres.cancel()
    thread.join(timeout=120)

    assert [type(error) for error in errors] == [QueryCancelled]
    assert running(other, mark) == []


def test_duckdb_is_free_as_soon_as_a_statement_is_over_its_timeout(duckdb: UnifiedSqlAdapter) -> None:
    duckdb.execute("CREATE TABLE t AS SELECT 1 AS a")
    started = time.monotonic()

    with pytest.raises(QueryTimeout):
        duckdb.execute_with_cancel("SELECT count(*) FROM range(1000000000000) AS t(n) WHERE sin(n) > 2", 0.5)
    assert duckdb.execute("SELECT a FROM t")[1] == [(1,)]
    assert time.monotonic() - started < 60


CHILD = """
    import signal, sys
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from recce_meta.adapter import UnifiedSqlAdapter

    with UnifiedSqlAdapter.from_url(sys.argv[1]) as adapter:
        adapter.connect()
        print("ready", flush=True)
        adapter.execute(sys.argv[2])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_the_statement_of_a_program_that_is_killed_goes_with_it(
    postgres_url: str, other: UnifiedSqlAdapter, mark: str, number: signal.Signals
) -> None:
    ((version,),) = other.execute("SELECT current_setting('server_version_num')::int")[1]
    if number == signal.SIGKILL and version < 140000:
        pytest.skip("a PostgreSQL before 14 does not look for its client")
    arguments = [sys.executable, "-c", textwrap.dedent(CHILD), postgres_url, LONG.format(mark=mark)]
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment()
    ) as child:
        until(lambda: running(other, mark), seconds=30)
        os.kill(child.pid, number)
        until(lambda: not running(other, mark), seconds=15)


# --- connections that break ---------------------------------------------------------------------------


@pytest.fixture
def line(postgres_url: str) -> Iterator[Line]:
    place = urlsplit(postgres_url)
    line = Line(place.hostname or "127.0.0.1", place.port or 5432)
    yield line
    line.close()


@pytest.fixture
def on_line(postgres_url: str, line: Line) -> Iterator[UnifiedSqlAdapter]:
    from sqlalchemy import make_url

    url = make_url(postgres_url).set(host="127.0.0.1", port=line.port)
    with UnifiedSqlAdapter.from_url(url.render_as_string(hide_password=False)) as adapter:
        yield adapter


def after(other: UnifiedSqlAdapter, mark: str, action: Any) -> threading.Thread:
    """Does *action* once, as soon as the server runs a statement with this mark."""

    def wait() -> None:
        until(lambda: running(other, mark), seconds=30)
        action()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


# Long enough to be cut, and over soon enough the second time.
READS = "SELECT count(*) FROM generate_series(1, 3000000) AS n /* {mark} */"


def test_a_line_that_is_cut_while_a_query_runs_costs_a_second_attempt(
    on_line: UnifiedSqlAdapter, other: UnifiedSqlAdapter, line: Line, mark: str
) -> None:
    on_line.connect()
    thread = after(other, mark, line.cut)

    found = on_line.execute(READS.format(mark=mark))[1]

    thread.join()
    assert found == [(3_000_000,)]
    assert line.connections == 2


@pytest.mark.parametrize("kill", [False, True])
def test_a_connection_that_breaks_while_something_is_changed_is_told_and_nothing_is_done_twice(
    on_line: UnifiedSqlAdapter, other: UnifiedSqlAdapter, line: Line, mark: str, kill: bool
) -> None:
    sequence = f"recce_{uuid4().hex[:12]}"
    other.execute(f"CREATE SEQUENCE {sequence}")
    sql = f"SELECT nextval('{sequence}'), pg_sleep(60) /* {mark} */"
    on_line.connect()

    def end() -> None:
        other.execute(f"SELECT pg_terminate_backend({running(other, mark)[0]})") if kill else line.cut()

    try:
        ((before,),) = other.execute(f"SELECT nextval('{sequence}')")[1]
        thread = after(other, mark, end)
        with pytest.raises(ConnectionLost) as caught:
            on_line.execute(sql)

        thread.join()
        until(lambda: not running(other, mark))
        assert caught.value.sql == sql
        assert caught.value.exit_code == 3
        assert "first check whether" in (caught.value.hint or "")
        assert other.execute(f"SELECT nextval('{sequence}')")[1] == [(before + 2,)]
        assert on_line.execute("SELECT 1")[1] == [(1,)]
    finally:
        other.execute(f"DROP SEQUENCE {sequence}")


def test_a_session_whose_statement_failed_is_not_called_a_success(postgres: UnifiedSqlAdapter) -> None:
    with pytest.raises(WarehouseError, match="rolled back") as caught, postgres.session() as session:
        session.execute("CREATE TEMPORARY TABLE short_lived (a INT)")
        with pytest.raises(MissingRelation):
            session.query("SELECT * FROM nowhere")

    assert caught.value.code == "25P02"
    with pytest.raises(MissingRelation):
        postgres.execute("SELECT * FROM short_lived")


def test_in_a_session_nothing_is_tried_again(
    on_line: UnifiedSqlAdapter, other: UnifiedSqlAdapter, line: Line, mark: str
) -> None:
    with pytest.raises(ConnectionLost), on_line.session():
        on_line.execute("SELECT 1")
        thread = after(other, mark, line.cut)
        on_line.execute(READS.format(mark=mark))

    thread.join()
    assert line.connections == 1
    assert on_line.execute("SELECT 1")[1] == [(1,)]


def test_a_stream_over_a_line_that_is_cut_ends_with_an_error(on_line: UnifiedSqlAdapter, line: Line) -> None:
    stream = on_line.stream("SELECT generate_series(1, 100000000) AS n", batch_rows=1000)
    next(stream)
    line.cut()

    with pytest.raises(ConnectionLost):
        for _ in stream:
            pass

    assert on_line.execute("SELECT 1")[1] == [(1,)]


def test_a_server_that_is_gone_for_good_is_told_after_the_attempts_of_the_profile(
    on_line: UnifiedSqlAdapter, line: Line
) -> None:
    on_line.execute("SELECT 1")
    line.close()

    with pytest.raises(ConnectionFailed):
        on_line.execute("SELECT 1")


# --- what passes --------------------------------------------------------------------------------------


def test_a_conflict_that_passes_is_not_seen(postgres: UnifiedSqlAdapter, other: UnifiedSqlAdapter) -> None:
    table = f"recce_{uuid4().hex[:12]}"
    other.execute(f"CREATE TABLE {table} AS SELECT 1 AS a")
    try:
        postgres.execute("SET lock_timeout = 100")
        with other.session() as session:
            session.execute(f"LOCK TABLE {table}")
            with pytest.raises(TransientFailure) as caught:
                postgres.execute(f"UPDATE {table} SET a = a + 1")
            assert caught.value.code == "55P03"

        postgres.execute("SET lock_timeout = 1000")  # so that four attempts outlast a busy machine
        holder = threading.Event()

        def hold() -> None:
            with other.session() as session:
                session.execute(f"LOCK TABLE {table}")
                holder.set()
                time.sleep(1.3)

        thread = threading.Thread(target=hold)
        thread.start()
        assert holder.wait(60)
        postgres.execute(f"UPDATE {table} SET a = a + 1")
        thread.join()
        assert other.execute(f"SELECT a FROM {table}")[1] == [(2,)]
    finally:
        other.execute(f"DROP TABLE {table}")


def test_what_would_fail_again_is_not_tried_again(
    postgres: UnifiedSqlAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)

    for sql in ("SELEKT 1", "SELECT * FROM nowhere", "SELECT 1 / 0", "SELECT CAST('a' AS INT)"):
        with pytest.raises(WarehouseError):
            postgres.execute(sql)

    assert pauses == []
