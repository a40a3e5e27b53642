"""The diff of two stored runs of 5,000 models, by how much differs between them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from msgspec.structs import replace

from benchmarks.measure import Figure, in_turns, within
from benchmarks.recording import adapter_at, extracted, fresh_run, with_changed_models
from recce_meta.api.comparing import diff
from recce_meta.graph import build_lineage_graph
from recce_meta.models import NodeMetadata, Project
from recce_meta.store.write import record_run

NEW_CONFIG_KEY = "batch_retries"


def moved(project: Project, schema: str) -> Project:
    """*project* built in another schema."""
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
    """*project* parsed by a dbt that writes one more key into every configuration."""
    nodes = tuple(replace(node, config={**node.config, NEW_CONFIG_KEY: None}) for node in project.nodes)
    return replace(project, nodes=nodes, run=replace(project.run, dbt_version="1.12.0"))


def run(large: Path, scratch: Path) -> list[Figure]:
    """*large* has 5,000 models."""
    store = scratch / "diff.duckdb"
    store.unlink(missing_ok=True)
    base = extracted(large)
    others = {
        "nothing differs": base,
        "3 models changed": with_changed_models(base, 3),
        "300 models changed": with_changed_models(base, 300),
        "every relation in another schema": moved(base, "pr_7"),
        "another dbt, every configuration differs": upgraded(base),
    }
    runs = {what: fresh_run(project) for what, project in others.items()}
    with adapter_at(store) as adapter:
        record_run(adapter, base)
        for project in runs.values():
            record_run(adapter, project)
        timings = in_turns(
            *(partial(diff, lambda: adapter, base.run.run_id, run.run.run_id) for run in runs.values()),
            rounds=5,
        )
    store.unlink()
    return [
        *(
            within(f"diff of two stored runs of 5,000 models: {what}", timing, 1)
            for what, timing in zip(runs, timings, strict=True)
        ),
        linking(),
    ]


def linking(small: int = 2_000, large: int = 16_000) -> Figure:
    """Whether the graph is linked and walked in time that grows as the project does."""

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
