"""Lineage of nodes and columns, and results of the commands `lineage` and `impact`.

Column lineage has the sources of each column, and the columns that determine the rows. The types of an impact
also describe the upstream direction: the columns that a column is derived from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from enum import Enum
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from recce_meta.models.change import Reach
from recce_meta.models.marks.annotation import Annotation
from recce_meta.models.node import EdgeOrigin, LineageEdge
from recce_meta.models.rows import StringEnum, Tabular


class Direction(str, Enum):
    """Direction of a lineage."""

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
    """Edge with its origin, which is None if it was not recorded."""

    kind: str | None = None
    """ref, source, catalog, or sql."""
    confidence: float | None = None

    @classmethod
    def of(cls, node_id: str, parent_id: str, origin: EdgeOrigin | None) -> KnownEdge:
        """Return the edge with its *origin*."""
        if origin is None:
            return cls(node_id, parent_id)
        return cls(node_id, parent_id, origin.kind, origin.confidence)


class ForeignKey(Struct, frozen=True, kw_only=True):
    """Foreign key of a scanned database: rows of *node_id* refer to rows of *parent_id*. Not a data flow."""

    node_id: str
    parent_id: str
    name: str | None = None
    columns: tuple[str, ...] = ()
    parent_columns: tuple[str, ...] = ()
    """Parent column of each of `columns`; empty if the catalog does not report them."""
    on_update: str | None = None
    on_delete: str | None = None


class LineageView(Tabular, frozen=True, kw_only=True):
    """The node `root` with its upstream and downstream `nodes`, in `direction`."""

    root: str
    """Unique id of the requested node, which is one of `nodes`."""
    direction: Direction = Direction.BOTH
    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...] = ()
    """Edges with both ends in `nodes`; as `KnownEdge`, with their origin."""
    foreign_keys: tuple[ForeignKey, ...] = ()
    """Foreign keys of the root in a scanned database; they are not edges."""
    annotations: tuple[Annotation, ...] = ()
    """Notes, tags and owners of `nodes`, of their columns, and of edges to them."""


WARNINGS_SHOWN = 5
"""Number of nodes without column lineage to list when a run is recorded; the rest are counted."""


UNSURE = 0.5
"""Confidence of a read that only may happen: several columns fit, or the reader's columns are unknown."""


class Kind(StringEnum):
    """Derivation of an output column."""

    PASSTHROUGH = "passthrough"
    """An unchanged column with its own name."""
    RENAMED = "renamed"
    """An unchanged column with another name."""
    DERIVED = "derived"
    """An expression over columns, row by row; includes window functions."""
    AGGREGATED = "aggregated"
    """An expression with an aggregate: many rows become one."""
    SOURCE = "source"
    """A column of a source or seed, from outside the project."""
    CONSTANT = "constant"
    """An expression without any column."""


class Usage(StringEnum):
    """Use of a column that determines rows; its value need not flow into an output column."""

    FILTER = "filter"
    """`WHERE`, `HAVING`, `QUALIFY`, columns that a snapshot checks, and those of a `fail_calc`."""
    JOIN = "join"
    """Conditions of joins, and the unique key of a snapshot or of an incremental model."""
    GROUP = "group"
    """`GROUP BY`, and the columns of `DISTINCT` and of set operations that remove rows."""
    ORDER = "order"
    """`ORDER BY` of a query, which determines the rows if there is a limit."""


class Tier(StringEnum):
    """Quality of the input of the analysis."""

    GOLD = "gold"
    """Compiled SQL and graph of a manifest."""
    SILVER = "silver"
    """Models of a dbt project, with Jinja interpreted without dbt."""
    BRONZE = "bronze"
    """Plain SQL files."""


class ColumnSource(Struct, frozen=True, gc=False, order=True):
    """Column that a value is derived from."""

    parent: str
    """Unique id; the relation's name in SQL outside a project, or if no node has this relation."""
    column: str
    """Column in the parent's spelling, if known; `*` if no column is named."""
    confidence: float = 1.0
    """1.0 if the columns of everything the query reads are known, and no other source is possible."""


class ColumnOutput(Struct, frozen=True, gc=False):
    """Output column, in the order of the query."""

    name: str
    kind: Kind
    expression: str | None = None
    """SQL of the expression, at most `MOST_EXPRESSION` characters; None for an unchanged column."""
    sources: tuple[ColumnSource, ...] = ()
    """Source columns, sorted; empty for constants, and if the sources are unknown."""


class ColumnUse(Struct, frozen=True, gc=False, order=True):
    """Column that determines the rows of a node."""

    usage: Usage
    parent: str
    column: str
    confidence: float = 1.0


class NodeColumns(Struct, frozen=True, gc=False, kw_only=True):
    """Column lineage of one node."""

    tier: Tier = Tier.GOLD
    outputs: tuple[ColumnOutput, ...] = ()
    uses: tuple[ColumnUse, ...] = ()
    """Columns that determine its rows, sorted."""
    references: tuple[ColumnSource, ...] = ()
    """All columns referenced in its SQL, sorted: it fails if one of them is removed or renamed."""
    reason: str | None = None
    """Why there are no outputs, in one sentence: SQL that does not parse, a Python model, no time left."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the output columns, in order."""
        return tuple(output.name for output in self.outputs)

    @property
    def parents(self) -> frozenset[str]:
        """Nodes with a column that the node reads or names."""
        sources = {source.parent for output in self.outputs for source in output.sources}
        return frozenset(
            [*sources, *(one.parent for one in self.uses), *(one.parent for one in self.references)]
        )


EVERYTHING = "*"
"""Column name that stands for unnamed columns."""


def is_written(columns: NodeColumns) -> bool:
    """Return True if any column of another node may determine the rows: its hook may write them."""
    return any(use.column == EVERYTHING and use.confidence <= UNSURE for use in columns.uses)


class ColumnEdge(NamedTuple):
    """Column-level edge of a stored run: one column that a node reads."""

    node_id: str
    """Unique id of the reading node."""
    column_name: str | None
    """Output column that the value flows into; None for a column that determines the node's rows."""
    parent_id: str
    parent_column: str
    kind: str
    """A `Kind`; without *column_name*, a `Usage` or `REFERENCED`."""
    confidence: float


class ColumnGraph(Struct, frozen=True, kw_only=True):
    """Column lineage of a whole run, identified by the content that it was computed from."""

    lineage_ids: dict[str, str]
    """Hashes of SQL, dialect, tier and parents' columns, by unique id of each examined node."""
    analyses: dict[str, NodeColumns]
    """New analyses by lineage id, without those already known from earlier runs."""
    warnings: tuple[str, ...] = ()
    """One sentence for each node that could not be analysed now."""


KnownColumns: TypeAlias = Mapping[str, tuple[str, ...]]
"""Names of output columns by lineage id, for analyses that are already stored."""
Analyse: TypeAlias = Callable[[KnownColumns], ColumnGraph]
"""Function that computes the column lineage of a project, except for known analyses."""

REFERENCED = "referenced"
"""Kind of an edge to a node that references the column: removals affect the node, changed values do not."""

REFERENCES_SINCE = 4
"""First version of the analysis with `references`."""
_VERSIONED = re.compile(r"v(\d{1,4})\.")


def lineage_id_of(version: int, digest: str) -> str:
    """Return the id of an analysis by its *version* and the hash of its input."""
    return f"v{version}.{digest}"


def has_references(lineage_id: str) -> bool:
    """Return True if the analysis *lineage_id* includes references.

    >>> has_references(lineage_id_of(4, "07c3")), has_references("07c3")
    (True, False)
    """
    found = _VERSIONED.match(lineage_id)
    return found is not None and int(found[1]) >= REFERENCES_SINCE


ARRIVED = "x"
"""Mark in the id of an analysis that came from outside; digits of a hash and versions lack it."""


def arrived_lineage_id(lineage_id: str, digest: str) -> str:
    """Return the id of an analysis from outside: a recorder never uses it, because it hashes no inputs.

    >>> arrived_lineage_id("v4.07c3", "0123456789")
    'v4.x123456789'
    """
    found = _VERSIONED.match(lineage_id)
    return f"{found[0] if found else ''}{ARRIVED}{digest[1:]}"


# Stored analyses have only the text of the reason.
_LATE = re.compile(r" (?:in|within|after) [0-9.e+-]+ s\)?$")


def is_late(reason: str) -> bool:
    """Return True if *reason* says that the analysis of a node timed out.

    >>> is_late("no result within 10 s"), is_late("does not parse (line 1, column 9)")
    (True, False)
    """
    return _LATE.search(reason) is not None


MOST_EXPRESSION = 1000
"""Most characters of a stored expression; longer expressions end in an ellipsis."""


def first_warnings(warnings: Collection[str]) -> tuple[str, ...]:
    """Return the first `WARNINGS_SHOWN` of *warnings*, and a sentence with the number of the rest."""
    shown = tuple(warnings)[:WARNINGS_SHOWN]
    hidden = len(warnings) - len(shown)
    if not hidden:
        return shown
    return (*shown, f"… and {hidden:,} more nodes: see the reasons in the view column_analysis")


class Influence(Struct, frozen=True, gc=False, order=True):
    """Column of the result that flows into another column, or determines the rows of a node."""

    parent_id: str
    column: str
    kind: str
    confidence: float = 1.0
    """Confidence of this single edge."""


class ReachedColumn(Struct, frozen=True, kw_only=True):
    """Affected column of a node."""

    name: str
    distance: int
    """Number of edges like that of the node; larger if the column is only on a longer path."""
    confidence: float
    """Confidence of the surest path, which is that of its weakest edge."""
    reach: Reach = Reach.COLUMNS
    """Upstream, `columns` flows into the requested column, and `rows` only determines its rows."""
    sources: tuple[Influence, ...] = ()
    """Columns of the result that this column is directly derived from, sorted."""


class Stop(Struct, frozen=True, gc=False):
    """Node on a path, and the column that the path goes through."""

    unique_id: str
    column: str | None = None
    """None for the node as a whole."""


class ReachedNode(Struct, frozen=True, kw_only=True):
    """Node affected by the change; upstream, a node that the root is derived from."""

    unique_id: str
    name: str
    resource_type: str
    distance: int
    """Edges on the shortest path: negative upstream, positive downstream, 0 for the root."""
    reach: tuple[Reach, ...]
    """Kinds of impact, in the order of `Reach`."""
    confidence: float
    """Confidence of the surest path to anything in the node."""
    path: tuple[Stop, ...]
    """A shortest path from the root to this node, both included."""
    columns: tuple[ReachedColumn, ...] = ()
    """Affected columns, sorted by name."""
    uses: tuple[Influence, ...] = ()
    """Columns of the result that determine the rows of this node, sorted; `kind` is a `Usage`."""
    reason: str | None = None
    """Why the columns of this node are unknown."""


class FailingNode(Struct, frozen=True, kw_only=True):
    """Node that fails if the column is removed or renamed, because its SQL references the column."""

    unique_id: str
    name: str
    resource_type: str
    distance: int
    """Edges on the shortest path; all except the last go through a `*`, which loses the column."""
    confidence: float
    """Confidence of the surest path."""
    path: tuple[Stop, ...]
    """A shortest path from the column to this node, both included."""
    references: tuple[Stop, ...]
    """Referenced columns: the requested column, or a column that a `*` derives from it. Sorted."""


class ImpactView(Tabular, frozen=True, kw_only=True):
    """The node `root`, or its column, and the nodes that it affects in `direction`."""

    root: str
    column: str | None
    """Column in the node's spelling; None for the whole node."""
    direction: Direction
    nodes: tuple[ReachedNode, ...]
    """Nodes including the root, from the farthest upstream to the farthest downstream."""
    edges: tuple[LineageEdge, ...] = ()
    """Edges between nodes of the result: each is the last edge of a path."""
    notes: tuple[str, ...] = ()
    """One sentence for each gap in the result."""
    fails: tuple[FailingNode, ...] | None = None
    """Nodes that fail if the column is removed or renamed, nearest first.

    None for a whole node, for the upstream direction, or if the run has no references.
    """
    doubtful: tuple[str, ...] = ()
    """Downstream nodes with SQL that was not traced or is a guess, so that more nodes may fail.

    They are in `nodes`: it is not certain that the change affects them.
    """
    annotations: tuple[Annotation, ...] = ()
    """Notes, tags and owners of `nodes`, of their columns, and of edges to them."""
