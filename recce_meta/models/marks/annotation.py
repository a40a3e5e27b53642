"""Annotations: notes, tags and owners of nodes, columns and edges. They belong to a project and not to a run.

An annotation changes by events that are only added. The present value of a field is that of its greatest
event in the order of a hybrid logical clock: the time of the writer in milliseconds, a counter, the id of the
writing process, the id of the event. A writer whose clock is behind continues from the greatest event that it
can see, so an edit always replaces the value that its author saw. Kulkarni et al., "Logical Physical Clocks"
(2014).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from enum import Enum
from hashlib import sha256

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from recce_meta.models.rows import Tabular

LONGEST_NOTE = 4_000
"""Maximum number of characters of a note."""
LONGEST_ITEM = 200
"""Maximum number of characters of a tag, an owner or an author."""
MAX_AHEAD = timedelta(hours=1)
"""Events of another store that are further ahead of our clock are refused: they would win for ever."""
ID_LENGTH = 32
LONGEST_ID = 64
"""Maximum length of the ids of events and writers; longer ones do not fit into the table."""
MOST_EVENTS = 2**31 - 1
"""Largest counter that is accepted: events that follow it must fit into the table."""


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LATEST_MS = (datetime.max.replace(tzinfo=timezone.utc) - _EPOCH) // timedelta(milliseconds=1)


class AnnotationField(str, Enum):
    """Kind of annotation."""

    NOTE = "note"
    """One text."""
    TAG = "tag"
    """Set of words; each is an item with a history of its own."""
    OWNER = "owner"
    """Set of people or teams; each is an item with a history of its own."""

    def __str__(self) -> str:
        return str(self.value)


_FIELD_ORDER = tuple(map(str, AnnotationField))
PRESENT = "true"
"""Value of a tag or an owner that is set."""


class AnnotationTarget(Struct, frozen=True, kw_only=True, order=True):
    """Annotated object: a node, a column, or an edge from a parent to the node (or column)."""

    project_name: str
    unique_id: str
    column_name: str | None = None
    parent_id: str | None = None
    parent_column: str | None = None


class AnnotationEvent(Tabular, frozen=True, kw_only=True):
    """Change of one annotation, as it is stored."""

    event_id: str
    """Hash of the other fields except the recorder's version: adding the event again is a no-op."""
    project_name: str
    """Project that it belongs to."""
    unique_id: str
    """Node; for an edge, the node that reads the parent."""
    column_name: str | None = None
    """Column; None for the node or an edge between nodes."""
    parent_id: str | None = None
    """Parent of an edge; None for a node or a column."""
    parent_column: str | None = None
    """Column of the parent; None unless it is an edge between columns."""
    field: str
    """`note`, `tag` or `owner`."""
    item: str = ""
    """The tag or owner; empty for a note."""
    value: str | None = None
    """Text of a note, `true` for a tag or an owner; None if it was deleted."""
    author: str
    """Who made the change; the name is not verified."""
    wall_ms: int
    """Milliseconds since 1970 in UTC."""
    counter: int
    """Order of events with the same time."""
    writer_id: str
    """Id of the process that made the change."""
    recorder_version: str
    """Version of recce_meta that made the change."""

    @property
    def target(self) -> AnnotationTarget:
        """The annotated object."""
        return AnnotationTarget(
            project_name=self.project_name,
            unique_id=self.unique_id,
            column_name=self.column_name,
            parent_id=self.parent_id,
            parent_column=self.parent_column,
        )

    @property
    def edited_at(self) -> datetime:
        """Time of the change by the writer's clock, in UTC."""
        # Rows that SQL inserted may have a time that Python cannot represent.
        return _EPOCH + timedelta(milliseconds=max(0, min(self.wall_ms, _LATEST_MS)))

    @property
    def clock(self) -> tuple[int, int, str, str]:
        """Position in the total order of events; the greatest of a field is its present value."""
        return self.wall_ms, self.counter, self.writer_id, self.event_id


class Annotation(Tabular, frozen=True, kw_only=True):
    """Present note, tags and owners of one node, column or edge."""

    project_name: str
    """Project that it belongs to."""
    unique_id: str
    """Node; for an edge, the node that reads the parent."""
    column_name: str | None = None
    """Column; None for the node or an edge between nodes."""
    parent_id: str | None = None
    """Parent of an edge; None for a node or a column."""
    parent_column: str | None = None
    """Column of the parent; None unless it is an edge between columns."""
    note: str | None = None
    """Text of the note; None without a note."""
    tags: tuple[str, ...] = ()
    """Tags, sorted."""
    owners: tuple[str, ...] = ()
    """People or teams, sorted."""
    author: str
    """Author of the latest of these values; the name is not verified."""
    edited_at: datetime
    """Time of the latest of these values by the clock of its author, in UTC."""


_NOT_HASHED = frozenset(("event_id", "recorder_version"))


def event_id_of(event: AnnotationEvent) -> str:
    """Return the hash of *event*, which is its id."""
    fields = [getattr(event, name) for name in AnnotationEvent.__struct_fields__ if name not in _NOT_HASHED]
    return sha256(msgspec.json.encode(fields)).hexdigest()[:ID_LENGTH]


def with_id(event: AnnotationEvent) -> AnnotationEvent:
    """Return *event* with its id."""
    return replace(event, event_id=event_id_of(event))


def next_clock(now: datetime, seen: Iterable[AnnotationEvent]) -> tuple[int, int]:
    """Return the time in milliseconds and the counter of an event that follows all events in *seen*."""
    wall, counter = int(now.timestamp() * 1_000), 0
    latest = max(((event.wall_ms, event.counter) for event in seen), default=(0, 0))
    if (wall, counter) > latest:
        return wall, counter
    # A greater counter would be refused by other stores.
    return (latest[0], latest[1] + 1) if latest[1] < MOST_EVENTS else (latest[0] + 1, 0)


def current_annotations(events: Iterable[AnnotationEvent]) -> tuple[AnnotationEvent, ...]:
    """Return the latest event of each field and item in *events*, without deleted ones.

    Neither the order of *events* nor repeated events matter. Sorted by target, field and item.
    """
    return tuple(event for event in _latest(events) if event.value is not None)


def annotations_of(events: Iterable[AnnotationEvent]) -> tuple[Annotation, ...]:
    """Return the present values in *events* by target, sorted by target."""
    found: dict[AnnotationTarget, list[AnnotationEvent]] = {}
    for event in current_annotations(events):
        found.setdefault(event.target, []).append(event)
    return tuple(_annotation(target, values) for target, values in found.items())


def _annotation(target: AnnotationTarget, values: Sequence[AnnotationEvent]) -> Annotation:
    latest = max(values, key=lambda event: event.clock)
    notes = [event.value for event in values if event.field == AnnotationField.NOTE.value]
    return Annotation(
        **{name: getattr(target, name) for name in AnnotationTarget.__struct_fields__},
        note=notes[0] if notes else None,
        tags=tuple(event.item for event in values if event.field == AnnotationField.TAG.value),
        owners=tuple(event.item for event in values if event.field == AnnotationField.OWNER.value),
        author=latest.author,
        edited_at=latest.edited_at,
    )


def latest_event_ids(events: Iterable[AnnotationEvent]) -> frozenset[str]:
    """Return the ids of the latest events of each field and item in *events*, also of deleted ones."""
    return frozenset(event.event_id for event in _latest(events))


def ordered_events(events: Iterable[AnnotationEvent]) -> tuple[AnnotationEvent, ...]:
    """Return *events* without repetitions, sorted by target, field and item; the latest comes first."""
    found = {event.event_id: event for event in events}
    newest_first = sorted(found.values(), key=lambda event: event.clock, reverse=True)
    return tuple(sorted(newest_first, key=_place))


def event_problem(event: AnnotationEvent, now: datetime) -> str | None:
    """Return why the *event* of another store must not be stored; None if it is valid.

    Its id must match its contents, its texts must have the length and form that this store writes, and its
    time must not be further ahead of *now* than MAX_AHEAD.
    """
    if event.field not in set(map(str, AnnotationField)):
        return f"unknown field '{event.field}'"
    is_note = event.field == AnnotationField.NOTE.value
    if bool(event.item) == is_note or (not is_note and event.value not in (None, PRESENT)):
        return f"item and value do not fit the field '{event.field}'"
    if not event.project_name or not event.unique_id or (event.parent_column and not event.parent_id):
        return "incomplete target"
    if len(event.value or "") > LONGEST_NOTE or max(len(event.item), len(event.author)) > LONGEST_ITEM:
        return "text too long"
    if max(len(event.event_id), len(event.writer_id)) > LONGEST_ID or event.event_id != event_id_of(event):
        return "the id does not match the contents"
    if not 0 <= event.counter <= MOST_EVENTS or event.wall_ms < 0:
        return "invalid clock"
    if event.wall_ms > int((now + MAX_AHEAD).timestamp() * 1_000):
        return "its time is more than an hour ahead of this clock"
    return None


def _latest(events: Iterable[AnnotationEvent]) -> tuple[AnnotationEvent, ...]:
    """Return the latest event of each field and item, sorted by target, field and item."""
    latest: dict[tuple[AnnotationTarget, str, str], AnnotationEvent] = {}
    for event in events:
        key = event.target, event.field, event.item
        if key not in latest or event.clock > latest[key].clock:
            latest[key] = event
    return tuple(sorted(latest.values(), key=_place))


def _place(event: AnnotationEvent) -> tuple[str, ...]:
    target = event.target
    names = (target.column_name, target.parent_id, target.parent_column)
    # A node comes before its columns, and these before the edges that lead to it.
    return (
        target.project_name,
        target.unique_id,
        "1" if target.parent_id is not None else "",
        *(name or "" for name in names),
        str(_FIELD_ORDER.index(event.field)) if event.field in _FIELD_ORDER else event.field,
        event.item,
    )
