"""Deferred build: the nodes that dbt must build after a change; all others are read from base.

dbt gets the list of the nodes, and a manifest with the relations of base (`--defer --favor-state --state`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from recce_meta.api.browse.plan import plan_build
from recce_meta.api.run_reader import RunReader
from recce_meta.graph import build_lineage_graph, select
from recce_meta.models import NodeMetadata, Project, RunDiff, Status
from recce_meta.models.node_types import BUILT
from recce_meta.report.labels import TESTS

UNCOMPARED = "its SQL was not compared: base did not compile it"
LACKING = "a built node reads it, and base has no relation of it"
STALE = "a built node reads it, and in base {}"
SAME_SNAPSHOT = "Snapshots that write to one relation on both sides are not planned: {}"
ODD_TERMS = "These terms select other nodes, too: {}"
_EMPTY = (
    *("sources", "macros", "docs", "exposures", "metrics", "groups", "selectors", "disabled", "parent_map"),
    *("child_map", "group_map", "saved_queries", "semantic_models", "unit_tests", "functions"),
)
"""Parts of a manifest that dbt requires, and that may be empty."""


class DeferredBuild(Struct, frozen=True, kw_only=True):
    """Nodes to build, with the reason for each, and the terms that select them."""

    planned: Mapping[str, str]
    terms: tuple[str, ...]
    """Selection of the nodes, and of changed tests, in dbt's grammar."""
    skipped: tuple[str, ...]
    """Nodes downstream of changes that no change affects."""
    notes: tuple[str, ...] = ()

    def arguments(self, state_dir: str) -> list[str]:
        """Return the arguments of `dbt build` for the nodes, with the manifest of base in *state_dir*."""
        options = ["--indirect-selection", "eager", "--defer", "--favor-state", "--state", state_dir]
        return ["--select", *self.terms, *options]


def deferred_build(base: RunReader, current: RunReader, diff: RunDiff) -> DeferredBuild:
    """Return what must be built so that all data are those of *current*, whose changes are in *diff*."""
    nodes = {node.unique_id: node for node in current.project.nodes}
    plan = plan_build(diff, nodes)
    labels = {f"after {one}": f"after {node.label}" for one, node in nodes.items()}
    planned = {one.unique_id: labels.get(one.why, one.why) for one in plan.nodes if one.unique_id in nodes}
    planned |= {one: UNCOMPARED for one in diff.uncompared if one in nodes and one not in planned}
    planned |= _missing_parents(planned, base, nodes)
    planned = {one: why for one, why in planned.items() if not nodes[one].is_ephemeral}
    same = [one for one in planned if nodes[one].resource_type == "snapshot" and _is_shared(one, base, nodes)]
    planned = {one: why for one, why in planned.items() if one not in same}
    below = build_lineage_graph(nodes.values()).downstream(one.unique_id for one in diff.changed)
    skipped = [
        one
        for one in sorted(below.difference(planned))
        if one in nodes and nodes[one].resource_type in BUILT and not nodes[one].is_ephemeral
    ]
    terms, odd = _terms(planned, nodes, current.project)
    tests = [
        change.name
        for change in diff.changed
        if change.resource_type in TESTS and change.status is not Status.REMOVED
    ]
    notes = [SAME_SNAPSHOT.format(", ".join(nodes[one].label for one in same))] if same else []
    notes += [ODD_TERMS.format(", ".join(odd))] if odd else []
    return DeferredBuild(
        planned=planned,
        terms=(*terms, *dict.fromkeys(tests)),
        skipped=tuple(skipped),
        notes=tuple(notes),
    )


def _missing_parents(
    planned: Iterable[str], base: RunReader, nodes: Mapping[str, NodeMetadata]
) -> dict[str, str]:
    """Return what planned nodes read and base does not have, with the reason, and what that reads."""
    found: dict[str, str] = {}
    names, waiting = base.names, list(planned)
    seen = set(waiting)
    while waiting:
        for parent in nodes[waiting.pop()].parents:
            node = nodes.get(parent)
            if node is None or parent in seen or node.resource_type not in BUILT:
                continue
            was = names.get(parent)
            if node.is_ephemeral:
                pass
            elif was is None or was.is_ephemeral:
                found[parent] = LACKING
            elif parent in base.stale:
                found[parent] = STALE.format(base.stale[parent])
            else:
                continue
            seen.add(parent)
            waiting.append(parent)
    return found


def _is_shared(unique_id: str, base: RunReader, nodes: Mapping[str, NodeMetadata]) -> bool:
    was = base.nodes([unique_id]).get(unique_id)
    return was is not None and was.relation_name == nodes[unique_id].relation_name


def _terms(
    planned: Iterable[str], nodes: Mapping[str, NodeMetadata], project: Project
) -> tuple[list[str], list[str]]:
    """Return a term for each of *planned* that selects it alone, and those terms that select more."""
    graph = build_lineage_graph(project.nodes)
    terms, odd = [], []
    for unique_id in planned:
        for term in _forms(nodes[unique_id]):
            selected = select([term], nodes, graph, project=project)
            if {one for one in selected if nodes[one].resource_type in BUILT} == {unique_id}:
                break
        else:
            odd.append(term)
        terms.append(term)
    return terms, odd


def _forms(node: NodeMetadata) -> Iterator[str]:
    """Yield terms for *node*: the whole name may also be that of a folder."""
    yield ".".join(node.fqn) or node.name
    yield f"path:{node.path},resource_type:{node.resource_type}"


def state_manifest(base: Project) -> dict[str, Any]:
    """Return the manifest with the relations of *base* that dbt 1.8 and later need to defer to them."""
    metadata: dict[str, Any] = {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "dbt_version": base.run.dbt_version or "1.8.0",
        "generated_at": f"{base.run.run_at:%Y-%m-%dT%H:%M:%SZ}",
        "env": {},
        "adapter_type": base.run.adapter_type,
    }
    built = (node for node in base.nodes if node.resource_type in BUILT and not node.is_ephemeral)
    return {"metadata": metadata, "nodes": {node.unique_id: _entry(node) for node in built}} | {
        part: {} for part in _EMPTY
    }


def _entry(node: NodeMetadata) -> dict[str, Any]:
    return {
        "unique_id": node.unique_id,
        "resource_type": node.resource_type,
        "name": node.name,
        "package_name": node.package_name,
        "fqn": list(node.fqn),
        "alias": node.identifier,
        "database": node.database_name,
        "schema": node.schema_name,
        "relation_name": node.relation_name,
        "path": node.path,
        "original_file_path": node.path,
        "checksum": {"name": "none", "checksum": ""},
        **({"version": node.version} if node.version else {}),
    }
