"""What differs between two runs."""

from __future__ import annotations

from msgspec import Struct

from recce_meta.models.category import Category, ColumnChange
from recce_meta.models.node import Json, LineageEdge
from recce_meta.models.run import RunMetadata
from recce_meta.models.words import Status as Status
from recce_meta.models.words import Word as Word


class Reason(Word):
    """Why a node counts as changed; the last two alone leave it unchanged."""

    BODY = "body"
    COMPILED = "compiled"
    CONFIG = "config"
    RELATION = "relation"
    COLUMNS = "columns"
    DESCRIPTIONS = "descriptions"
    MACROS = "macros"
    CONTRACT = "contract"
    PARENTS = "parents"
    DATA = "data"
    FORMATTING = "formatting"
    ENVIRONMENT = "environment"


COSMETIC = frozenset({Reason.FORMATTING, Reason.ENVIRONMENT})
"""Reasons that alone leave a node unchanged."""
OF_SQL = frozenset({Reason.BODY, Reason.COMPILED, Reason.MACROS, Reason.PARENTS})
"""Reasons that say nothing more than the SQL of both sides does, if that was compared."""


class ChangeDetail(Struct, frozen=True):
    """One difference: *key* went from *base* to *current* (None: absent on that side)."""

    reason: Reason
    key: str
    """A configuration key, a column, a macro's or parent's unique id, `raw_code`, `schema_name`, …"""
    base: Json = None
    current: Json = None


class Reach(Word):
    """How much of a node a change further up reaches."""

    COLUMNS = "columns"
    """The values of some columns; its rows are the same."""
    ROWS = "rows"
    """Which rows it has, and so every column."""
    UNKNOWN = "unknown"
    """Nobody can tell: the node, or one between, was not analysed, or the change is of an unknown kind."""


class ReachedBy(Struct, frozen=True, kw_only=True):
    """What reaches a node that is itself modified from changes further up."""

    origins: tuple[str, ...]
    """Unique ids of the changed nodes that it comes from; of those on one way, the nearest. Sorted."""
    reach: Reach
    columns: tuple[str, ...] = ()
    """The columns that are reached, where reach is `columns`; sorted."""
    confidence: float = 1.0
    """How sure it is that a change comes this far: the weakest edge of the surest way."""
    fails: bool = False
    """Whether the node names a column that was removed or renamed, and so fails when it is built."""


class Change(Struct, frozen=True, kw_only=True):
    """How one node differs between base and current."""

    unique_id: str
    name: str
    resource_type: str
    path: str = ""
    status: Status
    reasons: tuple[Reason, ...] = ()
    """In the order of `Reason`; empty for added and removed nodes."""
    details: tuple[ChangeDetail, ...] = ()
    category: Category | None = None
    """What it can break; None where nobody reads such a node, and where that was not looked into."""
    category_reasons: tuple[str, ...] = ()
    """What made the category, one short phrase each."""
    columns: tuple[ColumnChange, ...] = ()
    """The output columns that it touches: in their order, removed ones last."""
    columns_moved: bool = False
    """Whether columns that both sides have stand in another order."""
    reached: ReachedBy | None = None
    """Of a modified node: what other changes do to it, beside its own; None where they do nothing."""

    @property
    def is_rewritten(self) -> bool:
        """Whether only the SQL was edited, and both versions mean the same."""
        return (
            self.status is Status.MODIFIED
            and self.category is Category.NONE
            and OF_SQL.union(COSMETIC).issuperset(self.reasons)
        )


class Impact(Struct, frozen=True, kw_only=True):
    """A node downstream that a change reaches."""

    unique_id: str
    name: str
    resource_type: str
    distance: int
    """Edges to the nearest changed node that reaches it."""
    origin: str
    """Unique id of that nearest changed node (the first by id where several are as near)."""
    reach: Reach | None = None
    """None where that was not looked into; the node is then merely downstream."""
    columns: tuple[str, ...] = ()
    """The columns that are reached, where reach is `columns`; sorted."""
    confidence: float = 1.0
    """How sure it is that a change comes this far: the weakest edge of the surest way."""
    fails: bool = False
    """Whether the node names a column that was removed or renamed, and so fails when it is built."""


class RunDiff(Struct, frozen=True, kw_only=True):
    """The answer of `recce-meta diff`."""

    base: RunMetadata
    current: RunMetadata
    changes: tuple[Change, ...]
    """Sorted by unique id; includes those whose status is `unchanged`."""
    impacted: tuple[Impact, ...] = ()
    """Nodes that changes reach and that did not change themselves, nearest first."""
    unreached: int = 0
    """How many more nodes are downstream of changes, did not change themselves, and are not reached."""
    children: tuple[LineageEdge, ...] = ()
    """Edges from changed nodes to their direct children, for drawing."""
    names: dict[str, str] = {}
    """Names of the nodes at the ends of `children`."""
    notes: tuple[str, ...] = ()
    """What could not be compared, one sentence each."""

    @property
    def changed(self) -> tuple[Change, ...]:
        """The added, removed and modified nodes."""
        return tuple(change for change in self.changes if change.status is not Status.UNCHANGED)
