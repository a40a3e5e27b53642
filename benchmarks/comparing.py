"""Diff of two stored runs of 5,000 models, by the number of differences."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from msgspec.structs import replace

from benchmarks.measure import Figure, in_turns, within
from benchmarks.recording import adapter_at, extracted, fresh_run, with_changed_models
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.diff import diff
from recce_meta.api.kept_diffs import KeptDiffs
from recce_meta.api.record import record_run
from recce_meta.graph import build_lineage_graph
from recce_meta.models import NodeMetadata, Project, code_hash

NEW_CONFIG_KEY = "batch_retries"
A_CHANGE = 0.010
"""Maximum seconds for classifying a change of one model's SQL."""
SAME_PAIR_SECONDS = 0.3


def moved(project: Project, schema: str) -> Project:
    """Return *project* built in another schema."""
    old = project.run.target_schema or ""

    def node_in_schema(node: NodeMetadata) -> NodeMetadata:
        if node.resource_type == "source" or node.schema_name is None:
            return node
        texts = {
            name: text and text.replace(f'"{old}', f'"{schema}')
            for name, text in (("relation_name", node.relation_name), ("compiled_code", node.compiled_code))
        }
        return replace(node, schema_name=node.schema_name.replace(old, schema, 1), **texts)

    nodes = tuple(map(node_in_schema, project.nodes))
    return replace(project, nodes=nodes, run=replace(project.run, target_schema=schema))


def upgraded(project: Project) -> Project:
    """Return *project* parsed by a dbt that writes one more key into every configuration."""
    nodes = tuple(replace(node, config={**node.config, NEW_CONFIG_KEY: None}) for node in project.nodes)
    return replace(project, nodes=nodes, run=replace(project.run, dbt_version="1.12.0"))


def renamed(project: Project, most: int) -> Project:
    """Return *project* with a column renamed in *most* of its models."""
    nodes = list(project.nodes)
    models = [i for i, node in enumerate(nodes) if node.resource_type == "model"]
    for i in models[:: max(1, len(models) // most)][:most]:
        raw, compiled = (
            (text or "").replace("l.amount as amount", "l.amount as own_amount")
            for text in (nodes[i].raw_code, nodes[i].compiled_code)
        )
        nodes[i] = replace(nodes[i], raw_code=raw, compiled_code=compiled, code_hash=code_hash(raw))
    return replace(project, nodes=tuple(nodes))


def run(large: Path, scratch: Path) -> list[Figure]:
    """Run all measurements; *large* has 5,000 models."""
    store = scratch / "diff.duckdb"
    store.unlink(missing_ok=True)
    base = extracted(large)
    others = {
        "nothing differs": (base, 0),
        "3 models changed": (with_changed_models(base, 3), 3),
        "50 models renamed a column": (renamed(base, 50), 50),
        "300 models changed": (with_changed_models(base, 300), 300),
        "every relation in another schema": (moved(base, "pr_7"), 0),
        "another dbt, every configuration differs": (upgraded(base), 0),
    }
    runs = {what: fresh_run(project) for what, (project, _) in others.items()}
    with adapter_at(store) as adapter:
        record_run(adapter, base)
        for project in runs.values():
            record_run(adapter, project)
        timings = in_turns(
            *(partial(diff, lambda: adapter, base.run.run_id, run.run.run_id) for run in runs.values()),
            rounds=5,
        )
        again = same_pair_again(adapter, base, runs["50 models renamed a column"])
    store.unlink()
    return [
        *(
            within(f"diff of two stored runs of 5,000 models: {what}", timing, 1 + changed * A_CHANGE)
            for (what, (_, changed)), timing in zip(others.items(), timings, strict=True)
        ),
        again,
        linking(),
    ]


def same_pair_again(adapter: UnifiedSqlAdapter, base: Project, current: Project) -> Figure:
    """Ask again for a diff that the store has, as another process does: nothing is in memory."""
    ids = (base.run.run_id, current.run.run_id)
    first = KeptDiffs(saves=True)
    [computed] = in_turns(partial(diff, lambda: adapter, *ids, kept=first), rounds=1)
    first.save(adapter)
    [again] = in_turns(lambda: diff(lambda: adapter, *ids, kept=KeptDiffs()), rounds=5)
    return Figure(
        "the diff of two stored runs, 50 of 5,000 models renamed a column, asked again",
        f"{again.cpu:.3f} s",
        f"computed: {computed.cpu:.2f} s",
        f"{again.cpu / computed.cpu:.3f}",
        "0.3 s",
        again.cpu <= SAME_PAIR_SECONDS,
    )


def linking(small: int = 2_000, large: int = 16_000) -> Figure:
    """Check that linking and walking the graph takes linear time."""

    def project(size: int) -> list[NodeMetadata]:
        return [
            NodeMetadata(
                unique_id=f"n{i:06}",
                name=f"n{i:06}",
                resource_type="model",
                parents=tuple(f"n{i * k // 4:06}" for k in (1, 2, 3) if i),
            )
            for i in range(size)
        ]

    fewer, more = project(small), project(large)
    few, many = in_turns(
        lambda: build_lineage_graph(fewer).impact(["n000000"]),
        lambda: build_lineage_graph(more).impact(["n000000"]),
    )
    ratio = many.cpu / few.cpu
    return Figure(
        f"link and walk a graph of {large:,} nodes",
        f"{many.cpu * 1e3:.0f} ms",
        f"of {small:,} nodes: {few.cpu * 1e3:.0f} ms",
        f"{ratio:.1f}",
        f"about {large // small}",
        ratio <= 2 * large / small,
    )
