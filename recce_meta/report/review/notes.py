"""Notes, tags and owners as lists: of a project, of its history, and below the report of a run or node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from msgspec import UNSET, Struct, UnsetType, structs

from recce_meta.models.marks.annotation import (
    Annotation,
    AnnotationEvent,
    AnnotationField,
    EventState,
    event_states,
    latest_event_ids,
)
from recce_meta.report.labels import conflict_phrases, moment, more_phrase, node_part
from recce_meta.report.terminal import (
    BLANK,
    Line,
    Span,
    Style,
    code,
    folded_grid,
    heading_row,
    md_table,
    one_line,
    plain_line,
    pretty_json,
    prose,
    render,
    shorten,
    table,
)

NOTES_SCHEMA = "recce_meta/notes/v1"
NOTES_LISTED = 20
"""Objects listed below the report of a run, a lineage or an impact; `notes` lists all."""
NOTE_WIDTH = 200
"""Characters of a note below a report in Markdown."""
ALL_NOTES = "recce-meta notes"
_STATE_STYLES = {
    EventState.PRESENT: Style.GREEN,
    EventState.DELETED: Style.DIM,
    EventState.CONFLICT: Style.YELLOW,
    EventState.REPLACED: Style.DIM,
}


class AnnotatedPlace(Protocol):
    """Anything that identifies an annotated object."""

    @property
    def unique_id(self) -> str: ...
    @property
    def column_name(self) -> str | None: ...
    @property
    def parent_id(self) -> str | None: ...
    @property
    def parent_column(self) -> str | None: ...


class NoteChange(AnnotationEvent, frozen=True, kw_only=True):
    """Change of a note, tag or owner."""

    is_latest: bool
    """True if its value is the present one; without a value, the note, tag or owner is deleted now."""
    state: EventState
    """`present`, `deleted`, `replaced` by a later change, or in `conflict` with the present value: its author
    did not know of the change that is shown, and the next edit ends the conflict."""


class NotesDocument(Struct, kw_only=True):
    """Output of `notes --format json` and `note --format json`."""

    schema: str = NOTES_SCHEMA
    annotations: Sequence[Annotation]
    """Present notes, tags and owners of each object, sorted by project, node, column and parent."""
    changes: Sequence[NoteChange] | UnsetType = UNSET
    """All changes with earlier and deleted values; set by `--history`. Those of one field are together, the
    latest first, except that a change always precedes those that it replaces."""


def place_name(place: AnnotatedPlace, names: Mapping[str, str]) -> str:
    """Return `orders.amount`, or `stg_orders → orders` for an edge; *names* are labels by unique id."""
    own = _dotted(place.unique_id, place.column_name, names)
    if place.parent_id is None:
        return own
    return f"{_dotted(place.parent_id, place.parent_column, names)} → {own}"


def _dotted(unique_id: str, column: str | None, names: Mapping[str, str]) -> str:
    node = names.get(unique_id) or node_part(unique_id)
    return node if column is None else f"{node}.{column}"


def _full_names(places: Iterable[AnnotatedPlace]) -> dict[str, str]:
    """Return the unique ids of the nodes that share their name with another node of *places*."""
    ids = {one for place in places for one in (place.unique_id, place.parent_id) if one is not None}
    named = Counter(map(node_part, ids))
    return {one: one for one in ids if named[node_part(one)] > 1}


def notes_text(annotations: Sequence[Annotation], *, width: int, color: bool) -> str:
    """Return one row per object: its note, tags and owners, with the author and time of the latest."""
    if not annotations:
        return render([plain_line("No notes, tags or owners")], width=width, color=color)
    has_projects = len({one.project_name for one in annotations}) > 1
    names = _full_names(annotations)
    rows = [heading_row("project", "target", "note", "tags", "owners", "author", "edited at")]
    rows += [
        [
            Span(one.project_name if has_projects else ""),
            Span(place_name(one, names), Style.CYAN),
            Span(one_line(one.note or "")),
            Span(", ".join(one.tags)),
            Span(", ".join(one.owners)),
            Span(one.author, Style.DIM),
            Span(moment(one.edited_at), Style.DIM),
        ]
        for one in annotations
    ]
    lines = [*folded_grid(rows, width=width, indent=0)]
    for one in annotations:
        for phrase in conflict_phrases(one.conflicts):
            lines.append((Span(f"{place_name(one, names)}: ", Style.CYAN), Span(phrase, Style.YELLOW)))
    return render(lines, width=width, color=color)


def note_history_text(events: Sequence[AnnotationEvent], *, width: int, color: bool) -> str:
    """Return one row per change with its state: `present`, `deleted`, `conflict` or `replaced`."""
    if not events:
        return render([plain_line("No notes, tags or owners")], width=width, color=color)
    states = event_states(events)
    has_projects = len({one.project_name for one in events}) > 1
    names = _full_names(events)
    rows = [heading_row("project", "target", "field", "value", "state", "author", "edited at")]
    for one in events:
        state = states[one.event_id]
        rows.append(
            [
                Span(one.project_name if has_projects else ""),
                Span(place_name(one, names), Style.CYAN),
                Span(one.field),
                Span(_value(one)),
                Span(str(state), _STATE_STYLES[state]),
                Span(one.author, Style.DIM),
                Span(f"{one.edited_at:%Y-%m-%d %H:%M:%S} UTC", Style.DIM),
            ]
        )
    return render(folded_grid(rows, width=width, indent=0), width=width, color=color)


def _value(event: AnnotationEvent) -> str:
    """Return the text of a note, or the tag or owner; deletions of tags and owners are marked."""
    if event.field == AnnotationField.NOTE.value:
        return "(deleted)" if event.value is None else one_line(event.value)
    return event.item if event.value is not None else f"{event.item} (deleted)"


def notes_json(annotations: Sequence[Annotation], events: Sequence[AnnotationEvent] | None = None) -> str:
    """Return *annotations* as a document of schema `recce_meta/notes/v1`, with the changes *events*."""
    changes: Sequence[NoteChange] | UnsetType = UNSET
    if events is not None:
        changes = note_changes(events, events)
    return pretty_json(NotesDocument(annotations=annotations, changes=changes), is_sorted=True)


def note_changes(shown: Iterable[AnnotationEvent], events: Iterable[AnnotationEvent]) -> list[NoteChange]:
    """Return the changes *shown* with their states; *events* are all changes of the same items."""
    known = tuple(events)
    latest, states = latest_event_ids(known), event_states(known)
    return [
        NoteChange(**structs.asdict(event), is_latest=event.event_id in latest, state=states[event.event_id])
        for event in shown
    ]


def owners_of(annotations: Iterable[Annotation]) -> dict[str, str]:
    """Return the owners of each node, joined by commas, without those of its columns and edges."""
    return {
        one.unique_id: ", ".join(one.owners)
        for one in annotations
        if one.owners and one.column_name is None and one.parent_id is None
    }


def in_order_of(annotations: Iterable[Annotation], ids: Iterable[str]) -> list[Annotation]:
    """Return *annotations* in the order of their nodes in *ids*."""
    places = {unique_id: place for place, unique_id in enumerate(ids)}
    return sorted(annotations, key=lambda one: places.get(one.unique_id, len(places)))


def note_lines(annotations: Sequence[Annotation], names: Mapping[str, str]) -> list[Line]:
    """Return a section of the first *annotations*; empty if there are none. *names* are labels of nodes."""
    if not annotations:
        return []
    rows = [
        [Span(place_name(one, names), Style.CYAN), Span(annotated_phrase(one))]
        for one in annotations[:NOTES_LISTED]
    ]
    hidden = len(annotations) - len(rows)
    rest = f"  {more_phrase(hidden)} ({ALL_NOTES} lists all)"
    heading = (Span("Notes", Style.BOLD), Span(f"  {len(annotations):,}", Style.DIM))
    return [BLANK, heading, *table(rows), *([(Span(rest, Style.DIM),)] if hidden else [])]


def annotated_phrase(annotation: Annotation) -> str:
    """Return `owners: Ann, Finance; tags: pii; The text of the note`."""
    parts = [f"owners: {', '.join(annotation.owners)}"] if annotation.owners else []
    parts += [f"tags: {', '.join(annotation.tags)}"] if annotation.tags else []
    return "; ".join([*parts, *filter(None, [_note_cell(annotation)])])


def notes_markdown(annotations: Sequence[Annotation], names: Mapping[str, str]) -> str:
    """Return a table of the first *annotations*; empty if there are none. *names* are labels of nodes."""
    if not annotations:
        return ""
    rows = [
        [
            code(place_name(one, names)),
            prose(shorten(_note_cell(one), NOTE_WIDTH)),
            prose(", ".join(one.tags)),
            prose(", ".join(one.owners)),
        ]
        for one in annotations[:NOTES_LISTED]
    ]
    hidden = len(annotations) - len(rows)
    rest = f"\n{more_phrase(hidden)}\n" if hidden else ""
    return "\n" + md_table(("annotated", "note", "tags", "owners"), rows) + rest


def _note_cell(annotation: Annotation) -> str:
    note = [one_line(annotation.note)] if annotation.note else []
    return "; ".join([*conflict_phrases(annotation.conflicts), *note])
