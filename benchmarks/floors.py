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
