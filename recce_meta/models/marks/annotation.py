"""Annotations: notes, tags and owners of nodes, columns and edges. They belong to a project and not to a run.

An annotation changes by events that are only added. Each event names those that it replaces: the ones that
its author saw and that nothing had replaced. So an edit wins over what its author saw, whatever the clocks
say. Events of which none replaces the other were made without knowledge of each other. If their values
differ, they are a conflict: the present value is that of the greatest in the order of a hybrid logical clock
(time of the writer in milliseconds, counter, id of the writing process, id of the event), and the next edit
replaces all of them. Shapiro et al., "Conflict-free Replicated Data Types" (2011), multi-value register;
Kulkarni et al., "Logical Physical Clocks" (2014).

Events from before version 13 of the store name nothing: each replaces the one before it in the order of the
clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import cached_property
from hashlib import sha256
from heapq import heapify, heappop, heappush
from itertools import pairwise

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from recce_meta.models.rows import StringEnum, Tabular

LONGEST_NOTE = 4_000
"""Maximum number of characters of a note."""
LONGEST_ITEM = 200
"""Maximum number of characters of a tag, an owner or an author."""
MAX_AHEAD = timedelta(hours=1)
"""A writer continues from events that are at most this far ahead of its clock; others have a wrong clock."""
ID_LENGTH = 32
LONGEST_ID = 64
"""Maximum length of the ids of events and writers; longer ones do not fit into the table."""
MOST_EVENTS = 2**31 - 1
"""Largest counter that is accepted: events that follow it must fit into the table."""
MOST_REPLACED = 1_000
"""Maximum number of events that one event replaces; a later one replaces the rest."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LATEST_MS = (datetime.max.replace(tzinfo=timezone.utc) - _EPOCH) // timedelta(milliseconds=1)
_ID = re.compile(rf"[0-9A-Za-z]{{1,{LONGEST_ID}}}")


class AnnotationField(StringEnum):
    """Kind of annotation."""

    NOTE = "note"
    """One text."""
    TAG = "tag"
    """Set of words; each is an item with a history of its own."""
    OWNER = "owner"
    """Set of people or teams; each is an item with a history of its own."""


_FIELD_ORDER = tuple(map(str, AnnotationField))
PRESENT = "true"
"""Value of a tag or an owner that is set."""


class EventState(StringEnum):
    """What became of an event."""

    PRESENT = "present"
    """Its value is the present one."""
    DELETED = "deleted"
    """It deleted the value, and nothing replaced it."""
    CONFLICT = "conflict"
    """Nothing replaced it, but an event that its author did not know has another value, which is shown."""
    REPLACED = "replaced"
    """A later event replaced it."""


class AnnotationTarget(Struct, frozen=True, kw_only=True, order=True):
    """Annotated object: a node, a column, or an edge from a parent to the node (or column)."""

    project_name: str
    unique_id: str
    column_name: str | None = None
    parent_id: str | None = None
    parent_column: str | None = None


def _target_of(place: AnnotationEvent | Annotation) -> AnnotationTarget:
    return AnnotationTarget(
        project_name=place.project_name,
        unique_id=place.unique_id,
        column_name=place.column_name,
        parent_id=place.parent_id,
        parent_column=place.parent_column,
    )


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
    replaces: str | None = None
    """Sorted ids of the events that it replaces, separated by spaces; empty for a first change. None if it
    was made before version 13 of the store: then it replaces the event before it by time."""

    @property
    def target(self) -> AnnotationTarget:
        """The annotated object."""
        return _target_of(self)

    @property
    def edited_at(self) -> datetime:
        """Time of the change by the writer's clock, in UTC."""
        # Rows that SQL inserted may have a time that Python cannot represent.
        return _EPOCH + timedelta(milliseconds=max(0, min(self.wall_ms, _LATEST_MS)))

    @property
    def clock(self) -> tuple[int, int, str, str]:
        """Position in the order of events of which none replaces the other."""
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
    conflicts: tuple[str, ...] = ()
    """What was changed at the same time to another value, which is in the history: `note`, `tag pii`. The
    next edit ends the conflict."""

    @property
    def target(self) -> AnnotationTarget:
        """The annotated object."""
        return _target_of(self)


_NOT_HASHED = frozenset(("event_id", "recorder_version"))


def event_id_of(event: AnnotationEvent) -> str:
    """Return the hash of *event*, which is its id."""
    fields = [getattr(event, name) for name in AnnotationEvent.__struct_fields__ if name not in _NOT_HASHED]
    if event.replaces is None:  # as versions before 13 hashed it
        fields.pop()
    return sha256(msgspec.json.encode(fields)).hexdigest()[:ID_LENGTH]


def with_id(event: AnnotationEvent) -> AnnotationEvent:
    """Return *event* with its id."""
    return replace(event, event_id=event_id_of(event))


def next_clock(now: datetime, seen: Iterable[AnnotationEvent]) -> tuple[int, int]:
    """Return the time in milliseconds and the counter of an event that follows all events in *seen*.

    Events that are more than MAX_AHEAD ahead of *now* do not count: a wrong clock is not handed on.
    """
    wall, counter = max(0, int(now.timestamp() * 1_000)), 0
    limit = wall + MAX_AHEAD // timedelta(milliseconds=1)
    latest = max(((event.wall_ms, event.counter) for event in seen if event.wall_ms <= limit), default=(0, 0))
    if (wall, counter) > latest:
        return wall, counter
    # Other stores refuse a greater counter.
    return (latest[0], latest[1] + 1) if latest[1] < MOST_EVENTS else (latest[0] + 1, 0)


def unreplaced(events: Iterable[AnnotationEvent]) -> tuple[AnnotationEvent, ...]:
    """Return the events that no other event of *events* replaces, also those that delete a value.

    Neither the order of *events* nor repeated events matter. Sorted by target, field and item; the event with
    the present value comes first, those in conflict with it follow.
    """
    return _in_places(heads for heads, _ in _by_item(events))


def replaced_by(seen: Iterable[AnnotationEvent]) -> str:
    """Return the text of `replaces` for an event whose author saw the events *seen* of the same item."""
    heads = sorted(unreplaced(seen), key=lambda event: event.clock)
    return " ".join(sorted(event.event_id for event in heads[:MOST_REPLACED]))


def current_annotations(events: Iterable[AnnotationEvent]) -> tuple[AnnotationEvent, ...]:
    """Return the event with the present value of each field and item in *events*, without deleted ones.

    Neither the order of *events* nor repeated events matter. Sorted by target, field and item.
    """
    return _in_places(heads[:1] for heads, _ in _by_item(events) if heads and heads[0].value is not None)


def annotations_of(events: Iterable[AnnotationEvent]) -> tuple[Annotation, ...]:
    """Return the present values in *events* by target, sorted by target.

    A target without a value is included while one of its values is in conflict.
    """
    found: dict[AnnotationTarget, list[Sequence[AnnotationEvent]]] = {}
    for heads, _ in _by_item(events):
        if any(event.value is not None for event in heads):
            found.setdefault(heads[0].target, []).append(heads)
    all_heads = [(_place(items[0][0]), target, items) for target, items in found.items()]
    return tuple(_annotation(target, items) for _, target, items in sorted(all_heads, key=lambda one: one[0]))


def _annotation(target: AnnotationTarget, items: Iterable[Sequence[AnnotationEvent]]) -> Annotation:
    sorted_items = sorted(items, key=lambda heads: _place(heads[0]))
    shown = [heads[0] for heads in sorted_items]
    present = [event for event in shown if event.value is not None]
    latest = max(present or shown, key=lambda event: event.clock)
    notes = [event.value for event in present if event.field == AnnotationField.NOTE.value]
    return Annotation(
        **{name: getattr(target, name) for name in AnnotationTarget.__struct_fields__},
        note=notes[0] if notes else None,
        tags=tuple(event.item for event in present if event.field == AnnotationField.TAG.value),
        owners=tuple(event.item for event in present if event.field == AnnotationField.OWNER.value),
        author=latest.author,
        edited_at=latest.edited_at,
        conflicts=tuple(
            f"{heads[0].field} {heads[0].item}".strip() for heads in sorted_items if _differ(heads)
        ),
    )


def latest_event_ids(events: Iterable[AnnotationEvent]) -> frozenset[str]:
    """Return the ids of the event with the present value of each field and item, also of deleted ones."""
    return frozenset(heads[0].event_id for heads, _ in _by_item(events) if heads)


def event_states(events: Iterable[AnnotationEvent]) -> Mapping[str, EventState]:
    """Return the state of each event of *events* by its id; *events* are all of their fields and items."""
    states: dict[str, EventState] = {}
    for heads, group in _by_item(events):
        states |= dict.fromkeys(group, EventState.REPLACED)
        for event in heads:
            is_shown = event.value == heads[0].value
            settled = EventState.DELETED if event.value is None else EventState.PRESENT
            states[event.event_id] = settled if is_shown else EventState.CONFLICT
    return states


def ordered_events(events: Iterable[AnnotationEvent]) -> tuple[AnnotationEvent, ...]:
    """Return *events* without repetitions, sorted by target, field and item.

    An event comes before those that it replaces; otherwise the greater by the clock comes first.
    """
    return _in_places(_newest_first(group) for _, group in _by_item(events))


def _by_item(
    events: Iterable[AnnotationEvent],
) -> Iterator[tuple[Sequence[AnnotationEvent], Mapping[str, AnnotationEvent]]]:
    """Yield the unreplaced events of each item, the present value first, and all its events by id."""
    groups: dict[tuple[AnnotationTarget, str, str], dict[str, AnnotationEvent]] = {}
    for event in events:
        groups.setdefault((event.target, event.field, event.item), {})[event.event_id] = event
    for group in groups.values():
        replaced = {one for ids in _replacing(group).values() for one in ids}
        heads = [event for event in group.values() if event.event_id not in replaced]
        yield sorted(heads, key=lambda event: event.clock, reverse=True), group


def _replacing(group: Mapping[str, AnnotationEvent]) -> dict[str, Sequence[str]]:
    """Return the ids that each event of *group*, one item, replaces; ids of absent events are left out."""
    undated = sorted((event for event in group.values() if event.replaces is None), key=lambda one: one.clock)
    found: dict[str, Sequence[str]] = {newer.event_id: [older.event_id] for older, newer in pairwise(undated)}
    for event in group.values():
        if event.replaces:
            found[event.event_id] = [one for one in event.replaces.split(" ") if one in group]
    return found


def _newest_first(group: Mapping[str, AnnotationEvent]) -> Iterator[AnnotationEvent]:
    """Yield the events of one item, each before those that it replaces."""
    replacing = _replacing(group)
    waiting_for = dict.fromkeys(group, 0)
    for ids in replacing.values():
        for one in ids:
            waiting_for[one] += 1
    by_clock = sorted(group, key=lambda one: group[one].clock, reverse=True)
    age = {one: place for place, one in enumerate(by_clock)}
    ready = [(age[one], one) for one, count in waiting_for.items() if not count]
    heapify(ready)
    while ready:
        _, event_id = heappop(ready)
        yield group[event_id]
        for one in replacing.get(event_id, ()):
            waiting_for[one] -= 1
            if not waiting_for[one]:
                heappush(ready, (age[one], one))


def _differ(heads: Sequence[AnnotationEvent]) -> bool:
    return len({event.value for event in heads}) > 1


def _in_places(groups: Iterable[Iterable[AnnotationEvent]]) -> tuple[AnnotationEvent, ...]:
    """Return the events of *groups*, sorted by target, field and item; the order of a group stays."""
    return tuple(sorted((event for group in groups for event in group), key=_place))


def event_problem(event: AnnotationEvent) -> str | None:
    """Return why the *event* of another store must not be stored; None if it is valid.

    Its id must match its contents, and its texts must have the length and form that this store writes. Its
    time may be any time: no clock is trusted.
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
    if not 0 <= event.counter <= MOST_EVENTS or not 0 <= event.wall_ms <= _LATEST_MS:
        return "invalid clock"
    named = event.replaces.split(" ") if event.replaces else []
    if len(named) > MOST_REPLACED or named != sorted(set(named)) or not all(map(_ID.fullmatch, named)):
        return "invalid list of replaced events"
    return None


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


class ObjectAnnotations(Struct, frozen=True, kw_only=True):
    """Present annotations of one node, column or edge."""

    note: AnnotationEvent | None = None
    """Event with the text of the note; None without a note."""
    tags: tuple[AnnotationEvent, ...] = ()
    """Events of the tags, sorted by tag."""
    owners: tuple[AnnotationEvent, ...] = ()
    """Events of the owners, sorted by owner."""
    conflicts: tuple[str, ...] = ()
    """What was changed at the same time to another value: `note`, `tag pii`."""

    def __bool__(self) -> bool:
        return bool(self.note or self.tags or self.owners or self.conflicts)

    @property
    def note_text(self) -> str:
        """Text of the note; empty without a note."""
        return (self.note.value or "") if self.note is not None else ""

    @property
    def tag_names(self) -> tuple[str, ...]:
        """Tags, sorted."""
        return tuple(event.item for event in self.tags)

    @property
    def owner_names(self) -> tuple[str, ...]:
        """Owners, sorted."""
        return tuple(event.item for event in self.owners)


NOT_ANNOTATED = ObjectAnnotations()


class AnnotatedObjects:
    """Present annotations of any number of objects, which may be of several projects."""

    def __init__(self, events: Iterable[AnnotationEvent] = ()) -> None:
        """Group *events*, of which the unreplaced ones of each field and item count."""
        known = tuple(events)
        found: dict[AnnotationTarget, list[AnnotationEvent]] = {}
        for event in current_annotations(known):
            found.setdefault(event.target, []).append(event)
        self.by_target: Mapping[AnnotationTarget, ObjectAnnotations] = {
            one.target: _object(found.get(one.target, ()), one.conflicts) for one in annotations_of(known)
        }

    def __bool__(self) -> bool:
        return bool(self.by_target)

    @cached_property
    def _by_node(self) -> Mapping[str, list[tuple[AnnotationTarget, ObjectAnnotations]]]:
        found: dict[str, list[tuple[AnnotationTarget, ObjectAnnotations]]] = {}
        for target, one in self.by_target.items():
            found.setdefault(target.unique_id, []).append((target, one))
        return found

    def of_node(self, unique_id: str) -> ObjectAnnotations:
        """Return the annotations of a node, without those of its columns and edges."""
        own = self._by_node.get(unique_id, ())
        return next(
            (one for target, one in own if (target.column_name, target.parent_id) == (None, None)),
            NOT_ANNOTATED,
        )

    def of_columns(self, unique_id: str) -> dict[str, tuple[AnnotationTarget, ObjectAnnotations]]:
        """Return the annotated columns of a node by their names in lower case."""
        # Warehouses may change the case of names between runs.
        return {
            target.column_name.casefold(): (target, one)
            for target, one in self._by_node.get(unique_id, ())
            if target.column_name is not None and target.parent_id is None
        }

    def below(self, unique_id: str) -> Sequence[tuple[AnnotationTarget, ObjectAnnotations]]:
        """Return what is annotated of a node: the node, its columns, and the edges that lead to it."""
        return self._by_node.get(unique_id, ())

    def of_edges(self, unique_id: str) -> Iterator[tuple[AnnotationTarget, ObjectAnnotations]]:
        """Yield the edges to a node and to its columns with their annotations."""
        yield from (
            (target, one) for target, one in self._by_node.get(unique_id, ()) if target.parent_id is not None
        )

    def of_edge(self, parent_id: str, unique_id: str) -> ObjectAnnotations:
        """Return the annotations of the edge between two nodes, without those between their columns."""
        wanted = (parent_id, None, None)
        return next(
            (
                one
                for target, one in self.of_edges(unique_id)
                if (target.parent_id, target.column_name, target.parent_column) == wanted
            ),
            NOT_ANNOTATED,
        )


def _object(events: Iterable[AnnotationEvent], conflicts: tuple[str, ...]) -> ObjectAnnotations:
    by_field: dict[str, list[AnnotationEvent]] = {}
    for event in events:
        by_field.setdefault(event.field, []).append(event)
    return ObjectAnnotations(
        note=next(iter(by_field.get(AnnotationField.NOTE.value, ())), None),
        tags=tuple(by_field.get(AnnotationField.TAG.value, ())),
        owners=tuple(by_field.get(AnnotationField.OWNER.value, ())),
        conflicts=conflicts,
    )


NO_ANNOTATIONS = AnnotatedObjects()
