"""What a change of a node, or of one of its columns, reaches: the answer of `recce-meta impact`.

The same words serve upstream, where the question is what a column is made of and what decides over its rows.
"""

from __future__ import annotations

from msgspec import Struct

from recce_meta.models.change import Reach
from recce_meta.models.lineage import Direction
from recce_meta.models.node import LineageEdge


class Influence(Struct, frozen=True, gc=False, order=True):
    """A column that is part of the answer, and flows into the column, or decides over the rows, at hand."""

    parent_id: str
    column: str
    kind: str
    confidence: float = 1.0
    """Of this one step."""


class ReachedColumn(Struct, frozen=True, kw_only=True):
    """One column of a reached node."""

    name: str
    distance: int
    """As of nodes; of another way than the node's own where it is longer."""
    confidence: float
    """That of the surest way, which is as sure as its least sure step."""
    reach: Reach = Reach.COLUMNS
    """Upstream `columns` flows into the column that was asked for, and `rows` only decides over rows."""
    sources: tuple[Influence, ...] = ()
    """The columns of the answer that this one comes from directly, sorted."""


class Stop(Struct, frozen=True, gc=False):
    """One step of a path: a node, and the column that the path goes through."""

    unique_id: str
    column: str | None = None
    """None: the node as a whole."""


class ReachedNode(Struct, frozen=True, kw_only=True):
    """One node that the change reaches; upstream, one that what was asked for is made of."""

    unique_id: str
    name: str
    resource_type: str
    distance: int
    """Steps on the shortest way: negative upstream, positive downstream, 0 for the root."""
    reach: tuple[Reach, ...]
    """In the order of `Reach`."""
    confidence: float
    """Of the surest way to anything in the node."""
    path: tuple[Stop, ...]
    """One shortest way, from what was asked for to this node, both included."""
    columns: tuple[ReachedColumn, ...] = ()
    """By name."""
    uses: tuple[Influence, ...] = ()
    """Columns of the answer that decide over the rows of this node, sorted; `kind` is a `Usage`."""
    reason: str | None = None
    """Why the columns of this node are not known."""


class FailingNode(Struct, frozen=True, kw_only=True):
    """One node that fails if the column is removed or renamed: its SQL names it."""

    unique_id: str
    name: str
    resource_type: str
    distance: int
    """Steps on the shortest way; all but the last go through a `*`, which loses the column."""
    confidence: float
    """Of the surest way."""
    path: tuple[Stop, ...]
    """One shortest way, from the column to this node, both included."""
    references: tuple[Stop, ...]
    """The columns that it names: the one that was asked for, or one that a `*` makes of it. Sorted."""


class ImpactView(Struct, frozen=True, kw_only=True):
    """A node or column, and what it reaches."""

    root: str
    column: str | None
    """As the node spells it; None where the whole node was asked for."""
    direction: Direction
    nodes: tuple[ReachedNode, ...]
    """The root among them; from the farthest upstream to the farthest downstream."""
    edges: tuple[LineageEdge, ...] = ()
    """Steps between nodes of the answer: each the last one of a way."""
    notes: tuple[str, ...] = ()
    """What could not be told, one sentence each."""
    fails: tuple[FailingNode, ...] | None = None
    """Nodes that fail if the column is removed or renamed, nearest first.

    None if a whole node was asked for, or only what is upstream, or if the run has no references.
    """
