"""The part of a graph that `recce-meta lineage NODE` answers with."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from recce_meta.models.node import LineageEdge


class Direction(str, Enum):
    """Which way a lineage was followed."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"
    BOTH = "both"


class LineageNode(Struct, frozen=True, kw_only=True):
    """One node of a lineage."""

    unique_id: str
    name: str
    resource_type: str
    distance: int
    """Edges to the root: negative upstream, positive downstream, 0 for the root itself."""


class KnownEdge(LineageEdge, frozen=True, gc=False, order=True):
    """An edge, and how it is known; None if that was not recorded."""

    kind: str | None = None
    """ref, source, catalog, or sql."""
    confidence: float | None = None


class ForeignKey(Struct, frozen=True, kw_only=True):
    """Rows of *node_id* refer to rows of *parent_id*, in a scanned database. No rows flow along it."""

    node_id: str
    parent_id: str
    name: str | None = None
    columns: tuple[str, ...] = ()
    parent_columns: tuple[str, ...] = ()
    """One beside each of `columns`; empty where the catalog does not tell."""
    on_update: str | None = None
    on_delete: str | None = None


class LineageView(Struct, frozen=True, kw_only=True):
    """A node with what it reads and what reads it."""

    root: str
    """The unique id that was asked for; it is one of `nodes`."""
    direction: Direction = Direction.BOTH
    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...] = ()
    """Edges whose two ends are both in `nodes`, as `KnownEdge` says how each is known."""
    foreign_keys: tuple[ForeignKey, ...] = ()
    """Those that begin or end at the root, in a scanned database; they are no edges."""
