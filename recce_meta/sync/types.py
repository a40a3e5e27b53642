"""Types of the exchange: objects, inventories, batches of rows, outcomes and reports. No I/O.

Replicas exchange objects: runs, what is added to a run afterwards, annotations and deletions. An object
consists of rows of the store's tables. Objects are only added, so two replicas are equal when each has the
objects of both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from recce_meta.models.rows import StringEnum, Tabular

Row = tuple[Any, ...]


class ObjectKind(StringEnum):
    """Kind of object. A deletion is written first; a run before what belongs to it."""

    DELETION = "deletion"
    """Tombstone of a run; its id is that of the run."""
    RUN = "run"
    """Run with its graph, macros, results and facts of relations."""
    COLUMNS = "column lineage"
    """Column lineage of a run; its id is that of the run."""
    STATISTICS = "statistics"
    """Row counts and profiles of the nodes of a run; its id is that of the run."""
    QUALITY = "quality"
    """Measurement of quality with its tables, columns and metrics."""
    DATA_DIFF = "data diff"
    CHECK_RESULT = "check result"
    REVIEW = "review"
    ANNOTATION = "annotation"
    """Event of an annotation."""


class Key(NamedTuple):
    """Identity of an object in every replica."""

    kind: ObjectKind
    id: str


class Entry(NamedTuple):
    """Object of an inventory."""

    content: str | None
    """Text that differs if the contents differ, mostly a hash; None if an old run has no hash yet."""
    run_id: str | None
    """Run that the object belongs to; None for annotations."""
    project: str | None
    """Project of a run or an annotation; None if it is that of the run."""
    recorded_at: datetime | None = None
    """When a run was recorded, or deleted; None for other kinds."""


class Inventory(Struct, frozen=True):
    """Objects of a replica."""

    entries: Mapping[Key, Entry]
    store_version: int
    """Version of the tables that the rows of this replica have."""


class Piece(str, Enum):
    """Content-addressed piece that several runs share; the value is the table that defines its ids."""

    GRAPH = "graph_parts"
    PART = "part_nodes"
    VERSION = "node_versions"
    MACRO_SET = "macro_sets"
    MACRO = "macros"
    COLUMN_GRAPH = "column_parts"
    COLUMN_PART = "column_part_nodes"
    ANALYSIS = "column_analyses"
    FACT_PART = "relation_facts"


class Batch(Struct, frozen=True):
    """Rows of some objects, with the pieces that the receiver lacks."""

    keys: tuple[Key, ...]
    """The objects, each with all its rows."""
    tables: Mapping[str, list[Row]]
    """Rows by table, named without its prefix, in the order of `TABLES[table].columns`."""

    def __len__(self) -> int:
        return sum(map(len, self.tables.values()))


class ExchangeStatus(StringEnum):
    """Outcome of one object."""

    SENT = "sent"
    """Written to the receiver."""
    PRESENT = "present"
    """The receiver had it already."""
    CONFLICT = "conflict"
    """The receiver has other contents under this id; the arriving ones were kept aside."""
    SKIPPED = "skipped"
    """Not written because of a deletion or of retention."""
    FAILED = "failed"


class WriteResult(NamedTuple):
    """What happened to one object of a batch."""

    key: Key
    status: ExchangeStatus
    reason: str | None = None
    is_new: bool = True
    """False for a conflict that an earlier exchange has stored."""


class ObjectOutcome(Tabular, frozen=True, kw_only=True):
    """What happened to one object."""

    kind: ObjectKind
    object_id: str
    run_id: str | None = None
    project: str | None = None
    status: ExchangeStatus
    direction: str
    """`push` (to the other replica) or `pull` (to this one)."""
    is_new: bool = True
    """False for a conflict that an earlier exchange has stored."""
    reason: str | None = None
    """Why it was not written; None if it was."""
    bytes: int = 0


class SyncReport(Tabular, frozen=True, kw_only=True):
    """Result of one push, pull or sync."""

    direction: str
    """`push`, `pull` or `sync`."""
    local: str
    """Name of this replica."""
    peer: str
    """Name of the other replica, without credentials."""
    started_at: datetime
    finished_at: datetime
    outcomes: tuple[ObjectOutcome, ...] = ()
    """Outcomes of the objects that one side lacked, and of conflicts."""
    present: int = 0
    """Number of objects that both sides had."""
    dry_run: bool = False
    """True if nothing was written; the statuses are what would happen."""

    def count(self, status: ExchangeStatus, direction: str | None = None) -> int:
        """Return the number of objects with *status*, also only of one *direction*."""
        return sum(one.status is status and direction in (None, one.direction) for one in self.outcomes)

    @property
    def status(self) -> str:
        """`success`; `partial` if an object failed or is a new conflict; `failed` if no object was sent."""
        is_bad = any(_is_bad(one) for one in self.outcomes)
        if not is_bad:
            return "success"
        return "partial" if any(one.status is ExchangeStatus.SENT for one in self.outcomes) else "failed"


def _is_bad(outcome: ObjectOutcome) -> bool:
    return outcome.status is ExchangeStatus.FAILED or (
        outcome.status is ExchangeStatus.CONFLICT and outcome.is_new
    )


class SyncRecord(Tabular, frozen=True, kw_only=True):
    """One exchange in the history of a store; the fields are the columns of `store_syncs`."""

    sync_id: str
    started_at: datetime
    finished_at: datetime
    direction: str
    peer: str
    author: str
    sent: int
    received: int
    conflicts: int
    """Number of conflicts found for the first time."""
    skipped: int
    failed: int
    status: str
    """`success`, `partial` or `failed`."""
    error: str | None = None
    recorder_version: str


class SyncConflict(Tabular, frozen=True, kw_only=True):
    """Object that arrived under the id of a stored one with other contents.

    The fields are the columns of `store_sync_conflicts`.
    """

    conflict_id: str
    detected_at: datetime
    kind: str
    object_id: str
    run_id: str | None = None
    project_name: str | None = None
    peer: str
    stored_hash: str
    arriving_hash: str
    recorder_version: str


class Replica(Protocol):
    """One side of an exchange."""

    @property
    def name(self) -> str:
        """Name for reports and the history, without credentials."""

    def inventory(self) -> Inventory:
        """Return the objects of this replica."""

    def lacking(self, piece: Piece, ids: Iterable[str]) -> set[str]:
        """Return those of *ids* for which this replica has no piece."""

    def read(self, keys: Iterable[Key]) -> Batch:
        """Return the rows of the objects *keys*, without the pieces that they refer to.

        An object that was deleted in the meantime is missing in the batch.
        """

    def read_pieces(self, piece: Piece, ids: Iterable[str]) -> Mapping[str, list[Row]]:
        """Return the rows of the pieces *ids* by table, without the pieces that they refer to."""

    def write(self, batch: Batch, peer: str) -> list[WriteResult]:
        """Write the objects of *batch*, each run in one transaction, and return what happened to each.

        An object whose id is stored with other contents is kept aside, as a conflict with *peer*. An object
        that refers to a piece that is neither stored nor in *batch* fails.
        """

    def close(self) -> None:
        """Release connections and files."""
