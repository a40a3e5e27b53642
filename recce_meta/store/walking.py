"""What a walk over a stored run reads: nodes by what they are called, who reads whom, and which columns."""

from __future__ import annotations

from recce_meta.models import LineageEdge, NodeMetadata, RunMetadata
from recce_meta.store.migrate import StoreSession
from recce_meta.store.read import GROUP


def named_nodes(store: StoreSession, run: RunMetadata) -> dict[str, NodeMetadata]:
    """Every node of *run*, by unique id.

    Filled are name, resource type, version, source name and materialization; all else is as if it were empty.
    """
    return {
        str(row[0]): _named(*row)  # type: ignore[arg-type]
        for row in store.query("node_names", graph_id=run.graph_id)
        if row[2] != GROUP
    }


def node_edges(store: StoreSession, run: RunMetadata) -> list[LineageEdge]:
    """Every edge of *run*, in no order."""
    return [LineageEdge(str(row[0]), str(row[1])) for row in store.query("edges", graph_id=run.graph_id)]


def _named(
    unique_id: str,
    name: str,
    resource_type: str,
    version: str | None,
    source_name: str | None,
    materialized: str | None,
) -> NodeMetadata:
    return NodeMetadata(
        unique_id=unique_id,
        name=name,
        resource_type=resource_type,
        version=version,
        source_name=source_name,
        materialized=materialized,
    )
