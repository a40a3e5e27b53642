"""Impact of a node or column of a stored run, with the owners of what is affected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from recce_meta.api.impact import Address, ColumnNames, as_bound, column_names, find_column, impact_at
from recce_meta.api.run_reader import RunReader
from recce_meta.models import NodeMetadata
from recce_meta.models.lineage import Direction, ImpactView
from recce_meta.models.node import NodeOutline
from recce_meta.report.review.notes import owners_of as annotated_owners

LACKS_COLUMNS = "The run was recorded without column lineage: whole nodes are listed"


class ImpactReport(Struct, frozen=True, kw_only=True):
    """Impact of a node or column, with the owners of the affected nodes."""

    view: ImpactView
    columns: tuple[str, ...]
    """Known columns of the node."""
    owners: Mapping[str, str]
    """Owner of exposures, of nodes with a group, and of those that users annotated, by unique id."""


def impact_report(run: RunReader, unique_id: str, column: str | None, direction: Direction) -> ImpactReport:
    """Return what the node *unique_id* of *run*, or its *column*, affects in *direction*.

    Nothing is analysed: without stored column lineage, whole nodes are listed. Raises SelectorError if the
    node has no such column.
    """
    with run.session():
        address = Address(unique_id)
        names = column_names(run, unique_id) if run.has_columns else ColumnNames((), are_all=False)
        if column is not None:
            address = find_column(column, address, names)
        view = impact_at(run, address, names, direction)
        ids = [node.unique_id for node in view.nodes]
        owners = joined_owners(owners_of(run, ids), annotated_owners(run.annotations(ids)))
    view = as_bound(view, run)
    return ImpactReport(view=view, columns=tuple(names.known), owners=owners)


def joined_owners(owners: Mapping[str, str], annotated: Mapping[str, str]) -> dict[str, str]:
    """Return the *owners* that the project names, followed by those that users *annotated*.

    >>> joined_owners({"a": "Finance", "b": "Ops"}, {"a": "Ann"})
    {'a': 'Finance, Ann', 'b': 'Ops'}
    """
    return {
        one: ", ".join(filter(None, (owners.get(one), annotated.get(one)))) for one in {**owners, **annotated}
    }


def owners_of(run: RunReader, ids: Iterable[str]) -> dict[str, str]:
    """Return the owner of each of the nodes *ids* that has one: an exposure's, or that of its group."""
    nodes = [run.names[unique_id] for unique_id in ids if unique_id in run.names]
    # In dbt, a group is a node, which has such an id.
    groups = {
        node.unique_id: f"group.{node.package_name}.{node.group_name}" for node in nodes if node.group_name
    }
    exposures = [node.unique_id for node in nodes if node.resource_type == "exposure"]
    wanted = {*groups.values(), *exposures}
    if not wanted:
        return {}
    # One statement for groups and exposures together.
    found = run.described(sorted(wanted))
    owners = {unique_id: _owner(found.get(unique_id)) for unique_id in exposures}
    for unique_id, group in groups.items():
        name = str(run.names[unique_id].group_name)
        owner = _owner(found.get(group))
        owners[unique_id] = f"{name} ({owner})" if owner else name
    return {unique_id: owner for unique_id, owner in owners.items() if owner}


def owner_of(node: NodeMetadata | NodeOutline) -> str:
    """Return the owner that a node names: in the database, in its meta, or in the meta of its config."""
    configured = node.config.get("meta")
    places = (node.properties, node.meta, configured if isinstance(configured, Mapping) else {})
    return next((owner for place in places if (owner := _phrase(place.get("owner")))), "")


def _owner(node: NodeMetadata | None) -> str:
    """Return `Finance, finance@example.com`; empty without an owner."""
    return _phrase(node.properties.get("owner")) if node is not None else ""


def _phrase(owner: object) -> str:
    if isinstance(owner, Mapping):
        parts = [owner.get("name"), owner.get("email")]
        return ", ".join(str(part) for part in parts if isinstance(part, str) and part)
    return str(owner) if owner else ""
