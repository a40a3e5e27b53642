"""Profiles of ten columns, compared with the fastest of several equivalent queries, and with recce's task."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from benchmarks.floors import (
    Ask,
    approximate_profile,
    cpu_of_postgres,
    duckdb_at,
    postgres_at,
    profile_shapes,
)
from benchmarks.measure import Figure, best_of, clock, compared, faster, quickest
from benchmarks.peers import Recce, environment_of
from benchmarks.recording import POSTGRES
from benchmarks.tables import wide_in_postgres, write_wide
from benchmarks.values import MILLION, TABLES
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.data.diffs import profile_diff

FLOOR = "quickest of five shapes"


def shapes(dialect: str, tables: tuple[str, str]) -> list[list[str]]:
    """Return the queries of each approach, for both sides."""
    base, current = (profile_shapes(dialect, table) for table in tables)
    return [[*base[how], *current[how]] for how in base]


def ask_all(ask: Ask, statements: list[str]) -> None:
    """Run the queries one after the other."""
    for sql in statements:
        ask(sql)


def in_duckdb(path: Path, scratch: Path) -> list[Figure]:
    """Measure both sides in a DuckDB file: exact, estimated, and compared with recce's task."""
    what = "profile diff of 1 M × 10 in DuckDB"
    with UnifiedSqlAdapter.from_url(f"duckdb:///{path}") as adapter, duckdb_at(path) as ask:
        exact, estimated, one_scan, *others = best_of(
            clock(lambda: profile_diff(adapter, *TABLES)),
            clock(lambda: profile_diff(adapter, *TABLES, approximate=True)),
            clock(partial(ask_all, ask, [approximate_profile(table) for table in TABLES])),
            *(clock(partial(ask_all, ask, statements)) for statements in shapes("duckdb", TABLES)),
            rounds=5,
        )
        figures = [
            compared(what, exact, quickest(others), 1.1, FLOOR, by_cpu=True),
            compared(f"{what}, estimated", estimated, one_scan, 1.1, "one scan a side", by_cpu=True),
        ]
        if (environment := environment_of("recce")) is not None:
            with Recce(environment, scratch / "recce", path).task("profile_diff", {"model": "wide"}) as task:
                ours, theirs = best_of(clock(lambda: profile_diff(adapter, *TABLES)), task, rounds=3)
            figures.append(faster(f"{what}, in process", ours, theirs, 2, "recce's task"))
    return figures


def in_postgres() -> Figure:
    """Measure both sides in the PostgreSQL server at RECCE_META_TEST_POSTGRES_URL."""
    name = f"bench_{os.getpid()}"
    schemas = (f"{name}_base", f"{name}_current")
    tables = (f"{schemas[0]}.wide", f"{schemas[1]}.wide")
    url = f"{POSTGRES}{'&' if '?' in POSTGRES else '?'}application_name={name}"
    with (
        wide_in_postgres(POSTGRES, MILLION, schemas),
        UnifiedSqlAdapter.from_url(url) as adapter,
        postgres_at(url) as ask,
    ):
        time_of = partial(clock, cpu_seconds=cpu_of_postgres(ask, name))
        ours, *others = best_of(
            time_of(lambda: profile_diff(adapter, *tables, threads=1)),
            *(time_of(partial(ask_all, ask, statements)) for statements in shapes("postgres", tables)),
            rounds=3,
        )
    what = "profile diff of 1 M × 10 in PostgreSQL, a statement at a time"
    return compared(what, ours, quickest(others), 1.1, FLOOR, by_cpu=True)


def run(scratch: Path) -> list[Figure]:
    """Run all measurements in both databases."""
    return [*in_duckdb(write_wide(scratch / f"wide_{MILLION}.duckdb", MILLION), scratch), in_postgres()]
