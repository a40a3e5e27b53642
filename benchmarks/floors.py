"""Minimum work of a data diff, in plain SQL over the bare driver."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measure import CpuSeconds
from benchmarks.tables import COLUMNS, KEY

Ask = Callable[[str], list[tuple[Any, ...]]]
NUMBERS = frozenset({"BIGINT", "INTEGER", "DECIMAL(12, 2)", "DOUBLE PRECISION"})


@contextmanager
def duckdb_at(path: Path) -> Iterator[Ask]:
    """Yield a function that runs queries over duckdb itself."""
    import duckdb

    # As the adapter opens it: connections of one process to a file must have the same configuration.
    with duckdb.connect(str(path), config={"python_enable_replacements": False}) as connection:
        connection.execute("SET enable_progress_bar = false")
        yield lambda sql: connection.execute(sql).fetchall()


@contextmanager
def postgres_at(url: str) -> Iterator[Ask]:
    """Yield a function that runs queries over psycopg itself."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        yield lambda sql: connection.execute(sql.encode()).fetchall()


def cpu_of_postgres(ask: Ask, application: str) -> CpuSeconds:
    """Return a CPU clock of this process and the server's open connections for *application* (Linux,
    local).
    """
    query = f"SELECT pid FROM pg_stat_activity WHERE application_name = '{application}'"
    ticks = os.sysconf("SC_CLK_TCK")

    def seconds() -> float:
        taken = 0
        for (pid,) in ask(query):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            taken += int(fields[11]) + int(fields[12])
        return time.process_time() + taken / ticks

    return seconds


def join_sql(base: str, current: str) -> str:
    """Return a single plain join: rows of both sides, and the matches of every column."""
    matches = ", ".join(
        f"count(*) FILTER (WHERE b.{KEY} = c.{KEY} AND b.{name} IS NOT DISTINCT FROM c.{name})"
        for name, _, _ in COLUMNS[1:]
    )
    return (
        f"SELECT count(*), count(b.{KEY}), count(c.{KEY}), {matches}"
        f" FROM {base} AS b FULL OUTER JOIN {current} AS c ON b.{KEY} = c.{KEY}"
    )


UNIQUENESS = {
    "count(DISTINCT key)": f"SELECT count(*), count({KEY}), count(DISTINCT {KEY}) FROM {{}}",
    "SELECT DISTINCT key": f"SELECT count(*) FROM (SELECT DISTINCT {KEY} FROM {{}}) AS d",
    "GROUP BY key": f"SELECT count(*) FROM (SELECT {KEY} FROM {{}} GROUP BY 1 HAVING count(*) > 1) AS d",
}
"""Queries for the uniqueness of a key; the fastest depends on engine and number of rows."""


def uniqueness(ask: Ask, how: str, tables: tuple[str, str]) -> None:
    """Check the uniqueness on both sides."""
    for table in tables:
        ask(UNIQUENESS[how].format(table))


MEDIANS = {
    "duckdb": ("median({})", "quantile_disc({}, 0.5)"),
    "postgres": (
        "percentile_cont(0.5) WITHIN GROUP (ORDER BY {})",
        "percentile_disc(0.5) WITHIN GROUP (ORDER BY {})",
    ),
}
"""Medians of numbers, and of points in time."""
COLLATIONS = {"duckdb": "", "postgres": ' COLLATE "C"'}
"""Collations that sort strings by code point."""


def profile_shapes(dialect: str, table: str) -> dict[str, list[str]]:
    """Return queries that profile every column of *table* exactly, by approach; all return the same
    figures.
    """
    cheap = {name: _cheap(name, kind) for name, kind, _ in COLUMNS}
    medians = _medians(dialect)
    whole = [figure for figures in cheap.values() for figure in figures]
    counts = [_count_distinct(name, table) for name in cheap]
    rows = [f"SELECT count(v) FROM (SELECT DISTINCT {name} AS v FROM {table}) AS d" for name in cheap]
    scan = [f"SELECT count(*), {', '.join([*whole, *medians.values()])} FROM {table}"]
    apart = [
        f"SELECT count(*), {', '.join(whole)} FROM {table}",
        *(f"SELECT {median} FROM {table}" for median in medians.values()),
    ]
    each = [
        f"SELECT count(*), {', '.join([*figures, *([medians[name]] if name in medians else [])])},"
        f" count(DISTINCT {name}) FROM {table}"
        for name, figures in cheap.items()
    ]
    return {
        "a statement per column": each,
        "a scan with medians, count(DISTINCT) apart": [*scan, *counts],
        "a scan with medians, SELECT DISTINCT apart": [*scan, *rows],
        "a scan, medians and count(DISTINCT) apart": [*apart, *counts],
        "a scan, medians and SELECT DISTINCT apart": [*apart, *rows],
    }


def top_shapes(dialect: str, table: str) -> dict[str, list[str]]:
    """Return queries for the ten most frequent values of every column of *table*; smallest first for ties."""
    columns = [
        f"SELECT {name}{COLLATIONS[dialect] if kind == 'VARCHAR' else ''} AS v, count(*) AS n FROM {table}"
        f" WHERE {name} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10"
        for name, kind, _ in COLUMNS
    ]
    texts = " UNION ALL ".join(
        f"SELECT * FROM (SELECT {place}, v::VARCHAR, n FROM ({sql}) AS q) AS c"
        for place, sql in enumerate(columns)
    )
    # Grouping sets take two to three times as long if most values are distinct.
    return {"a statement per column": columns, "one statement": [texts]}


def approximate_profile(table: str) -> str:
    """Return one DuckDB query that estimates distinct values, with exact medians."""
    figures = [figure for name, kind, _ in COLUMNS for figure in _cheap(name, kind)]
    estimates = [f"approx_count_distinct({name})" for name, _, _ in COLUMNS]
    return f"SELECT count(*), {', '.join([*figures, *_medians('duckdb').values(), *estimates])} FROM {table}"


def _count_distinct(name: str, table: str) -> str:
    return f"SELECT count(DISTINCT {name}) FROM {table}"


def _cheap(name: str, kind: str) -> list[str]:
    figures = [f"count({name})"]
    if kind == "BOOLEAN":
        return [*figures, f"count(*) FILTER (WHERE {name})"]
    figures += [f"min({name})", f"max({name})"]
    if kind == "VARCHAR":
        return [*figures, *(f"{aggregate}(length({name}))" for aggregate in ("min", "max", "avg"))]
    return [*figures, f"avg({name})"] if kind in NUMBERS else figures


def _medians(dialect: str) -> dict[str, str]:
    of_numbers, of_moments = MEDIANS[dialect]
    kinds = {name: kind for name, kind, _ in COLUMNS if kind not in ("BOOLEAN", "VARCHAR")}
    return {
        name: (of_numbers if kind in NUMBERS else of_moments).format(name) for name, kind in kinds.items()
    }
