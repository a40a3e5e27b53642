"""History of the exchanges of a store: finished exchanges, conflicts, and replaced annotations."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import MissingRelation, PermissionDenied, SelectorError, StoreError, first_of
from recce_meta.models.marks.annotation import AnnotationEvent, AnnotationTarget, unreplaced
from recce_meta.models.rows import ResultList, Tabular
from recce_meta.redaction import without_passwords
from recce_meta.store.marks.annotations import find_annotations
from recce_meta.store.prune import TOMBSTONE_AGE
from recce_meta.store.read import in_utc
from recce_meta.store.session import StoreSession, open_store
from recce_meta.store.values import storable
from recce_meta.sync.types import ExchangeStatus, ObjectKind, SyncConflict, SyncRecord, SyncReport

SYNC_COLUMNS = SyncRecord.__struct_fields__
CONFLICT_COLUMNS = SyncConflict.__struct_fields__
SHOWN = 5
"""Maximum number of candidates in an error."""
EVERY = 2**31


class ReplacedAnnotation(Tabular, frozen=True, kw_only=True):
    """Value of an annotation that another one replaced during an exchange."""

    target: AnnotationTarget
    field: str
    item: str
    winner: AnnotationEvent
    loser: AnnotationEvent
    is_conflict: bool
    """True if the authors did not know of each other's value: the winner is shown until the next edit."""


def status_of(report: SyncReport) -> str:
    """Return `success`; `partial` also for a new conflict alone, because its object was kept; `failed`."""
    has_conflict = any(one.status is ExchangeStatus.CONFLICT and one.is_new for one in report.outcomes)
    return "partial" if has_conflict else report.status


def record_of(report: SyncReport, *, author: str, error: str | None = None) -> SyncRecord:
    """Return the entry of the history for *report*; *error* is why the exchange ended early."""
    conflicts = (one for one in report.outcomes if one.status is ExchangeStatus.CONFLICT and one.is_new)
    return SyncRecord(
        sync_id=uuid4().hex,
        started_at=report.started_at,
        finished_at=report.finished_at,
        direction=report.direction,
        peer=storable(without_passwords(report.peer)),
        author=storable(without_passwords(author)),
        sent=report.count(ExchangeStatus.SENT, "push"),
        received=report.count(ExchangeStatus.SENT, "pull"),
        conflicts=sum(1 for _ in conflicts),
        skipped=report.count(ExchangeStatus.SKIPPED),
        failed=report.count(ExchangeStatus.FAILED),
        status="failed" if error else status_of(report),
        error=None if error is None else storable(without_passwords(error)),
        recorder_version=__version__,
    )


def save_sync(adapter: UnifiedSqlAdapter, record: SyncRecord) -> bool:
    """Store *record* in one statement. Return False without a store, or if the role may only read it."""
    row = tuple(getattr(record, name) for name in SYNC_COLUMNS)
    try:
        # Without the lock of writers: the row has a new id and depends on no other row.
        with adapter.session(atomic=False) as session:
            StoreSession(session, adapter.warehouse, adapter.schema).insert("syncs", SYNC_COLUMNS, [row])
    except (MissingRelation, PermissionDenied):
        return False
    return True


def list_syncs(
    adapter: UnifiedSqlAdapter, *, peer: str | None = None, most: int = EVERY
) -> ResultList[SyncRecord]:
    """Return finished exchanges, newest first: at most *most* of each peer and status."""
    with open_store(adapter) as store:
        rows = store.query("syncs", peer=peer, most=most)
    return ResultList(SyncRecord, [SyncRecord(**_fields(SYNC_COLUMNS, row)) for row in rows])


def stale_since(records: Iterable[SyncRecord], peer: str, now: datetime) -> datetime | None:
    """Return the time of the last successful exchange with *peer* if tombstones since then may be missing.

    Tombstones are removed after `TOMBSTONE_AGE`. A run that was recorded before that time and that one side
    lacks was probably deleted there. Returns None if the last exchange is recent, or if there was none.
    """
    # A time in the future is of a clock that was wrong.
    ended = [
        one.finished_at
        for one in records
        if one.peer == peer and one.status == "success" and one.finished_at <= now
    ]
    last = max(ended, default=None)
    return last if last is not None and now - last > TOMBSTONE_AGE else None


def list_conflicts(adapter: UnifiedSqlAdapter, *, id_prefix: str | None = None) -> ResultList[SyncConflict]:
    """Return the conflicts of a store, newest first."""
    with open_store(adapter) as store:
        return _conflicts(store, id_prefix)


def load_conflict(adapter: UnifiedSqlAdapter, conflict_id: str) -> tuple[SyncConflict, bytes]:
    """Return the conflict whose id starts with *conflict_id*, and its arriving object as a bundle.

    Raises SelectorError if no conflict matches, or more than one.
    """
    with open_store(adapter) as store:
        found = _conflicts(store, conflict_id)
        if len(found) != 1:
            raise _not_one(conflict_id, [one.conflict_id for one in found])
        pieces = store.query("sync_conflict_pieces", conflict_id=found[0].conflict_id)
    try:
        return found[0], b64decode("".join(str(text) for (text,) in pieces), validate=True)
    except binascii.Error:
        raise StoreError(
            f"The object of conflict {found[0].conflict_id} is damaged",
            hint="repeat the exchange, which shows the conflict again",
        ) from None


def replaced_annotations(adapter: UnifiedSqlAdapter, report: SyncReport) -> tuple[ReplacedAnnotation, ...]:
    """Return the annotations that *report* exchanged and whose value replaced another one.

    *adapter* connects to the local store after the exchange.
    """
    # In a sync, the sent values are those that this store had.
    arriving = "push" if report.direction == "push" else "pull"
    moved = [
        one
        for one in report.outcomes
        if one.kind is ObjectKind.ANNOTATION
        and one.status is ExchangeStatus.SENT
        and one.direction == arriving
    ]
    if not moved or report.dry_run:
        return ()
    new = {one.object_id for one in moved}
    with open_store(adapter) as store:
        events: list[AnnotationEvent] = []
        for project in sorted({one.project for one in moved if one.project is not None}):
            events += find_annotations(store, project=project, with_history=True)
    return replaced_values(events, new)


def replaced_values(events: Iterable[AnnotationEvent], new: set[str]) -> tuple[ReplacedAnnotation, ...]:
    """Return the values that the events *new* replaced or that replaced them, and conflicts with *new*."""
    fields: dict[tuple[AnnotationTarget, str, str], list[AnnotationEvent]] = {}
    for event in events:
        fields.setdefault((event.target, event.field, event.item), []).append(event)
    found = []
    for (target, field, item), values in fields.items():
        heads = unreplaced(values)
        arrived = unreplaced(event for event in values if event.event_id in new)
        known = unreplaced(event for event in values if event.event_id not in new)
        pairs = [
            (_other_side(loser, heads, arrived, known), loser)
            for loser in (*known, *arrived)
            if loser not in heads
        ]
        if any(event.event_id in new for event in heads):
            # One event of each value; the others of the item may have been in conflict before.
            others = {event.value: event for event in reversed(heads) if event.value != heads[0].value}
            pairs += [(heads[0], loser) for loser in reversed(others.values())]
        found += [
            ReplacedAnnotation(
                target=target, field=field, item=item, winner=winner, loser=loser, is_conflict=loser in heads
            )
            for winner, loser in pairs
            if winner is not None and winner.value != loser.value
        ]
    return tuple(sorted(found, key=lambda one: one.winner.clock))


def _other_side(
    loser: AnnotationEvent,
    heads: Sequence[AnnotationEvent],
    arrived: Sequence[AnnotationEvent],
    known: Sequence[AnnotationEvent],
) -> AnnotationEvent | None:
    """Return the first unreplaced event of the side that replaced *loser*, which has come from the other."""
    side = arrived if loser in known else known
    return next((event for event in heads if event in side), None)


def _conflicts(store: StoreSession, id_prefix: str | None) -> ResultList[SyncConflict]:
    rows = store.query("sync_conflicts", id_prefix=id_prefix)
    return ResultList(SyncConflict, [SyncConflict(**_fields(CONFLICT_COLUMNS, row)) for row in rows])


def _not_one(conflict_id: str, found: list[str]) -> SelectorError:
    if not found:
        return SelectorError(
            f"Conflict '{conflict_id}' not found", hint="list the conflicts with recce-meta sync --status"
        )
    return SelectorError(
        f"'{conflict_id}' is ambiguous: more than one conflict id starts with it: {first_of(found, SHOWN)}",
        hint="use a longer prefix of the id",
    )


def _fields(names: Iterable[str], row: Iterable[object]) -> dict[str, Any]:
    return dict(zip(names, map(in_utc, row), strict=True))
