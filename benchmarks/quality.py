"""Quality of a table of ten columns, compared with the fastest query for its profile and top values."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.floors import Ask, cpu_of_postgres, duckdb_at, postgres_at, profile_shapes, top_shapes
from benchmarks.measure import Clock, Figure, Timing, Work, best_of, clock, compared, quickest
from benchmarks.profiles import ask_all
from benchmarks.recording import POSTGRES
from benchmarks.tables import wide_in_postgres, write_wide
from benchmarks.values import MILLION, TABLES
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.quality_tables import EXACT, TableRequest, measure_tables
from recce_meta.models.quality import Sample, TableQuality
from recce_meta.quality.measure import QualitySettings

WITHOUT_TOP = QualitySettings(top=0)
TENTH = QualitySettings(sample=Sample(percent=10, seed=7))
PROFILE = "quickest of five shapes"
BOTH = f"{PROFILE}, and of two for top values"


def measured(adapter: UnifiedSqlAdapter, table: str, settings: QualitySettings, threads: int) -> TableQuality:
    """Return the quality of *table*. Raises RuntimeError if a part of it could not be measured."""
    (found,) = measure_tables(adapter, [TableRequest(relation=table)], settings, threads=threads)
    if found.reason or any(column.reason for column in found.columns):
        raise RuntimeError(f"{table} was not measured: {found.reason or found.columns}")
    return found


def compare(what: str, timings: list[Timing], shapes: int) -> list[Figure]:
    """Return the figures of one database: *timings* are ours in three settings, then all floors."""
    whole, profile, tenth, *floors = timings
    best = quickest(floors[:shapes])
    everything = best + quickest(floors[shapes:])
    return [
        compared(what, whole, everything, 1.2, BOTH, by_cpu=True),
        compared(f"{what}, no top values", profile, best, 1.2, PROFILE, by_cpu=True),
        compared(f"{what}, of a tenth of the rows", tenth, everything, 1, "all rows, as above", by_cpu=True),
    ]


def clocks(
    adapter: UnifiedSqlAdapter, ask: Ask, dialect: str, table: str, time_of: Callable[[Work], Clock]
) -> tuple[list[Clock], int]:
    """Return works for our three settings, then the floors; and the number of floors for the profile."""
    profiles = list(profile_shapes(dialect, table).values())
    floors = [*profiles, *top_shapes(dialect, table).values()]
    ours = [
        time_of(partial(measured, adapter, table, settings, 1)) for settings in (EXACT, WITHOUT_TOP, TENTH)
    ]
    return [*ours, *(time_of(partial(ask_all, ask, statements)) for statements in floors)], len(profiles)


def in_duckdb(path: Path) -> list[Figure]:
    """Measure a table in a DuckDB file, one query at a time, since DuckDB has its own threads."""
    with UnifiedSqlAdapter.from_url(f"duckdb:///{path}") as adapter, duckdb_at(path) as ask:
        works, shapes = clocks(adapter, ask, "duckdb", TABLES[0], clock)
        timings = best_of(*works, rounds=5)
    return compare("quality of 1 M × 10 in DuckDB", timings, shapes)


def in_postgres() -> list[Figure]:
    """Measure a table in the PostgreSQL server at RECCE_META_TEST_POSTGRES_URL.

    Parallel plans are off, because the time of their workers would not be visible.
    """
    name = f"bench_{os.getpid()}"
    schemas = (f"{name}_base", f"{name}_current")
    mark = "&" if "?" in POSTGRES else "?"
    url = f"{POSTGRES}{mark}application_name={name}&options=-cmax_parallel_workers_per_gather%3D0"
    with (
        wide_in_postgres(POSTGRES, MILLION, schemas),
        UnifiedSqlAdapter.from_url(url) as adapter,
        postgres_at(url) as ask,
    ):
        time_of = partial(clock, cpu_seconds=cpu_of_postgres(ask, name))
        works, shapes = clocks(adapter, ask, "postgres", f"{schemas[0]}.wide", time_of)
        timings = best_of(*works, rounds=3)
    return compare("quality of 1 M × 10 in PostgreSQL, a statement at a time", timings, shapes)


def run(scratch: Path) -> list[Figure]:
    """Run all measurements in both databases."""
    return [*in_duckdb(write_wide(scratch / f"wide_{MILLION}.duckdb", MILLION)), *in_postgres()]
