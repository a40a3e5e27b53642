"""A long history in one store: its space, and the duration of the last diff."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from benchmarks.measure import Figure, compared, in_turns
from benchmarks.recording import adapter_at, extracted, fresh_run
from recce_meta.api.diff import diff
from recce_meta.models import NodeMetadata, Project, code_hash
from recce_meta.store.write import record_run

RUNS = 1_000
FULL_RUNS = 100
"""Number of runs written as full rows; their space is multiplied by RUNS / FULL_RUNS."""
SHARE = 0.02


def history(project: Project, runs: int) -> Iterator[Project]:
    """Yield *runs* runs, an hour apart, each with edited code in a random 2 % of the models."""
    chance = random.Random(7)
    nodes = list(project.nodes)
    models = [i for i, node in enumerate(nodes) if node.resource_type == "model"]
    for number in range(runs):
        moment = project.run.run_at + timedelta(hours=number)
        current = replace(project, nodes=tuple(nodes), run=replace(project.run, run_at=moment))
        yield fresh_run(current)
        for i in chance.sample(models, round(SHARE * len(models))):
            nodes[i] = edited(nodes[i], chance)


def edited(node: NodeMetadata, chance: random.Random) -> NodeMetadata:
    """Return *node* with one word of its code replaced."""
    word, new = " as ", f" /* {chance.randrange(10**6)} */ as "
    raw, compiled = ((text or "").replace(word, new, 1) for text in (node.raw_code, node.compiled_code))
    return replace(node, raw_code=raw, compiled_code=compiled, code_hash=code_hash(raw))


def space(store: Path, folder: Path, projects: list[Project]) -> int:
    """Return the bytes of full rows of nodes and edges of *projects*, in a file of the same storage
    version.
    """
    import duckdb

    path = folder / "full.duckdb"
    path.unlink(missing_ok=True)
    ids = [project.run.run_id for project in projects]
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH '{store}' AS stored (READ_ONLY)")
        connection.execute(f"ATTACH '{path}' AS plain (STORAGE_VERSION 'v1.0.0')")
        connection.execute("USE stored")
        for relation in ("nodes", "lineage"):
            query = f"SELECT * FROM recce_metadata.{relation} WHERE run_id = $1"
            connection.execute(f"CREATE TABLE plain.{relation} AS {query} LIMIT 0", [ids[0]])
            for run_id in ids:
                connection.execute(f"INSERT INTO plain.{relation} {query}", [run_id])
    size = path.stat().st_size
    path.unlink()
    return size


def build(path: Path, projects: Iterator[Project] | list[Project]) -> list[Project]:
    """Create a store at *path* with *projects*, each recorded by its own connection, as in practice."""
    path.unlink(missing_ok=True)
    kept = []
    for project in projects:
        with adapter_at(path) as adapter:
            record_run(adapter, project)
        kept.append(project)
    return kept


def run(small: Path, scratch: Path, runs: int = RUNS) -> list[Figure]:
    """Run all measurements; *small* has 500 models."""
    long, short = scratch / "long.duckdb", scratch / "short.duckdb"
    projects = build(long, history(extracted(small), runs))
    build(short, projects[-2:])
    full = space(long, scratch, projects[:: max(1, runs // FULL_RUNS)]) * runs / min(runs, FULL_RUNS)
    size = long.stat().st_size
    base, current = (project.run.run_id for project in projects[-2:])
    with adapter_at(long) as many, adapter_at(short) as few:
        ours, floor = in_turns(
            lambda: diff(lambda: many, base, current), lambda: diff(lambda: few, base, current), rounds=25
        )
    return [
        Figure(
            f"space of {runs:,} runs of 500 models, 2 % changed in each",
            f"{size / 1e6:.1f} MB",
            f"full rows per run: {full / 1e6:.0f} MB",
            f"{size / full:.2%}",
            "≤ 5 %",
            size <= 0.05 * full,
        ),
        compared(f"diff of the last two of {runs:,} runs", ours, floor, 1.5, "store of these two"),
    ]
