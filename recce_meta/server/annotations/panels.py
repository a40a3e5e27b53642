"""Part of a page with the notes, tags and owners of one object, and the fields of its form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from recce_meta.models.marks.annotation import (
    LONGEST_ITEM,
    LONGEST_NOTE,
    AnnotatedObjects,
    AnnotationTarget,
    ObjectAnnotations,
)
from recce_meta.report.review.annotations import object_phrase
from recce_meta.server.stores.stores import StoreView
from recce_meta.store.marks.annotations import list_annotations


class NoteFields(NamedTuple):
    """Form of annotations: where it is sent, what it is about, and its limits."""

    action: str
    hidden: Mapping[str, str]
    """Object, page to return to, and the values that the reader saw."""
    longest_note: int = LONGEST_NOTE
    longest_item: int = LONGEST_ITEM


class NotesPanel(NamedTuple):
    """Annotations of one object, as a page shows them."""

    title: str
    found: ObjectAnnotations
    fields: NoteFields | None
    """Form that changes them; None if users may not write."""
    history: str
    """Address of the list with their earlier values."""
    label: str = ""
    """Column or edge, for objects below the one of the page."""


def annotated_nodes(view: StoreView, project: str, ids: Iterable[str]) -> AnnotatedObjects:
    """Return the annotations of the nodes *ids*, of their columns, and of the edges that lead to them."""
    return AnnotatedObjects(
        list_annotations(view.adapter, project=project, unique_ids=ids, schema=view.schema)
    )


def notes_panel(
    view: StoreView,
    target: AnnotationTarget,
    found: ObjectAnnotations,
    place: Mapping[str, str],
    title: str = "Notes, tags and owners",
) -> NotesPanel:
    """Return the panel of *target* with its annotations *found*.

    *place* has the runs of the page to which its form returns: `run`, or `base` and `current`.
    """
    fields = _fields(view, target, found, place) if view.store.permissions.writes else None
    history = view.to.notes(
        project_name=target.project_name,
        unique_id=target.unique_id,
        column=target.column_name,
        parent=target.parent_id,
        parent_column=target.parent_column,
    )
    return NotesPanel(title, found, fields, history, object_phrase(target))


def _fields(
    view: StoreView, target: AnnotationTarget, found: ObjectAnnotations, place: Mapping[str, str]
) -> NoteFields:
    named = {
        **place,
        "node": target.unique_id,
        "column": target.column_name,
        "parent": target.parent_id,
        "parent_column": target.parent_column,
        # What the reader saw: the form changes only what differs from it, so that edits made meanwhile stay.
        "had_note": found.note_text,
        "had_tags": "\n".join(found.tag_names),
        "had_owners": "\n".join(found.owner_names),
    }
    return NoteFields(view.to.notes(), {name: value for name, value in named.items() if value})
