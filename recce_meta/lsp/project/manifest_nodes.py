"""Nodes of dbt's manifest after changes of the project's files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from recce_meta.extractors.artifact import CatalogColumn
from recce_meta.extractors.project import merge_columns
from recce_meta.graph import build_lineage_graph
from recce_meta.models import Column, NodeMetadata


def without_old_lists(nodes: Mapping[str, NodeMetadata], changed: Iterable[str]) -> dict[str, NodeMetadata]:
    """Return the models of which the catalog lists columns that they may have no longer, without that list.

    Those are *changed*, and all that may pass on their columns by a `*`. The columns of the catalog then only
    give types. A contract fixes the columns.
    """
    below = build_lineage_graph(nodes.values()).downstream(changed)
    return {
        name: replace(node, columns_from="manifest")
        for name in below
        if (node := nodes[name]).columns_from == "catalog"
        and node.resource_type == "model"
        and not node.contract
    }


def described(was: NodeMetadata, now: NodeMetadata) -> NodeMetadata:
    """Return *was* with the descriptions of *now*, except those that only dbt can render."""
    old = {column.name.lower(): column.description for column in was.columns}
    columns = tuple(
        replace(column, description=old.get(column.name.lower(), ""))
        if "{{" in column.description
        else column
        for column in now.columns
    )
    text = was.description if "{{" in now.description else now.description
    if was.columns_from != "catalog":
        return replace(was, description=text, columns=columns, columns_from=now.columns_from)
    return replace(was, description=text, columns=_in_catalog(was, columns))


def _in_catalog(was: NodeMetadata, documented: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns that the catalog has of *was*, as they are *documented* now."""
    found = (
        CatalogColumn(name=column.name, type=column.type, index=number)
        for number, column in enumerate(was.columns)
    )
    return merge_columns(documented, found)[0]


def updated(was: NodeMetadata, now: NodeMetadata) -> NodeMetadata:
    """Return *now*, read by our own reader, with what dbt knows better from the time of *was*."""
    places = ("database", "schema", "alias", "materialized", "target_schema", "target_database")
    moved = any(was.config.get(key) != now.config.get(key) for key in places)
    if now.resource_type == "source":
        # Our own reader does not render the place; the names that dbt compiled must still be found.
        moved = (was.identifier, was.schema_name) != (now.identifier, now.schema_name)
    if not moved:
        now = replace(
            now,
            database_name=was.database_name,
            schema_name=was.schema_name,
            identifier=was.identifier,
            relation_name=was.relation_name,
        )
        if now.resource_type == "source" and was.columns_from == "catalog":
            # No file of the project changes the columns of a source.
            now = replace(now, columns=_in_catalog(was, now.columns), columns_from="catalog")
    return replace(now, properties={**was.properties, **now.properties})
