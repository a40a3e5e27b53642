"""Part of a lineage graph with the position of each node, as pages, reports and editors draw it.

Encoded as JSON, these types are the input of `report/html/static/graph.js`. Fields with their default value
are left out. Positions are pixels at a zoom of 1: the left upper corner of a box of `BOX_WIDTH` by
`BOX_HEIGHT`. Parents are to the left of their children, except along edges of a cycle.
"""

from __future__ import annotations

from msgspec import Struct

BOX_WIDTH, BOX_HEIGHT = 200, 44
"""Size of the box of a node whose columns are folded."""
LAYER_PITCH, ROW_PITCH = 280, 60
"""Distance between the boxes of neighbouring layers, and of neighbours in one layer."""


class GraphNode(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Node of a graph."""

    id: str
    """Unique id."""
    name: str
    type: str
    """Resource type: `model`, `source`, `test`, …"""
    x: int
    y: int
    materialized: str = ""
    package: str = ""
    path: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    relation: str = ""
    status: str = ""
    """`added`, `removed`, `modified` or `impacted` in the graph of a diff; empty for an unaffected node."""
    category: str = ""
    """Category of the change: `breaking`, `partial_breaking`, `non_breaking`, `no_effect`, `unknown`."""
    words: str = ""
    """Status and category in words: `modified, breaking`."""
    tests: str = ""
    """Tests in words: `1 of 4 tests failed`."""
    tests_tone: str = ""
    """Worst result of the tests: `failed`, `warned`, `passed`; empty if unknown."""
    review: str = ""
    """Review of the node in words: `approved by Ann`."""
    note: str = ""
    """Note of users on the node, in one line."""
    columns: int = 0
    """Number of known columns."""
    parents: int = 0
    """Number of parents that the view does not show."""
    children: int = 0
    """Number of children that the view does not show."""
    layer: int = 0
    """Position from the left."""
    href: str = ""
    """Address of the node's page."""


# An array in JSON, because the names of fields would be most of an edge's text.
class GraphEdge(Struct, frozen=True, array_like=True):
    """Edge of a graph: `[parent, child, flags, bends]`."""

    parent: int
    """Index of the node that is read."""
    child: int
    """Index of the node that reads."""
    flags: int = 0
    """Sum of `ADDED`, `REMOVED`, `UNCERTAIN`, `INDIRECT` and `BACKWARD`."""
    bends: tuple[int, ...] = ()
    """Vertical position in each layer between the ends, from the parent: the edge misses boxes there."""


ADDED, REMOVED, UNCERTAIN, INDIRECT, BACKWARD = 1, 2, 4, 8, 16
"""Flags of an edge: only in current; only in base; not certain; through hidden nodes; closes a cycle."""


class GraphView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Part of a lineage graph with the position of each node."""

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    total: int
    """Number of nodes of the whole graph."""
    focus: tuple[str, ...] = ()
    """Ids of the nodes at which the view opens."""
    hidden_hubs: tuple[str, ...] = ()
    """Ids of the nodes with many neighbours that the view leaves out."""
    is_cut: bool = False
    """True if nodes were left out because the view would be too large."""
    notes: tuple[str, ...] = ()
    """What the view leaves out or cannot show, in sentences."""


class GraphColumn(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Column of an unfolded node."""

    name: str
    type: str = ""
    status: str = ""
    """`added`, `removed` or `modified` in the graph of a diff; `impacted` if a change reaches it."""
    about: str = ""
    """Effect of the change in words."""


class GraphColumns(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Page of the columns of one node."""

    node: str
    columns: tuple[GraphColumn, ...]
    total: int
    """Number of columns that the search finds."""
    page: int = 1
    pages: int = 1
    note: str = ""
    """Why columns are not known, in a sentence."""


class PathColumn(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Column on the path of another."""

    node: str
    """Unique id."""
    name: str
    """Name of the node."""
    column: str
    type: str = ""
    side: str = ""
    """`up` if the asked column comes from it, `down` if it comes from the asked column; empty for itself."""
    expression: str = ""
    """SQL of the column in its node; empty for a column that is passed on unchanged."""
    kind: str = ""
    """`passthrough`, `renamed`, `derived`, … of the step to this column."""
    confidence: str = ""
    """How certain the step is, in words; empty if it is certain."""
    href: str = ""


class PathRows(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Column that decides which rows a node has, or how they are grouped, rather than a value."""

    node: str
    column: str
    reader: str
    """Unique id of the node whose rows it decides."""
    usage: str
    """`filter`, `join`, `group` or `order`."""


class ColumnPath(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All columns that a column comes from, and that come from it."""

    node: str
    column: str
    columns: tuple[PathColumn, ...]
    edges: tuple[tuple[int, int], ...]
    """Indexes in `columns`: source, and what is computed from it."""
    rows: tuple[PathRows, ...] = ()
    is_cut: bool = False
    notes: tuple[str, ...] = ()
