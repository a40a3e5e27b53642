"""Results that are read some rows at a time."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from typing import Any

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import MissingRelation, QueryCancelled, SyntaxFailed, UsageError, WarehouseError
from tests.contract.adapter.test_adapter import environment
from tests.contract.conftest import Backend

THREE = "SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 ORDER BY n"
ENDLESS = {
    "duckdb": "SELECT range AS n FROM range(1000000000000) -- and so on",
    "postgres": "SELECT generate_series(1, 1000000000000) AS n;",
}
SLOW = {
    "duckdb": "SELECT count(*) FROM range(1000000000000) AS t(n) WHERE sin(n) > 2",
    "postgres": "SELECT pg_sleep(60)",
}
LATE = {
    "duckdb": "SELECT CASE WHEN range > 4000000 THEN error('too far') ELSE '' END AS n FROM range(5000000)",
    "postgres": "SELECT 1 / (100000 - n) AS n FROM generate_series(1, 200000) AS n",
}


def test_rows_come_in_batches_of_the_size_asked_for(adapter: UnifiedSqlAdapter) -> None:
    stream = adapter.stream(THREE, batch_rows=2)

    assert [name.lower() for name in stream.columns] == ["n"]
    assert list(stream) == [[(1,), (2,)], [(3,)]]
    assert list(stream) == []
    assert adapter.execute("SELECT 1")[1] == [(1,)]


def test_a_result_without_rows_has_columns_and_no_batches(adapter: UnifiedSqlAdapter) -> None:
    with adapter.stream("SELECT 1 AS a, 2 AS b FROM (SELECT 1) AS t WHERE 1 = 0") as stream:
        assert [name.lower() for name in stream.columns] == ["a", "b"]
        assert list(stream) == []


def endless(backend: Backend) -> str:
    if backend.name not in ENDLESS:
        pytest.skip("no endless query is known here")
    return ENDLESS[backend.name]


def test_a_stream_without_an_end_begins_at_once_and_can_be_left(
    backend: Backend, adapter: UnifiedSqlAdapter
) -> None:
    with adapter.stream(endless(backend), batch_rows=1000) as stream:
        assert len(next(stream)) == 1000
        assert len(next(stream)) == 1000

    assert adapter.execute("SELECT 1")[1] == [(1,)]
    with adapter.session() as session:
        assert session.query("SELECT 2") == [(2,)]


def test_while_a_stream_is_open_its_adapter_runs_nothing_else(
    backend: Backend, adapter: UnifiedSqlAdapter
) -> None:
    stream = adapter.stream(endless(backend), batch_rows=10)
    next(stream)

    with pytest.raises(UsageError, match="while a stream is open"):
        adapter.execute("SELECT 1")
    with pytest.raises(UsageError, match="while a stream is open"), adapter.session():
        pass  # pragma: no cover
    with pytest.raises(UsageError, match="while a stream is open"):
        adapter.stream("SELECT 1")

    assert len(next(stream)) == 10
    stream.close()
    stream.close()
    assert list(stream) == []
    assert adapter.execute("SELECT 1")[1] == [(1,)]


def test_closing_the_adapter_ends_its_stream(backend: Backend, adapter: UnifiedSqlAdapter) -> None:
    next(adapter.stream(endless(backend), batch_rows=10))

    adapter.close()

    assert adapter.execute("SELECT 1")[1] == [(1,)]


def test_another_thread_can_stop_a_stream(backend: Backend, adapter: UnifiedSqlAdapter) -> None:
    endless(backend)
    adapter.connect()
    timer = threading.Timer(0.5, adapter.cancel)
    timer.start()

    with pytest.raises(QueryCancelled):
        list(adapter.stream(SLOW[backend.name]))

    timer.join()
    assert adapter.execute("SELECT 1")[1] == [(1,)]


def test_an_error_on_the_way_ends_the_stream_and_the_adapter_works_on(
    backend: Backend, adapter: UnifiedSqlAdapter
) -> None:
    endless(backend)
    stream = adapter.stream(LATE[backend.name], batch_rows=10_000)
    next(stream)

    with pytest.raises(WarehouseError) as caught:
        for _ in stream:
            pass

    assert caught.value.sql == LATE[backend.name]
    assert not stream.is_open
    assert adapter.execute("SELECT 1")[1] == [(1,)]


@pytest.mark.parametrize(
    ("sql", "kind"), [("SELECT * FROM no_such_table_here", MissingRelation), ("SELECT 1 +", SyntaxFailed)]
)
def test_an_error_at_the_start_leaves_no_stream(
    adapter: UnifiedSqlAdapter, sql: str, kind: type[WarehouseError]
) -> None:
    with pytest.raises(kind) as caught:
        adapter.stream(sql)

    assert caught.value.sql == sql
    assert adapter.execute("SELECT 1")[1] == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM t",
        "CREATE TABLE t (a INT)",
        "INSERT INTO t VALUES (1)",
        "SHOW all",
        "SELECT * INTO u FROM t",
        "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone",
    ],
)
def test_only_queries_are_streamed(adapter: UnifiedSqlAdapter, sql: str) -> None:
    with pytest.raises(UsageError, match="Only the rows of a query"):
        adapter.stream(sql)


def test_a_stream_wants_a_transaction_of_its_own(adapter: UnifiedSqlAdapter) -> None:
    with adapter.session(), pytest.raises(UsageError, match="Cannot stream within a session"):
        adapter.stream("SELECT 1")


def test_batches_hold_at_least_a_row(adapter: UnifiedSqlAdapter) -> None:
    with pytest.raises(UsageError, match="batch_rows must be at least 1, got 0"):
        adapter.stream("SELECT 1", batch_rows=0)


MEMORY = """
    import sys
    from pathlib import Path
    from recce_meta.adapter import UnifiedSqlAdapter

    def peak():
        status = Path("/proc/self/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))

    with UnifiedSqlAdapter.from_url(sys.argv[1]) as adapter:
        list(adapter.stream(sys.argv[2].replace("ROWS", "10000")))
        before = peak()
        rows = sum(len(batch) for batch in adapter.stream(sys.argv[2].replace("ROWS", "400000")))
        print(rows, (peak() - before) // 1024)
"""
WIDE = {
    "duckdb": "SELECT range AS n, repeat('x', 300) || range AS body FROM range(ROWS)",
    "postgres": "SELECT n, repeat('x', 300) || n AS body FROM generate_series(1, ROWS) AS n",
}


@pytest.mark.extensive
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_stream_of_a_hundred_megabytes_holds_a_few(backend: Backend) -> None:
    endless(backend)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEMORY), backend.url, WIDE[backend.name]],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    rows, megabytes = map(int, done.stdout.split())
    assert rows == 400_000
    assert megabytes < 60


@pytest.mark.parametrize("rows", [1.5, float("nan"), "10", None])
def test_a_batch_has_whole_rows(rows: Any) -> None:
    with (
        UnifiedSqlAdapter.from_url("duckdb://") as adapter,
        pytest.raises(UsageError, match="batch_rows must be an integer"),
    ):
        adapter.stream("SELECT 1", batch_rows=rows)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), float("-inf")])
def test_a_timeout_is_a_number_of_seconds(seconds: float) -> None:
    with UnifiedSqlAdapter.from_url("duckdb://") as adapter, pytest.raises(UsageError, match="of seconds"):
        adapter.execute_with_cancel("SELECT 1", timeout=seconds)
