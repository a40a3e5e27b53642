"""One node of a run with everything that is recorded about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from recce_meta.api.run_reader import StoredRunReader
from recce_meta.diff.scan import is_scan
from recce_meta.errors import StoreError
from recce_meta.models import NodeMetadata, NodeResult, RunMetadata
from recce_meta.models.catalog import RelationFacts
from recce_meta.models.lineage import ForeignKey, NodeColumns
from recce_meta.store.columns import load_columns
from recce_meta.store.read import foreign_keys_of, load_facts

MOST_LISTED = 1000
"""Largest number of parents, and of children, that are listed."""


class NodeName(Struct, frozen=True, kw_only=True):
    """Node next to another node."""

    unique_id: str
    label: str
    resource_type: str


class NodeDetails(Struct, frozen=True, kw_only=True):
    """One node of a run."""

    run: RunMetadata
    node: NodeMetadata
    """The node with its code, columns and configuration."""
    label: str
    """Name with the version, if any: `orders.v2`; `public.film` for a scanned relation."""
    parents: Sequence[NodeName]
    """Nodes that the node reads, sorted by unique id."""
    children: Sequence[NodeName]
    """Nodes that read the node, including its tests, sorted by unique id."""
    truncated: bool
    """True if parents or children were left out, because there are more than 1,000."""
    results: Sequence[NodeResult]
    """dbt's result of the node in this run; empty if dbt did not run it."""
    column_lineage: NodeColumns | None
    """Sources of its columns; null if the run was recorded without column lineage."""
    foreign_keys: Sequence[ForeignKey]
    """Foreign keys of a scanned table, from it and to it."""
    facts: RelationFacts | None
    """Size and times of a scanned table at the time of the scan."""


def node_details(
    reader: StoredRunReader, unique_id: str, parents: Iterable[str], children: Iterable[str]
) -> NodeDetails:
    """Return the node *unique_id* of the run of *reader*, with its neighbours *parents* and *children*.

    Raises StoreError if the store has the name of the node only.
    """
    node = reader.nodes([unique_id]).get(unique_id)
    if node is None:
        raise StoreError(
            f"Node '{unique_id}' cannot be read from the store",
            hint="record its run again with recce-meta record",
        )
    run, adapter = reader.run, reader.adapter
    above, below = _names(parents, reader.names), _names(children, reader.names)
    columns = load_columns(adapter, run, node_ids=[unique_id])
    is_scanned = is_scan(run)
    # Only scans have facts and foreign keys, which saves two statements.
    facts = load_facts(adapter, run) if is_scanned else ()
    return NodeDetails(
        run=run,
        node=node,
        label=node.label,
        parents=above[:MOST_LISTED],
        children=below[:MOST_LISTED],
        truncated=max(len(above), len(below)) > MOST_LISTED,
        results=[result for result in reader.results if result.unique_id == unique_id],
        column_lineage=None if columns is None else columns.get(unique_id),
        foreign_keys=foreign_keys_of(adapter, run, unique_id) if is_scanned else (),
        facts=next((one for one in facts if one.unique_id == unique_id), None),
    )


def _names(ids: Iterable[str], names: Mapping[str, NodeMetadata]) -> list[NodeName]:
    return [
        NodeName(
            unique_id=unique_id,
            # A parent that the run does not contain is known by its id alone.
            label=names[unique_id].label if unique_id in names else unique_id,
            resource_type=names[unique_id].resource_type if unique_id in names else unique_id.split(".")[0],
        )
        for unique_id in sorted(set(ids))
    ]
