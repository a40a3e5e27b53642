"""What differs between two runs."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from recce_meta.models.node import Json, LineageEdge
from recce_meta.models.run import RunMetadata


class Word(str, Enum):
    """An enumeration whose members are, compare as, and print as their words."""

    def __str__(self) -> str:
        return str(self.value)


class Status(Word):
    """What happened to a node. `unchanged` means: differs in formatting or environment alone."""

    ADDED = "added"
    REMOVED = "removed"
    MODIFIED = "modified"
    UNCHANGED = "unchanged"


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


class ChangeDetail(Struct, frozen=True):
    """One difference: *key* went from *base* to *current* (None: absent on that side)."""

    reason: Reason
    key: str
    """A configuration key, a column, a macro's or parent's unique id, `raw_code`, `schema_name`, …"""
    base: Json = None
    current: Json = None


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


class Impact(Struct, frozen=True, kw_only=True):
    """A node downstream of a change."""

    unique_id: str
    name: str
    resource_type: str
    distance: int
    """Edges to the nearest changed node."""
    origin: str
    """Unique id of that nearest changed node (the first by id where several are as near)."""


class RunDiff(Struct, frozen=True, kw_only=True):
    """The answer of `recce-meta diff`."""

    base: RunMetadata
    current: RunMetadata
    changes: tuple[Change, ...]
    """Sorted by unique id; includes those whose status is `unchanged`."""
    impacted: tuple[Impact, ...] = ()
    """Nodes downstream of added, removed and modified ones that did not change themselves, nearest first."""
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
