"""Annotations in the API: lists of present values and of changes, and the request that changes one value."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from msgspec import Struct

from recce_meta.api.runs import find_node
from recce_meta.models import RunMetadata
from recce_meta.models.marks.annotation import (
    Annotation,
    AnnotationEvent,
    AnnotationField,
    AnnotationTarget,
    annotations_of,
)
from recce_meta.report.review.notes import NotesDocument, note_changes
from recce_meta.server.access.scopes import Grant
from recce_meta.server.json_api.lists import Listed
from recce_meta.server.json_api.paging import ItemList
from recce_meta.server.metadata.call import decoded_body
from recce_meta.server.site.annotations import annotated_nodes, author_of, known_target
from recce_meta.server.stores.stores import StoreView
from recce_meta.store.marks.annotations import AnnotationChange, add_annotations, list_annotations
from recce_meta.store.select import require_complete


class AnnotationRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Change of one note, tag or owner."""

    project: str | None = None
    """Project; required if the store has several projects."""
    node: str
    """Unique id of a node, or a name that only it has in the latest run."""
    column: str | None = None
    """Column of the node; null for the node, or for an edge between nodes."""
    parent: str | None = None
    """Parent of the node, for the edge between them; null for the node or its column."""
    parent_column: str | None = None
    """Column of the parent, for an edge between columns."""
    field: AnnotationField
    item: str = ""
    """The tag or owner; empty for a note."""
    value: str | None = None
    """Text of the note, or `true` for a tag or owner; null deletes it."""
    author: str = ""
    """Name of the author; ignored if the request has a token of `recce-meta token add`, which is the author.
    """


def present(project: str | None, node: str | None) -> Listed:
    """Return a function that lists the annotated objects with their present values."""

    def listed(view: StoreView, chosen: object) -> ItemList:
        found = annotations_of(_events(view, project, node, with_history=False))
        return ItemList(found, _object_key)

    return listed


def _object_key(one: Annotation) -> str:
    return repr((one.project_name, one.unique_id, one.column_name, one.parent_id, one.parent_column))


def changes(project: str | None, node: str | None) -> Listed:
    """Return a function that lists all changes, newest first."""

    def listed(view: StoreView, chosen: object) -> ItemList:
        events = _events(view, project, node, with_history=True)
        newest = sorted(events, key=lambda event: event.clock, reverse=True)
        return ItemList(note_changes(newest, events), attrgetter("event_id"))

    return listed


def _events(
    view: StoreView, project: str | None, node: str | None, *, with_history: bool
) -> Sequence[AnnotationEvent]:
    ids = None if node is None else [node]
    return list_annotations(
        view.adapter, project=project, unique_ids=ids, with_history=with_history, schema=view.schema
    )


def change(view: StoreView, body: bytes, grant: Grant) -> NotesDocument:
    """Store the change in *body*, and return the object's present values and the change, if it is new.

    Raises NotAllowed if the server does not write, UsageError for an invalid request, and NotFound or
    SelectorError for an unknown object.
    """
    request = decoded_body(body, AnnotationRequest)
    view.store.permissions.require_writes()
    author = author_of(grant.author, request.author)
    run = require_complete(view.run("latest", request.project))
    target = AnnotationTarget(
        project_name=run.project_name,
        unique_id=_node_id(view, run, request.node),
        column_name=request.column,
        parent_id=None if request.parent is None else _node_id(view, run, request.parent),
        parent_column=request.parent_column,
    )
    target = known_target(view, [run], target)
    wanted = AnnotationChange(target, request.field.value, request.item, request.value)
    with view.store.writing() as adapter:
        written = add_annotations(adapter, [wanted], author=author, schema=view.schema)
        found = list_annotations(
            adapter, project=target.project_name, unique_ids=[target.unique_id], schema=view.schema
        )
    return NotesDocument(
        annotations=annotations_of(event for event in found if event.target == target),
        changes=note_changes(written, written),
    )


def _node_id(view: StoreView, run: RunMetadata, name: str) -> str:
    """Return the unique id of the node *name*, also of an annotated node that *run* does not have."""
    names = view.graph(run).names
    if name in names or annotated_nodes(view, run.project_name, [name]):
        return name
    return find_node(name, names)
