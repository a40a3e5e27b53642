"""Connecting, and fetching a million rows, compared with the bare driver."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure, Work, compared, in_turns
from benchmarks.recording import POSTGRES
from recce_meta.adapter import UnifiedSqlAdapter

MILLION = 1_000_000
ROUNDS_OF_CONNECTING = 100
ROUNDS_OF_FETCHING = 3
MOST_TO_CONNECT = 1.15
MOST_TO_FETCH = 1.25

ROWS = {
    "duckdb": f"""
        SELECT n, n::VARCHAR AS name, (n / 7)::DECIMAL(12, 2) AS price,
            DATE '2026-01-01' + (n % 365)::INT AS day, n * 1.5::DOUBLE AS weight, n % 2 = 0 AS is_even
        FROM range({MILLION}) AS r (n)""",
    "postgres": f"""
        SELECT n, n::text AS name, (n / 7.0)::numeric(12, 2) AS price, DATE '2026-01-01' + n % 365 AS day,
            n * 1.5::float8 AS weight, n % 2 = 0 AS is_even
        FROM generate_series(1, {MILLION}) AS n""",
}
"""Rows of types that need no conversion."""
DOCUMENTS = {
    "duckdb": f"""
        SELECT n, ('[' || n || ', {{"a": null}}]')::JSON FROM range({MILLION // 5}) AS r (n)""",
    "postgres": f"""
        SELECT n, ('[' || n || ', {{"a": null}}]')::json FROM generate_series(1, {MILLION // 5}) AS n""",
}
"""JSON documents: psycopg parses them too; DuckDB returns strings."""


def run(scratch: Path) -> list[Figure]:
    """Run all measurements in DuckDB and PostgreSQL."""
    import duckdb
    import psycopg

    file = scratch / "connections.duckdb"
    duckdb.connect(str(file)).close()
    url = f"duckdb:///{file}"
    figures = [
        _connecting("DuckDB", url, lambda: duckdb.connect(str(file)).close()),
        _connecting("PostgreSQL", POSTGRES, lambda: psycopg.connect(POSTGRES).close()),
    ]
    with UnifiedSqlAdapter.from_url("duckdb://") as adapter, duckdb.connect() as bare:
        fetch = partial(_fetched, bare.execute)
        figures.append(_fetching("a million rows from DuckDB", adapter, ROWS["duckdb"], fetch))
        read = partial(_fetched_and_read, bare.execute)
        figures.append(_fetching("200,000 documents from DuckDB", adapter, DOCUMENTS["duckdb"], read))
    with UnifiedSqlAdapter.from_url(POSTGRES) as adapter, psycopg.connect(POSTGRES) as session:
        fetch = partial(_fetched, session.execute)
        figures.append(_fetching("a million rows from PostgreSQL", adapter, ROWS["postgres"], fetch))
        figures.append(_fetching("200,000 documents from PostgreSQL", adapter, DOCUMENTS["postgres"], fetch))
    return figures


def _connecting(name: str, url: str, bare: Work) -> Figure:
    def ours() -> None:
        with UnifiedSqlAdapter.from_url(url) as adapter:
            adapter.connect()

    timing, floor = in_turns(ours, bare, rounds=ROUNDS_OF_CONNECTING)
    return compared(f"connect to {name} and close", timing, floor, MOST_TO_CONNECT, "its driver")


def _fetching(what: str, adapter: UnifiedSqlAdapter, sql: str, bare: Callable[[str], object]) -> Figure:
    timing, floor = in_turns(lambda: adapter.execute(sql), lambda: bare(sql), rounds=ROUNDS_OF_FETCHING)
    return compared(f"execute and fetch {what}", timing, floor, MOST_TO_FETCH, "its driver")


def _fetched(execute: Callable[[Any], Any], sql: str) -> Any:
    return execute(sql).fetchall()


def _fetched_and_read(execute: Callable[[Any], Any], sql: str) -> list[tuple[object, object]]:
    return [(number, json.loads(text)) for number, text in execute(sql).fetchall()]
