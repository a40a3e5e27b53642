"""catalog.json: the columns that the warehouse really has, put on the nodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from msgspec import UNSET
from msgspec.structs import asdict, replace

from recce_meta.errors import ArtifactError
from recce_meta.extractors.artifact import (
    CatalogColumn,
    CatalogTable,
    RawCatalog,
    check_header,
    decode,
    not_a,
    read_artifact,
)
from recce_meta.models import Column, NodeMetadata

NOT_IN_CATALOG = "columns_not_in_catalog"
"""The property that keeps documented columns which the relation does not have."""


def extract_columns_from_catalog(path: str | Path, nodes: Iterable[NodeMetadata]) -> list[NodeMetadata]:
    """*nodes* with their columns as the catalog at *path* has them, in ordinal order.

    A column is matched to its documentation exactly, then whatever the case. Nodes that the catalog
    does not know keep the documented columns (`columns_from` says which).

    Raises ArtifactError where the catalog is damaged, or knows none of the nodes: it is another project's.
    """
    nodes = list(nodes)
    tables = read_catalog(Path(path))
    if tables and not any(node.unique_id in tables for node in nodes):
        raise ArtifactError(
            f"{path} is another project's catalog: none of its {len(tables)} relations is in the manifest",
            hint="run dbt docs generate in this project, or leave the catalog out",
        )
    return [
        _with_columns(node, tables[node.unique_id]) if node.unique_id in tables else node for node in nodes
    ]


def read_catalog(path: Path) -> dict[str, CatalogTable]:
    """The catalog's relations by unique id."""
    raw = decode(read_artifact(path), path, "catalog.json", RawCatalog)
    check_header(raw.metadata, path, "catalog.json")
    if raw.nodes is None and raw.sources is None:
        raise not_a("catalog.json", path, "it has neither 'nodes' nor 'sources'")
    return {**(raw.nodes or {}), **(raw.sources or {})}


def _with_columns(node: NodeMetadata, table: CatalogTable) -> NodeMetadata:
    columns, missing = merge_columns(node.columns, table.columns.values())
    if not columns:
        return node
    properties: dict[str, Any] = node.properties
    if missing:
        properties = {**properties, NOT_IN_CATALOG: [_bare(column) for column in missing]}
    return replace(node, columns=columns, columns_from="catalog", properties=properties)


def merge_columns(
    documented: Sequence[Column], found: Iterable[CatalogColumn]
) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """The relation's columns with their documentation, and the documented ones that it does not have."""
    in_order = sorted(found, key=lambda column: column.index)
    names = {column.name for column in in_order}
    exact = {column.name: column for column in documented}
    # Documentation of a column that is there by its exact name is not that of another one, in quotes.
    folded = {column.name.lower(): column for column in documented if column.name not in names}
    used: set[str] = set()
    columns = []
    for column in in_order:
        match = exact.get(column.name) or folded.get(column.name.lower())
        if match is None:
            columns.append(Column(name=column.name, type=column.type))
        else:
            used.add(match.name)
            columns.append(replace(match, name=column.name, type=column.type))
    return tuple(columns), tuple(column for column in documented if column.name not in used)


def _bare(column: Column) -> dict[str, Any]:
    empty = Column(name="")
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(column).items()
        if value is not UNSET and value != getattr(empty, key)
    }
