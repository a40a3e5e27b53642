"""Storage of annotations: adds changes of notes, tags and owners, and reads present and earlier values.

Changes are only added, never changed or deleted. They belong to a project, so `prune` leaves them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from functools import cache
from typing import Any
from uuid import uuid4

from msgspec import Struct
from msgspec.structs import replace

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.waiting import retrying
from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models import RunMetadata
from recce_meta.models.marks.annotation import (
    LONGEST_ITEM,
    LONGEST_NOTE,
    PRESENT,
    AnnotationEvent,
    AnnotationField,
    AnnotationTarget,
    next_clock,
    ordered_events,
    replaced_by,
    unreplaced,
    with_id,
)
from recce_meta.models.rows import ResultList
from recce_meta.redaction import without_passwords
from recce_meta.store.graphs import MOST_BYTES, portions
from recce_meta.store.read import names_of
from recce_meta.store.session import StoreSession, open_store
from recce_meta.store.values import storable

COLUMNS = AnnotationEvent.__struct_fields__
_FIELDS = tuple(map(str, AnnotationField))


class AnnotationChange(Struct, frozen=True):
    """Change to make: sets or deletes one note, tag or owner."""

    target: AnnotationTarget
    field: str
    """`note`, `tag` or `owner`."""
    item: str = ""
    """The tag or owner; empty for a note."""
    value: str | None = None
    """Text of a note, `true` for a tag or an owner; None deletes."""


def stored_change(change: AnnotationChange) -> AnnotationChange:
    """Return *change* as it is stored: with storable texts without passwords.

    Raises UsageError if a text is missing or too long, or if the parts of *change* do not fit together.
    """
    if change.field not in _FIELDS:
        raise UnknownNameError("annotation", change.field, _FIELDS)
    parts = {name: getattr(change.target, name) for name in change.target.__struct_fields__}
    target = replace(
        change.target, **{name: storable(text) for name, text in parts.items() if text is not None}
    )
    _require_target(target)
    field = str(change.field)
    if field == AnnotationField.NOTE.value:
        if change.item:
            raise UsageError("A note has no item", hint="give its text as the value")
        return AnnotationChange(target, field, "", None if change.value is None else _note(change.value))
    if change.value not in (None, PRESENT):
        raise UsageError(
            f"The value of the {field} must be '{PRESENT}' to set it, or missing to delete it",
            hint=f"give the {field} as the item",
        )
    return AnnotationChange(target, field, _one_line(change.item, field), change.value)


def _require_target(target: AnnotationTarget) -> None:
    """Raise UsageError if *target* is neither a node, nor a column, nor an edge."""
    if not target.project_name or not target.unique_id:
        raise UsageError("An annotation needs a project and a node", hint="give both")
    if target.parent_column is not None and target.parent_id is None:
        raise UsageError("A column of a parent needs the parent", hint="give the unique id of the parent")


def _note(given: str) -> str:
    # Browsers send CRLF in forms.
    text = without_passwords(storable(given.replace("\r\n", "\n").strip()))
    if not text:
        raise UsageError("The note is empty", hint="give a text, or delete the note")
    if len(text) > LONGEST_NOTE:
        raise UsageError(
            f"The note has {len(text):,} characters, more than {LONGEST_NOTE:,}",
            hint="shorten it, or link to a longer text",
        )
    return text


def _one_line(given: str, name: str) -> str:
    text = without_passwords(storable(" ".join(given.split())))
    if not text:
        raise UsageError(f"The {name} is empty", hint=f"give the name of the {name}")
    if len(text) > LONGEST_ITEM:
        raise UsageError(
            f"The {name} has {len(text):,} characters, more than {LONGEST_ITEM}", hint="use a shorter name"
        )
    return text


def add_annotations(
    adapter: UnifiedSqlAdapter,
    changes: Iterable[AnnotationChange],
    *,
    author: str,
    now: datetime | None = None,
) -> tuple[AnnotationEvent, ...]:
    """Store *changes* of *author* in one transaction, and return the events that were written.

    A change to the present value writes nothing, unless this value is in conflict with another. Waits for
    other writers. *now* is the time of the writer's clock. Raises UsageError for an empty or too long text;
    then no change is stored.
    """
    # A tuple, because `work` runs again after a conflict with another writer.
    wanted = tuple(map(stored_change, changes))
    name = _one_line(author, "author")

    def work() -> tuple[AnnotationEvent, ...]:
        with open_store(adapter, writes=True) as store:
            ids = {change.target.unique_id for change in wanted}
            known = find_annotations(store, unique_ids=ids, with_history=True)
            new = _events_of(wanted, known, author=name, now=now or datetime.now(timezone.utc))
            store.insert("annotation_events", COLUMNS, map(_row, new))
        return new

    return retrying(adapter, work) if wanted else ()


def _events_of(
    changes: Iterable[AnnotationChange],
    known: Iterable[AnnotationEvent],
    *,
    author: str,
    now: datetime,
) -> tuple[AnnotationEvent, ...]:
    """Return the events of *changes* that change a value. Each replaces the *known* events of its item."""
    seen: dict[tuple[AnnotationTarget, str, str], list[AnnotationEvent]] = {}
    for event in known:
        seen.setdefault((event.target, event.field, event.item), []).append(event)
    new: list[AnnotationEvent] = []
    for change in changes:
        earlier = seen.setdefault((change.target, change.field, change.item), [])
        # No event: no value. An edit that repeats one of several values ends their conflict.
        if ({event.value for event in unreplaced(earlier)} or {None}) == {change.value}:
            continue
        wall_ms, counter = next_clock(now, earlier)
        event = with_id(
            AnnotationEvent(
                event_id="",
                **{name: getattr(change.target, name) for name in AnnotationTarget.__struct_fields__},
                field=change.field,
                item=change.item,
                value=change.value,
                author=author,
                wall_ms=wall_ms,
                counter=counter,
                writer_id=writer_id(),
                recorder_version=__version__,
                replaces=replaced_by(earlier),
            )
        )
        earlier.append(event)
        new.append(event)
    return tuple(new)


@cache
def writer_id() -> str:
    """Return the id of this process as a writer of annotations."""
    return uuid4().hex


def insert_events(store: StoreSession, events: Iterable[AnnotationEvent]) -> list[AnnotationEvent]:
    """Insert the *events* that are not stored yet, and return them. Their ids are not checked."""
    wanted = {event.event_id: event for event in events}
    known: set[str] = set()
    for ids in portions(wanted):
        known.update(names_of(store.query("stored_annotation_events", ids="\n".join(ids))))
    new = [event for event_id, event in wanted.items() if event_id not in known]
    if new:
        store.insert("annotation_events", COLUMNS, map(_row, new))
    return new


def list_annotations(
    adapter: UnifiedSqlAdapter,
    *,
    project: str | None = None,
    unique_ids: Iterable[str] | None = None,
    run: RunMetadata | None = None,
    with_history: bool = False,
) -> ResultList[AnnotationEvent]:
    """Return the present notes, tags and owners, sorted by target, field and item.

    Where concurrent changes are in conflict, the other values follow the present one, which comes first even
    if it is a deletion. None as *project* or *unique_ids* means all of them; *unique_ids* are those of nodes,
    of the nodes of columns, and of the nodes that edges lead to. With *run*, only nodes of this run are
    included. With *with_history*, every earlier and deleted value follows the present one.
    """
    ids = None if unique_ids is None else tuple(unique_ids)
    with open_store(adapter) as store:
        return find_annotations(store, project=project, unique_ids=ids, run=run, with_history=with_history)


def find_annotations(
    store: StoreSession,
    *,
    project: str | None = None,
    unique_ids: Iterable[str] | None = None,
    run: RunMetadata | None = None,
    with_history: bool = False,
) -> ResultList[AnnotationEvent]:
    """Return the result of `list_annotations` from an open store, with one query."""
    wanted = None if unique_ids is None else frozenset(unique_ids)
    if wanted is not None and not wanted:
        return ResultList(AnnotationEvent, [])
    ids = None if wanted is None else "\n".join(sorted(wanted))
    # A longer parameter exceeds the limits of some drivers; a project has few annotations.
    is_short = ids is None or len(ids.encode()) <= MOST_BYTES
    rows = store.query(
        "annotation_events",
        state=None if with_history else "unreplaced",
        project=project if run is None else run.project_name,
        ids=ids if is_short else None,
        graph_id=None if run is None else run.graph_id,
    )
    events = [_event_of(dict(zip(COLUMNS, row, strict=True))) for row in rows]
    if wanted is not None and not is_short:
        events = [event for event in events if event.unique_id in wanted]
    # Warehouses without enforced keys may hold an event twice.
    if with_history:
        return ResultList(AnnotationEvent, list(ordered_events(events)))
    has_value = {(one.target, one.field, one.item) for one in events if one.value is not None}
    heads = (one for one in unreplaced(events) if (one.target, one.field, one.item) in has_value)
    return ResultList(AnnotationEvent, list(heads))


def _event_of(fields: Mapping[str, Any]) -> AnnotationEvent:
    event = AnnotationEvent(**fields)
    # Some drivers return whole numbers as decimals.
    return replace(event, wall_ms=int(event.wall_ms), counter=int(event.counter))


def _row(event: AnnotationEvent) -> Sequence[object]:
    """Return the row of `annotation_events`, in the order of `COLUMNS`."""
    return tuple(getattr(event, name) for name in COLUMNS)
