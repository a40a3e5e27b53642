"""Row counts of some models of a large project, and many checks on small tables."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from msgspec.structs import replace

from benchmarks.floors import duckdb_at
from benchmarks.generate import DATABASE, Shop, write
from benchmarks.measure import Figure, Timing, best_of, clock, command, compared, noted_in
from benchmarks.recording import extracted
from benchmarks.tables import write_small
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.checks import CheckRunner, run_checks
from recce_meta.api.data.execution import DataDiffRunner, open_data_diff_runner
from recce_meta.api.data.jobs import row_count_job, subjects
from recce_meta.api.render import Templates
from recce_meta.api.runs import RunPair, load_pair
from recce_meta.checks.file import read_check_file
from recce_meta.data_diff.plan import Query
from recce_meta.store.write import record_run

MODELS, TESTS = 1_000, 756
BUILT = 50
"""Number of models with a table on both sides."""
ROWS = 1_000
CHECKS = 500
SIDES = {"base": "prod", "current": "pr_7"}
PROGRAM = [sys.executable, "-m", "recce_meta"]


def write_project(scratch: Path) -> tuple[Path, list[str]]:
    """Create a DuckDB file with the runs `base` and `current` of a project, and tables of some of its
    models.
    """
    path = scratch / f"{DATABASE}.duckdb"
    path.unlink(missing_ok=True)
    names = Shop(MODELS, 0).names[:: MODELS // BUILT]
    with UnifiedSqlAdapter.from_url(f"duckdb:///{path}") as adapter:
        for side, schema in SIDES.items():
            project = extracted(write(scratch / side, MODELS, TESTS, schema=schema))
            record_run(adapter, replace(project, run=replace(project.run, run_id=side, environment=side)))
    with duckdb_at(path) as ask:
        for schema in SIDES.values():
            write_small(ask, schema, names, ROWS)
    return path, names


class Data:
    """The project's data, opened as in a command."""

    def __init__(self, stack: ExitStack, path: Path) -> None:
        self.queries: list[Query] = []
        self.adapter = stack.enter_context(UnifiedSqlAdapter.from_url(f"duckdb:///{path}"))
        self.comparison: DataDiffRunner = open_data_diff_runner(
            self.adapter, threads=self.adapter.threads, around=noted_in(self.queries)
        )
        stack.callback(self.comparison.close)

    def runs(self) -> RunPair:
        """Return both runs, from the store."""
        return load_pair(lambda: self.adapter, *SIDES)

    def count(self, runs: RunPair, names: Sequence[str]) -> object:
        """Count the rows of the models *names*."""
        return self.comparison.run(row_count_job(self.comparison.places, subjects(runs, (), names)).plan())

    def check(self, file: Path) -> object:
        """Run the checks of *file*."""
        runs = self.runs()
        templates = Templates(runs, environ=os.environ, project_dir=None)
        report = run_checks(read_check_file(file), CheckRunner(self.comparison, runs, templates))
        assert report.is_passed, report
        return report


def row_counts(path: Path, names: Sequence[str]) -> list[Figure]:
    """Measure the whole command, and the rest after the runs are read, against one bare query per table."""
    with ExitStack() as stack:
        data, ask = Data(stack, path), stack.enter_context(duckdb_at(path))
        runs = data.runs()
        counts = [f'SELECT count(*) FROM "{schema}"."{name}"' for schema in SIDES.values() for name in names]
        data.queries.clear()
        data.count(runs, names)
        sent = [query.sql for query in data.queries]
        whole, read, bare, floor = best_of(
            clock(lambda: data.count(data.runs(), names)),
            clock(lambda: data.count(runs, names)),
            clock(lambda: [ask(sql) for sql in sent]),
            clock(lambda: [ask(sql) for sql in counts]),
            rounds=15,
        )
    what = f"row counts of {BUILT} models of {MODELS:,}"
    return [
        compared(
            f"{what}, the runs being read", read, floor, 1.5, "a bare count for each table", by_cpu=True
        ),
        compared(
            f"{what}, reading both runs included",
            whole,
            floor,
            1.5,
            "a bare count for each table",
            by_cpu=True,
        ),
        Figure("their statements alone", f"{bare.wall * 1e3:.0f} ms (cpu {bare.cpu * 1e3:.0f})"),
    ]


def checks_of(names: Sequence[str], file: Path) -> Path:
    """Write a file of checks of all types, in turn, about the models *names*; return *file*."""
    checks = []
    for number in range(CHECKS):
        name = names[number % len(names)]
        kinds: tuple[tuple[str, dict[str, object]], ...] = (
            ("value_diff", {"model": name, "primary_key": "id"}),
            ("row_count_diff", {"node_names": [name]}),
            ("schema_diff", {"select": name}),
            ("profile_diff", {"model": name}),
            ("top_k_diff", {"model": name, "column_name": "name"}),
            ("histogram_diff", {"model": name, "column_name": "amount"}),
            ("query_diff", {"sql_template": GROUPED.format(name), "primary_keys": ["name"]}),
        )
        kind, parameters = kinds[number % len(kinds)]
        checks.append({"name": f"check {number}", "type": kind, "params": parameters})
    file.write_text(json.dumps({"checks": checks}))
    return file


GROUPED = "select name, count(*) as n, sum(amount) as total from {{{{ ref('{}') }}}} group by name"


def overhead(path: Path, names: Sequence[str], scratch: Path) -> list[Figure]:
    """Measure the overhead of checks over their queries, in process and as a command."""
    file = checks_of(names, scratch / "checks.yml")
    program = [*PROGRAM, "check", "run", str(file), "--url", f"duckdb:///{path}"]
    with ExitStack() as stack:
        data, ask = Data(stack, path), stack.enter_context(duckdb_at(path))
        data.check(file)
        sent = [f"{'DESCRIBE ' if query.describes else ''}{query.sql}" for query in data.queries]
        ours, bare = best_of(
            clock(lambda: data.check(file)), clock(lambda: [ask(sql) for sql in sent]), rounds=3
        )
    whole = best_of(command(program, says=f"{CHECKS} reported", cwd=scratch), rounds=3)[0]
    return [
        beyond(f"{CHECKS} checks on small tables, in process", ours, bare, len(sent)),
        beyond(f"{CHECKS} checks on small tables, recce-meta check run", whole, bare, len(sent)),
    ]


def beyond(what: str, ours: Timing, bare: Timing, statements: int) -> Figure:
    """Return a figure that compares the difference of two timings, per check, with 20 ms."""
    wall, cpu = (ours.wall - bare.wall) / CHECKS, (ours.cpu - bare.cpu) / CHECKS
    return Figure(
        what,
        f"{ours.wall * 1e3:.0f} ms (cpu {ours.cpu * 1e3:.0f})",
        f"their {statements:,} statements: {bare.wall * 1e3:.0f} ms (cpu {bare.cpu * 1e3:.0f})",
        f"{wall * 1e3:.1f} ms a check (cpu {cpu * 1e3:.1f})",
        "< 20 ms",
        cpu < 0.02,
    )


def run(scratch: Path) -> list[Figure]:
    """Run all measurements on one project."""
    path, names = write_project(scratch)
    return [*row_counts(path, names), *overhead(path, names, scratch)]
