"""Exchanges of stores: the first push, 100 changed objects between three warehouses, and nothing to do.

`python -m benchmarks.sync [--runs RUNS]` runs only these.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from uuid import uuid4

from benchmarks.generate import write
from benchmarks.history import history
from benchmarks.measure import Figure, Timing, compared, markdown, within
from benchmarks.recording import POSTGRES, extracted
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import Project
from recce_meta.models.marks.annotation import AnnotationTarget
from recce_meta.store.marks.annotations import AnnotationChange, add_annotations
from recce_meta.store.write import record_run
from recce_meta.sync.encoding import pack
from recce_meta.sync.exchange import exchange
from recce_meta.sync.stores import StoreReplica

if TYPE_CHECKING:
    from sqlalchemy import Connection

RUNS = 50
"""Number of runs of the first push; the goal is about 1,000."""
ROUNDS = 21
CHANGED = 50
"""Number of runs, and of annotations, of an exchange of 100 objects."""
SCHEMA = "recce_meta_sync_benchmark"
NOT_COUNTED = "–"
"""Number of statements of SQLite, whose driver sends them without SQLAlchemy."""
STORES = ("duckdb", "sqlite", "postgres")


def timed(work: Callable[[], object]) -> Timing:
    """Return how long *work* takes once."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Timing(time.perf_counter() - wall, time.process_time() - cpu)


@contextmanager
def replica(kind: str, folder: Path) -> Iterator[StoreReplica]:
    """Yield a replica without a store yet, and drop it at the end."""
    name = f"{SCHEMA}_{uuid4().hex[:8]}"
    path = folder / f"{name}.{kind}"
    if kind == "sqlite":
        path.touch()
    url = POSTGRES if kind == "postgres" else f"{kind}:///{path}"
    schema = name if kind == "postgres" else "recce_metadata"
    with UnifiedSqlAdapter.from_url(url) as adapter:
        try:
            yield StoreReplica(adapter, schema, name=kind, pack=pack, creates=True)
        finally:
            if kind == "postgres":
                adapter.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


def record(side: StoreReplica, projects: Sequence[Project]) -> Timing:
    """Record *projects*."""

    def work() -> None:
        for project in projects:
            record_run(side.adapter, project, schema=side.schema)

    return timed(work)


def push(source: StoreReplica, target: StoreReplica, runs: Sequence[str] | None = None) -> Timing:
    """Push everything, or only *runs*."""

    def work() -> None:
        report = exchange(source, target, "push", runs=runs)
        assert report.status == "success", report.outcomes

    return timed(work)


@contextmanager
def counted() -> Iterator[dict[str, list[str]]]:
    """Yield the statements that reach each driver within the block, by dialect."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    found: dict[str, list[str]] = {}

    def count(connection: Connection, cursor: object, statement: str, *_: object) -> None:
        found.setdefault(connection.engine.dialect.name, []).append(statement)

    event.listen(Engine, "before_cursor_execute", count)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", count)


def first_push(project: Project, runs: int, folder: Path) -> Figure:
    """Return the time of pushing *runs* runs to an empty store, compared with recording them."""
    with replica("duckdb", folder) as source, replica("duckdb", folder) as target:
        recorded = record(source, list(history(project, runs)))
        what = f"first push of {runs:,} runs × {len(project.nodes)} nodes, 2 % changed in each"
        return compared(what, push(source, target), recorded, 2.0, "recording them")


def changed_objects(projects: Sequence[Project], folder: Path) -> Iterator[Figure]:
    """Yield the time of pushing 50 runs and 50 annotations between each two of three warehouses."""
    base, size = projects[0].run.run_id, len(projects[0].nodes)
    made: dict[str, StoreReplica] = {}
    with ExitStack() as stack:
        for kind in STORES:
            made[kind] = stack.enter_context(replica(kind, folder))
        first = made["duckdb"]
        recorded = record(first, projects)
        for other in STORES[1:]:
            push(first, made[other])
        # Written when the first run is everywhere, because annotations travel with each selection of runs.
        targets = {
            (source, kind): stack.enter_context(replica(kind, folder))
            for source, kind in permutations(STORES, 2)
        }
        for (source, _), target in targets.items():
            push(made[source], target, [base])
        for side in made.values():
            annotate(side, projects[0])
        for (source, kind), target in targets.items():
            with counted() as statements:
                spent = push(made[source], target)
            sent = {name: len(some) for name, some in statements.items()}
            known = (sent.get(source_name(name), NOT_COUNTED) for name in (source, kind))
            numbers = " and ".join(map(str, known))
            what = f"push {CHANGED} runs × {size} nodes and {CHANGED} notes"
            what = f"{what}, {source} → {kind} ({numbers} statements)"
            figure = within(what, spent, 2.0)
            yield replace(
                figure,
                floor=f"recording in DuckDB: {recorded.wall * 1e3:.0f} ms",
                ratio=f"{spent.wall / recorded.wall:.2f}",
            )


def source_name(kind: str) -> str:
    """Return the name of the dialect of *kind* in SQLAlchemy."""
    return {"postgres": "postgresql"}.get(kind, kind)


def annotate(side: StoreReplica, project: Project) -> None:
    """Write a note to each of some nodes."""
    changes = [
        AnnotationChange(
            AnnotationTarget(project_name=project.run.project_name, unique_id=node.unique_id),
            "note",
            "",
            f"checked {number}",
        )
        for number, node in enumerate(project.nodes[:CHANGED])
    ]
    add_annotations(side.adapter, changes, author="Ann", schema=side.schema)


def nothing_to_do(projects: Sequence[Project], folder: Path) -> Iterator[Figure]:
    """Yield the statements and the time of a push between equal stores, with new connections each time."""
    for kind, other in permutations(STORES, 2):
        with replica(kind, folder) as source, replica(other, folder) as target:
            record(source, projects)
            push(source, target)
            walls, cpus, most = [], [], 0
            for _ in range(ROUNDS):
                for side in (source, target):
                    side.close()
                    side.adapter.connect()
                    side.adapter.store_versions.clear()
                with counted() as statements:
                    spent = push(source, target)
                walls.append(spent.wall)
                cpus.append(spent.cpu)
                most = max(most, *map(len, statements.values()))
            shown = f"{median(walls) * 1e3:.0f} ms (cpu {median(cpus) * 1e3:.0f}), {most} statements per side"
            what = f"nothing to do, {len(projects)} runs, {kind} → {other}"
            yield Figure(what, shown, target="≤ 3 statements", met=most <= 3)


def run(small: Path, scratch: Path, runs: int = RUNS) -> list[Figure]:
    """Run all measurements; *small* has 500 models."""
    folder = scratch / "sync"
    folder.mkdir()
    project = extracted(small)
    projects = list(history(project, CHANGED + 1))
    return [
        first_push(project, runs, folder),
        *changed_objects(projects, folder),
        *nothing_to_do(projects[:20], folder),
    ]


def main() -> None:
    """Run these measurements in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help="runs of the first push")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        print(markdown(run(write(scratch / "small", 500, 378), scratch, options.runs)))


if __name__ == "__main__":
    main()
