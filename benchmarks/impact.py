"""Impact of a column in a stored project of 5,000 models: the command from start to end.

`python -m benchmarks.impact` prints the table. Columns are synthetic, since the cost of analyzing them is
measured elsewhere: each model passes most columns on, derives some, joins and filters.
"""

from __future__ import annotations

import random
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

from msgspec.structs import replace

from benchmarks.generate import write
from benchmarks.measure import Figure, Timing, best_of, command, compared, in_turns, markdown, within
from benchmarks.recording import adapter_at, extracted
from benchmarks.startup import DRIVERS
from recce_meta.api.impact import load_impact
from recce_meta.models import NodeMetadata, Project
from recce_meta.models.lineage import (
    REFERENCES_SINCE,
    ColumnGraph,
    ColumnOutput,
    ColumnSource,
    ColumnUse,
    Kind,
    NodeColumns,
    Usage,
    lineage_id_of,
)
from recce_meta.store.write import record_run

COLUMNS = 15
STARRED = frozenset({"c4", "c5", "c6", "c7"})
TARGETS = {
    "a column that reaches {} of 5,000 models": "raw.t0.c12",
    "a column that reaches {} of 5,000 models, most by their rows": "raw.t3.c0",
    "a whole model, which reaches {} of 5,000": "stg_subscription_00003",
}
MOST = 0.5
"""Maximum seconds."""


def rewired(project: Project) -> Project:
    """Return *project* with other parents: some models have many readers, and paths have up to twenty
    steps.
    """
    chance = random.Random(7)
    models = [node for node in project.nodes if node.resource_type == "model"]
    place = {node.unique_id: i for i, node in enumerate(sorted(models, key=lambda one: one.name[-5:]))}
    ids = list(place)

    def parents(node: NodeMetadata) -> tuple[str, ...]:
        i = place.get(node.unique_id, 0)
        if node.resource_type != "model" or node.parents[0].startswith("source."):
            return node.parents
        near, hub = ids[chance.randrange(i * 3 // 4, i)], ids[int(i * chance.random() ** 4)]
        return tuple(sorted({near, hub}))

    return replace(project, nodes=tuple(replace(node, parents=parents(node)) for node in project.nodes))


def column_graph(project: Project) -> ColumnGraph:
    """Return synthetic columns for each node of *project*."""
    ids = {
        node.unique_id: lineage_id_of(REFERENCES_SINCE, sha256(node.unique_id.encode()).hexdigest()[:32])
        for node in project.nodes
    }
    return ColumnGraph(
        lineage_ids=ids, analyses={ids[node.unique_id]: columns_of(node) for node in project.nodes}
    )


def columns_of(node: NodeMetadata) -> NodeColumns:
    """Return columns c0 to c14: eight from a model's left parent, four from its right parent."""
    if not node.parents:
        return NodeColumns(outputs=tuple(ColumnOutput(f"c{i}", Kind.SOURCE) for i in range(COLUMNS)))
    left, right = node.parents[0], node.parents[-1]
    if node.resource_type == "test":
        tested = int(sha256(node.unique_id.encode()).hexdigest()[:4], 16) % COLUMNS
        return NodeColumns(
            uses=(ColumnUse(Usage.FILTER, left, f"c{tested}"),),
            references=(ColumnSource(left, f"c{tested}"),),
        )
    made = {
        12: (Kind.DERIVED, [(left, "c1"), (right, "c2"), (right, "c12")]),
        13: (Kind.AGGREGATED, [(left, "c13")]),
        14: (Kind.CONSTANT, []),
    }
    outputs = []
    for i in range(COLUMNS):
        kind, sources = made.get(i, (Kind.PASSTHROUGH, [(left if i < 8 else right, f"c{i}")]))
        found = tuple(sorted({ColumnSource(parent, name) for parent, name in sources}))
        outputs.append(ColumnOutput(f"c{i}", kind, None, found))
    uses = {ColumnUse(Usage.JOIN, left, "c0"), ColumnUse(Usage.JOIN, right, "c0")}
    uses.add(ColumnUse(Usage.FILTER, left, "c3"))
    # All columns that it reads by name; four columns come through a star.
    named = {source for output in outputs for source in output.sources if source.column not in STARRED}
    named |= {ColumnSource(use.parent, use.column) for use in uses}
    return NodeColumns(outputs=tuple(outputs), uses=tuple(sorted(uses)), references=tuple(sorted(named)))


def store_of(large: Path, scratch: Path) -> Path:
    """Return a store with the project in *large* and its columns."""
    path = scratch / "impact.duckdb"
    project = rewired(extracted(large))
    with adapter_at(path) as adapter:
        record_run(adapter, project, analyse=lambda _known: column_graph(project))
    return path


def asked(path: Path, target: str, *options: str, rounds: int = 9) -> list[Timing]:
    """Return the best timings of `impact` for *target*, and of importing its drivers, in separate
    processes.
    """
    url = f"duckdb:///{path}"
    program = [sys.executable, "-m", "recce_meta", "impact", target, "--url", url, *options]
    return best_of(command(program), command([sys.executable, "-c", DRIVERS]), rounds=rounds)


def reached(path: Path, target: str) -> int:
    """Return the number of models that *target* affects."""
    with adapter_at(path) as adapter:
        view = load_impact(lambda: adapter, "latest", target)
    return sum(node.resource_type == "model" and node.distance > 0 for node in view.nodes)


def asked_in_sql(path: Path, unique_id: str, column: str) -> Timing:
    """Return the best timing of querying the view for one column."""
    query = (
        "SELECT * FROM recce_metadata.column_impact WHERE run_id = (SELECT MAX(run_id) FROM "
        f"recce_metadata.runs) AND node_id = '{unique_id}' AND column_name = '{column}'"
    )
    with adapter_at(path) as adapter:
        (timing,) = in_turns(lambda: adapter.execute(query), rounds=3)
    return timing


def run(large: Path, scratch: Path) -> list[Figure]:
    """Run all measurements; *large* has 5,000 models."""
    path = store_of(large, scratch)
    figures = []
    for words, target in TARGETS.items():
        what = f"recce-meta impact of {words.format(reached(path, target))}"
        ours, drivers = asked(path, target, "--format", "json")
        line = compared(what, ours, drivers, 3, "importing its drivers")
        target_time = f"< {MOST * 1e3:.0f} ms"
        figures.append(Figure(what, line.ours, line.floor, line.ratio, target_time, ours.wall < MOST))
    view = asked_in_sql(path, "source.shop.raw.t0", "c12")
    figures.append(within("the view column_impact, one column of 5,000 models", view, 2.0))
    return figures


def main() -> None:
    """Measure in a temporary folder."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        print(markdown(run(write(scratch / "large", 5_000, 3_534), scratch)))


if __name__ == "__main__":
    main()
