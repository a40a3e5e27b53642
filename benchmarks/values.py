"""Value diffs of tables of ten columns, compared with the bare join, and with other tools."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.floors import UNIQUENESS, Ask, cpu_of_postgres, duckdb_at, join_sql, postgres_at, uniqueness
from benchmarks.measure import (
    Figure,
    Timing,
    best_of,
    clock,
    command,
    compared,
    faster,
    in_fresh_process,
    noted_in,
    quickest,
)
from benchmarks.peers import Recce, environment_of, reladiff
from benchmarks.recording import POSTGRES
from benchmarks.tables import KEY, wide_in_postgres, write_wide
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.pool import Pool
from recce_meta.api.data.changed_data import ROWS_SHOWN
from recce_meta.api.data.diffs import value_diff
from recce_meta.api.data.execution import QueryExecutor, RelationResolver
from recce_meta.data_diff.options import Explaining, ValueOptions
from recce_meta.data_diff.plan import Query
from recce_meta.data_diff.value import value_diff as plan
from recce_meta.warehouses.dialect import dialect_named

MILLION = 1_000_000
TABLES = ("base.wide", "current.wide")
FLOOR = "bare join and uniqueness"


def diff(
    adapter: UnifiedSqlAdapter,
    tables: tuple[str, str] = TABLES,
    where: str | None = None,
    threads: int | None = None,
    why: Explaining | None = None,
) -> object:
    """Run the value diff of *tables*, with *why* also the search for slices and shapes."""
    options = ValueOptions(where=where, why=why)
    return value_diff(adapter, *tables, key=KEY, options=options, threads=threads)


def explained(where: str, both: Timing, ours: Timing, most: float) -> Figure:
    """Compare what `--why` adds with the value diff itself."""
    return compared(
        f"`--why` of 1 M × 10 in {where}, beyond the diff",
        both - ours,
        ours,
        most,
        "the value diff by key",
        by_cpu=True,
    )


def in_duckdb(path: Path, rows: int, rounds: int) -> list[Figure]:
    """Measure time and memory in a DuckDB file."""
    what = f"value diff of {rows // MILLION} M × 10 in DuckDB"
    with UnifiedSqlAdapter.from_url(f"duckdb:///{path}") as adapter, duckdb_at(path) as ask:
        ours, why, join, *checks = best_of(
            clock(lambda: diff(adapter)),
            clock(lambda: diff(adapter, why=Explaining())),
            clock(lambda: ask(join_sql(*TABLES))),
            *(clock(partial(uniqueness, ask, how, TABLES)) for how in UNIQUENESS),
            rounds=rounds,
        )
    figures = [compared(what, ours, join + quickest(checks), 1.25, FLOOR, by_cpu=True), memory(what, path)]
    return [*figures, explained("DuckDB", why, ours, 1.5)] if rows == MILLION else figures


def whole_rows(path: Path, rows: int, rounds: int) -> list[Figure]:
    """Measure the comparison without a key, as in `diff --data`, against the comparison by key."""
    with UnifiedSqlAdapter.from_url(f"duckdb:///{path}") as adapter:
        whole, keyed = best_of(
            clock(lambda: value_diff(adapter, *TABLES, options=ValueOptions(limit=ROWS_SHOWN))),
            clock(lambda: diff(adapter)),
            rounds=rounds,
        )
    what = f"whole rows of {rows // MILLION} M × 10 in DuckDB, without a key"
    return [compared(what, whole, keyed, 2.0, "the value diff by key", by_cpu=True)]


MEMORY_OF_OURS = """
import json, sys
from benchmarks.measure import peak_rss, rss
from benchmarks.values import diff
from recce_meta.adapter import UnifiedSqlAdapter
with UnifiedSqlAdapter.from_url(sys.argv[1]) as adapter:
    diff(adapter, where="FALSE")
    before = rss()
    diff(adapter)
    print(json.dumps({"grown": peak_rss() - before}))
"""
MEMORY_OF_FLOOR = """
import json, sys
from pathlib import Path
from benchmarks.floors import duckdb_at, join_sql, uniqueness
from benchmarks.measure import peak_rss, rss
with duckdb_at(Path(sys.argv[1])) as ask:
    before = rss()
    uniqueness(ask, "count(DISTINCT key)", ("base.wide", "current.wide"))
    ask(join_sql("base.wide", "current.wide"))
    print(json.dumps({"grown": peak_rss() - before}))
"""


def memory(what: str, path: Path) -> Figure:
    """Return the peak memory of the diff in a fresh process, with DuckDB's own; the minimum of three."""
    ours, floor = (
        min(in_fresh_process(code, place)["grown"] for _ in range(3))
        for code, place in ((MEMORY_OF_OURS, f"duckdb:///{path}"), (MEMORY_OF_FLOOR, str(path)))
    )
    return Figure(
        f"memory that a {what} adds at its peak",
        f"{ours / 1e6:.0f} MB",
        f"{FLOOR}: {floor / 1e6:.0f} MB",
        f"{ours / floor:.2f}",
        "≤ 1.1",
        ours <= 1.1 * floor,
    )


def in_postgres(rounds: int) -> list[Figure]:
    """Measure time in the PostgreSQL server at RECCE_META_TEST_POSTGRES_URL."""
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
        ours, why, join, *checks = best_of(
            time_of(lambda: diff(adapter, tables, threads=1)),
            time_of(lambda: diff(adapter, tables, threads=1, why=Explaining())),
            time_of(lambda: ask(join_sql(*tables))),
            *(time_of(partial(uniqueness, ask, how, tables)) for how in UNIQUENESS),
            rounds=rounds,
        )
    return [
        compared(
            "value diff of 1 M × 10 in PostgreSQL", ours, join + quickest(checks), 1.25, FLOOR, by_cpu=True
        ),
        explained("PostgreSQL", why, ours, 2.5),
    ]


LINE = "hash of every row"


def across(path: Path, rounds: int) -> list[Figure]:
    """Measure a diff by key between PostgreSQL and the file at *path*, by the CPU of both.

    The floor is what each side must at least do if all rows are equal: hash them once.
    """
    name = f"bench_{os.getpid()}"
    schemas = (f"{name}_base", f"{name}_current")
    url = f"{POSTGRES}{'&' if '?' in POSTGRES else '?'}application_name={name}"
    with (
        wide_in_postgres(POSTGRES, MILLION, schemas),
        UnifiedSqlAdapter.from_url(url) as server,
        UnifiedSqlAdapter.from_url(f"duckdb:///{path}") as file,
        postgres_at(url) as ask,
        duckdb_at(path) as ask_file,
    ):
        time_of = partial(clock, cpu_seconds=cpu_of_postgres(ask, name))

        def compare(side: str) -> object:
            return value_diff(file, f"{schemas[0]}.wide", side, key=KEY, base_adapter=server)

        equal, different, one, two = best_of(
            time_of(lambda: compare("base.wide")),
            time_of(lambda: compare("current.wide")),
            time_of(lambda: ask(f"SELECT max(md5(t::text)) FROM {schemas[0]}.wide AS t")),
            time_of(lambda: ask_file("SELECT max(md5(CAST(t AS VARCHAR))) FROM base.wide AS t")),
            rounds=rounds,
        )
    what = "value diff of 1 M × 10 between PostgreSQL and DuckDB"
    return [
        compared(f"{what}, equal", equal, one + two, 1.7, LINE, by_cpu=True),
        compared(f"{what}, 1 % of rows differ", different, one + two, 15.0, LINE, by_cpu=True),
    ]


def statements(scratch: Path) -> list[Figure]:
    """Count the queries of a diff, by the number of columns."""
    path = scratch / "columns.duckdb"
    with duckdb_at(path) as ask:
        ten, hundred, two_hundred, thousand = (_statements(path, ask, n) for n in (10, 100, 200, 1_000))
    return [
        Figure(
            "statements that a value diff of 10, 100, 200 columns runs",
            f"{ten}, {hundred}, {two_hundred}",
            target="the same",
            met=ten == hundred == two_hundred,
        ),
        Figure("statements that a value diff of 1,000 columns runs", str(thousand)),
    ]


def _statements(path: Path, ask: Ask, columns: int) -> int:
    tables = (f"base_{columns}", f"current_{columns}")
    for number, table in enumerate(tables):
        values = ", ".join(f"i * {j} + {number} AS c{j}" for j in range(1, columns))
        ask(f"CREATE OR REPLACE TABLE {table} AS SELECT i AS {KEY}, {values} FROM range(10) AS numbers(i)")
    asked: list[Query] = []
    with UnifiedSqlAdapter.from_url(f"duckdb:///{path}") as adapter, Pool(adapter) as pool:
        dialect = dialect_named("duckdb")
        pair = RelationResolver(base=dialect, current=dialect).pair(*tables)
        QueryExecutor(pool, around=noted_in(asked)).run(plan(pair, ValueOptions(key=(KEY,))))
    return sum(not query.describes for query in asked)


def beside_peers(path: Path, scratch: Path) -> list[Figure]:
    """Compare with installed tools, in process and as whole commands."""
    figures = []
    program = [sys.executable, "-m", "recce_meta"]
    ours = command([*program, "value", "--tables", *TABLES, "--key", KEY, "--url", f"duckdb:///{path}"])
    if (environment := environment_of("reladiff")) is not None:
        theirs = reladiff(environment, f"duckdb://{path}", *TABLES, KEY)
        figures.append(
            faster("recce-meta value, 1 M × 10 in DuckDB", *warm(ours, theirs), 2.5, "reladiff joindiff")
        )
    if (environment := environment_of("recce")) is not None:
        figures += beside_recce(Recce(environment, scratch / "recce", path), path)
    return figures


def beside_recce(recce: Recce, path: Path) -> list[Figure]:
    """Compare with recce's task in a process with a loaded project, and with a whole `recce run`."""
    parameters: dict[str, object] = {"model": "wide", "primary_key": KEY}
    with ExitStack() as stack:
        task = stack.enter_context(recce.task("value_diff", parameters))
        adapter = stack.enter_context(UnifiedSqlAdapter.from_url(f"duckdb:///{path}"))
        in_process = best_of(clock(lambda: diff(adapter)), task, rounds=3)
    theirs = recce.run([{"name": "wide", "type": "value_diff", "params": parameters}])
    sides = ["--base", f"path:{recce.folder / 'target-base'}", "--current", f"path:{recce.folder / 'target'}"]
    checks = [sys.executable, "-m", "recce_meta", "check", "run", str(recce.folder / "recce.yml")]
    ours = command([*checks, *sides, "--url", f"duckdb:///{recce.database}"], says="1 reported")
    return [
        faster("value diff of 1 M × 10 in DuckDB, in process", *in_process, 8, "recce's task"),
        faster("recce-meta check run of recce's own file", *warm(ours, theirs), 8, "recce run"),
    ]


def warm(*commands: Callable[[], Timing]) -> list[Timing]:
    """Return the best of three rounds of whole commands, after one that compiles their bytecode."""
    for each in commands:
        each()
    return best_of(*commands, rounds=3)


def run(scratch: Path, rows: int = 10 * MILLION) -> list[Figure]:
    """Run all measurements; *rows* is the size of the larger pair."""
    one, ten = (write_wide(scratch / f"wide_{size}.duckdb", size) for size in (MILLION, rows))
    figures = [*in_duckdb(one, MILLION, rounds=9), *in_duckdb(ten, rows, rounds=4)]
    ten.unlink()
    figures += [*whole_rows(one, MILLION, rounds=5), *across(one, rounds=3)]
    return [*figures, *in_postgres(rounds=5), *statements(scratch), *beside_peers(one, scratch)]
