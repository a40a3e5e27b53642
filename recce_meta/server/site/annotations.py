"""Notes, tags and owners of a node: who may change them, what can have them, and how pages show them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from recce_meta.api.browse.node import column_name, column_readers, node_columns
from recce_meta.errors import UsageError
from recce_meta.models import RunMetadata
from recce_meta.models.marks.annotation import (
    LONGEST_ITEM,
    LONGEST_NOTE,
    PRESENT,
    AnnotatedObjects,
    AnnotationField,
    AnnotationTarget,
    ObjectAnnotations,
)
from recce_meta.report.labels import short_run_id
from recce_meta.report.review.annotations import object_phrase
from recce_meta.server.access.problems import NotFound
from recce_meta.server.stores.stores import StoreView
from recce_meta.store.marks.annotations import AnnotationChange, list_annotations
from recce_meta.store.read import load_nodes_by_id

MOST_CHANGES = 100
"""Largest number of changes of one form."""
_NAME = "give a name in the field author, or send the request with a token of recce-meta token add"


def author_of(token_name: str | None, given: str) -> str:
    """Return the author of a change: the name of the token, else the name that the user gave.

    Raises UsageError without both.
    """
    author = token_name or " ".join(given.split())
    if not author:
        raise UsageError("The name of the author is missing", hint=_NAME)
    return author


def form_changes(target: AnnotationTarget, form: Mapping[str, str]) -> list[AnnotationChange]:
    """Return what the user of a form changed: what differs from the values that the page showed.

    Raises UsageError for too many changes.
    """
    found = [
        *_note_changes(target, _text(form.get("had_note", "")), _text(form.get("note", ""))),
        *_set_changes(target, AnnotationField.TAG, _lines(form, "had_tags"), _lines(form, "tags")),
        *_set_changes(target, AnnotationField.OWNER, _lines(form, "had_owners"), _lines(form, "owners")),
    ]
    if len(found) > MOST_CHANGES:
        raise UsageError(
            f"The form has {len(found):,} changes, more than {MOST_CHANGES}", hint="save them in parts"
        )
    return found


def _note_changes(target: AnnotationTarget, before: str, after: str) -> Iterator[AnnotationChange]:
    if before != after:
        yield AnnotationChange(target, AnnotationField.NOTE.value, "", after or None)


def _set_changes(
    target: AnnotationTarget, field: AnnotationField, before: Collection[str], after: Iterable[str]
) -> Iterator[AnnotationChange]:
    kept = dict.fromkeys(after)
    for item in kept:
        if item not in before:
            yield AnnotationChange(target, field.value, item, PRESENT)
    for item in before:
        if item not in kept:
            yield AnnotationChange(target, field.value, item, None)


def _text(given: str) -> str:
    # Browsers send every line break as CRLF.
    return given.replace("\r\n", "\n").replace("\r", "\n").strip()


def _lines(form: Mapping[str, str], name: str) -> list[str]:
    """Return the lines of a field, without blank ones and repetitions."""
    lines = (" ".join(line.split()) for line in _text(form.get(name, "")).split("\n"))
    return list(dict.fromkeys(filter(None, lines)))


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
    return AnnotatedObjects(list_annotations(view.adapter, project=project, unique_ids=ids))


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


def known_target(view: StoreView, runs: Sequence[RunMetadata], target: AnnotationTarget) -> AnnotationTarget:
    """Return *target* with its columns as the first of *runs* that has its node spells them.

    Raises NotFound for an object that these runs do not have, unless it has annotations: those of a removed
    column must stay editable.
    """
    if target in annotated_nodes(view, target.project_name, [target.unique_id]).by_target:
        return target
    run = next((one for one in runs if target.unique_id in view.graph(one).names), None)
    if run is None:
        raise NotFound(
            f"{_listed(runs)} no node {target.unique_id}", hint="the list of nodes of a run has their ids"
        )
    if target.parent_column is not None and target.column_name is None:
        raise UsageError("An edge between columns needs both columns", hint="give the column, too")
    if target.parent_id is not None:
        _require_parent(view, run, target.unique_id, target.parent_id)
    column = _column(view, run, target.unique_id, target.column_name)
    parent_column = target.parent_column and _column(view, run, str(target.parent_id), target.parent_column)
    return replace(target, column_name=column, parent_column=parent_column)


def _listed(runs: Sequence[RunMetadata]) -> str:
    ids = " and ".join(short_run_id(run.run_id) for run in runs)
    return f"The run {ids} has" if len(runs) == 1 else f"The runs {ids} have"


def _require_parent(view: StoreView, run: RunMetadata, unique_id: str, parent: str) -> None:
    """Raise NotFound unless the node reads *parent*."""
    if parent not in view.graph(run).parents.get(unique_id, ()):
        raise NotFound(
            f"{unique_id} does not read {parent}", hint="the tab Lineage of a node lists its parents"
        )


def _column(view: StoreView, run: RunMetadata, unique_id: str, name: str | None) -> str | None:
    """Return the column *name* as the run spells it. Raises NotFound for an unknown one."""
    if name is None:
        return None
    lineage = node_columns(view.adapter, run, unique_id)
    found = load_nodes_by_id(view.adapter, run, [unique_id])
    spelt = column_name(name, found[0], lineage) if found else None
    # The last resort, because it needs a further query: no catalog lists the column, but a query reads it.
    if spelt is None and column_readers(view.adapter, run, unique_id, name):
        return name
    if spelt is None:
        raise NotFound(f"{unique_id} has no column {name}", hint="the page of the node lists its columns")
    return spelt
