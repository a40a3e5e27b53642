"""Functions about annotations: set, delete and list notes, tags and owners of nodes, columns and edges.

A target is looked up in a run of the project. A node that the run no longer has keeps its annotations; it is
found by its unique id, or by the name in that id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache

from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.impact import Address, column_names, find_address
from recce_meta.api.public.runs import LATEST, connector, terms_of
from recce_meta.api.run_reader import MemoryRunReader, RunReader, open_run
from recce_meta.api.runs import SHOWN
from recce_meta.errors import SelectorError, UsageError, first_of
from recce_meta.models.marks.annotation import (
    PRESENT,
    Annotation,
    AnnotationEvent,
    AnnotationField,
    AnnotationTarget,
    annotations_of,
)
from recce_meta.models.rows import ResultList
from recce_meta.report.labels import node_part
from recce_meta.sql_lineage.impact import ANY
from recce_meta.store.marks.annotations import AnnotationChange, add_annotations, list_annotations
from recce_meta.store.select import RunSelector

Connect = Callable[[], UnifiedSqlAdapter]


class NoteEdit(Struct, frozen=True, kw_only=True):
    """Changes of the annotations of one target."""

    text: str | None = None
    """New note; None leaves it."""
    delete: bool = False
    """True to delete the note."""
    tags: str | Sequence[str] = ()
    """Tags to add."""
    untag: str | Sequence[str] = ()
    """Tags to remove."""
    owners: str | Sequence[str] = ()
    """Owners to add."""
    remove_owners: str | Sequence[str] = ()
    """Owners to remove."""

    def changes(self, target: AnnotationTarget) -> list[AnnotationChange]:
        """Return the changes of *target*. Raises UsageError if two of them contradict each other."""
        if self.text is not None and self.delete:
            raise UsageError("The note cannot be set and deleted at once", hint="do one of them")
        found = []
        if self.text is not None or self.delete:
            found.append(AnnotationChange(target, AnnotationField.NOTE.value, value=self.text))
        for field, *given in (
            (AnnotationField.TAG.value, self.tags, self.untag),
            (AnnotationField.OWNER.value, self.owners, self.remove_owners),
        ):
            added, removed = map(terms_of, given)
            both = {" ".join(one.split()) for one in added} & {" ".join(one.split()) for one in removed}
            if both:
                raise UsageError(
                    f"The {field} '{min(both)}' cannot be added and removed at once", hint="do one of them"
                )
            found += [AnnotationChange(target, field, item, PRESENT) for item in added]
            found += [AnnotationChange(target, field, item) for item in removed]
        return found


def add_note(
    adapter: UnifiedSqlAdapter,
    target: str,
    edit: NoteEdit | str = NoteEdit(),
    run: str = LATEST,
    *,
    parent: str | None = None,
    author: str,
    project: str | None = None,
) -> Annotation | None:
    """Change note, tags and owners of *target*, `NODE` or `NODE.COLUMN`, and return what is stored now.

    *edit* is a NoteEdit, or the text of the note alone; without it, nothing is stored. With *parent*, it is
    about the edge from *parent*, also `NODE` or `NODE.COLUMN`, to *target*. The result is None if nothing is
    left.

    *author* is the name of the person. *run* is the selector of the run in which names are looked up, or
    `path:DIR`. *adapter* connects to the store. *project* limits the selector to one project. Raises
    SelectorError if the run has no such node, column or edge, and UsageError for a text that is empty or too
    long.
    """
    given = NoteEdit(text=edit) if isinstance(edit, str) else edit
    return edit_note(connector(adapter), run, target, given, parent=parent, author=author, project=project)


def edit_note(
    connect: Connect,
    selector: RunSelector,
    name: str,
    edit: NoteEdit,
    *,
    parent: str | None,
    author: str,
    project: str | None,
) -> Annotation | None:
    """Return the result of `add_note` for *edit*."""
    target = find_target(connect, selector, name, parent=parent, project=project)
    if changes := edit.changes(target):
        add_annotations(connect(), changes, author=author)
    found = list_annotations(connect(), project=target.project_name, unique_ids=[target.unique_id])
    return next(iter(annotations_of(event for event in found if event.target == target)), None)


def list_notes(
    adapter: UnifiedSqlAdapter,
    target: str | None = None,
    run: str = LATEST,
    *,
    parent: str | None = None,
    project: str | None = None,
) -> ResultList[Annotation]:
    """Return the present notes, tags and owners of each node, column and edge, also of removed nodes.

    *target*, `NODE` or `NODE.COLUMN`, limits the result to this node with its columns and the edges to them,
    or to this column; *parent* limits it to the edge from *parent*. *run* is the selector of the run in which
    names are looked up. *adapter* connects to the store. *project* limits the result to one project. Raises
    SelectorError if *target* matches nothing, or more than one thing.
    """
    events = find_events(connector(adapter), run, target, parent=parent, project=project)
    return ResultList(Annotation, annotations_of(events))


def note_history(
    adapter: UnifiedSqlAdapter,
    target: str | None = None,
    run: str = LATEST,
    *,
    parent: str | None = None,
    project: str | None = None,
) -> ResultList[AnnotationEvent]:
    """Return every change of notes, tags and owners, also of earlier and deleted values.

    The changes of one note, tag or owner are together; the latest is first, and is the present value.
    *target*, `NODE` or `NODE.COLUMN`, limits the result as in `list_notes`, and *parent* limits it to the
    edge from *parent*. *run* is the selector of the run in which names are looked up. *adapter* connects to
    the store. *project* limits the result to one project. Raises SelectorError if *target* matches nothing,
    or more than one thing.
    """
    return find_events(connector(adapter), run, target, parent=parent, with_history=True, project=project)


def find_events(
    connect: Connect,
    selector: RunSelector,
    name: str | None,
    *,
    parent: str | None,
    with_history: bool = False,
    project: str | None,
) -> ResultList[AnnotationEvent]:
    """Return the present values of *name*, or of all targets; with *with_history*, all values."""
    if name is None:
        if parent is not None:
            raise UsageError("An edge needs the node that it leads to", hint="name the node")
        return list_annotations(connect(), project=project, with_history=with_history)
    wanted = find_target(connect, selector, name, parent=parent, project=project)
    found = list_annotations(
        connect(), project=wanted.project_name, unique_ids=[wanted.unique_id], with_history=with_history
    )
    return ResultList(AnnotationEvent, [event for event in found if _is_part(event.target, wanted)])


def _is_part(target: AnnotationTarget, wanted: AnnotationTarget) -> bool:
    """Return True if *target* is *wanted*, or a column of it, or an edge to it or to a column of it."""
    if wanted.parent_id is not None:
        return target == wanted
    return wanted.column_name in (None, target.column_name)


def find_target(
    connect: Connect,
    selector: RunSelector,
    name: str,
    *,
    parent: str | None = None,
    project: str | None = None,
) -> AnnotationTarget:
    """Return the node or column *name* of a run; with *parent*, the edge from that node or column.

    Annotated nodes, columns and edges that the run does not have are found too.
    Raises SelectorError if nothing, or more than one thing, has this name.
    """
    target: AnnotationTarget | None = None
    try:
        run = open_run(connect, selector, project=project)
        with run.session():
            names = _NamesOfRun(run)
            end = names.address(name)
            start = None if parent is None else names.address(parent)
            target = _target_of(run.run.project_name, start, end)
            if start is not None:
                names.require_edge(start, end)
        return target
    except SelectorError:
        events = list_annotations(connect(), project=project, with_history=True)
        stored = _stored_targets(events, name, parent, target)
        # A node of the same id in another project is a different one.
        if len(stored) != 1:
            raise
        return stored[0]


def _target_of(project: str, start: Address | None, end: Address) -> AnnotationTarget:
    return AnnotationTarget(
        project_name=project,
        unique_id=end.unique_id,
        column_name=end.column,
        parent_id=None if start is None else start.unique_id,
        parent_column=None if start is None else start.column,
    )


def _stored_targets(
    events: Iterable[AnnotationEvent], name: str, parent: str | None, edge: AnnotationTarget | None
) -> list[AnnotationTarget]:
    """Return the annotated objects that *name* and *parent* spell, and *edge*."""
    found: dict[AnnotationTarget, None] = {}
    for event in events:
        one = event.target
        node, end = (
            AnnotationTarget(project_name=one.project_name, unique_id=one.unique_id, column_name=column)
            for column in (None, one.column_name)
        )
        if parent is None:
            found.update(dict.fromkeys(place for place in (node, end) if name in _spellings(place)))
        elif one.parent_id is not None:
            start = AnnotationTarget(
                project_name=one.project_name, unique_id=one.parent_id, column_name=one.parent_column
            )
            if one == edge or (name in _spellings(end) and parent in _spellings(start)):
                found[one] = None
    return list(found)


def _spellings(place: AnnotationTarget) -> tuple[str, ...]:
    """Return the names of a node or column that a run need not know: by unique id, and by name."""
    nodes = place.unique_id, node_part(place.unique_id)
    return nodes if place.column_name is None else tuple(f"{node}.{place.column_name}" for node in nodes)


class _NamesOfRun:
    """Nodes, columns and edges of a run; its SQL is analysed only if a column is named."""

    def __init__(self, run: RunReader) -> None:
        self._run = run
        self._analysed = cache(lambda: run if run.has_columns else MemoryRunReader(run.project))
        # Several readings of a name may ask for the same node, each with queries.
        self._columns = cache(lambda unique_id: column_names(self._analysed(), unique_id))

    def address(self, name: str) -> Address:
        """Return the node or column *name*."""
        return find_address(name, self._run.names, self._columns)

    def require_edge(self, start: Address, end: Address) -> None:
        """Raise SelectorError if the run has no edge from *start* to *end*."""
        if (start.column is None) != (end.column is None):
            raise UsageError(
                "An edge connects two nodes or two columns, not a node and a column",
                hint="name a column on both sides, or on none",
            )
        parents = self._parents(end) if end.column is None else self._sources(end)
        if start in parents or Address(start.unique_id, ANY) in parents:
            return
        spelled = (f"{one.unique_id}.{one.column}" if one.column else one.unique_id for one in parents)
        known = first_of(sorted(spelled), SHOWN)
        what = "parents" if end.column is None else "sources"
        raise SelectorError(
            f"Edge not found: {end} does not read {start}",
            hint=f"its {what}: {known}" if parents else f"it has no known {what}",
        )

    def _parents(self, end: Address) -> set[Address]:
        found = {edge.parent_id for edge in self._run.edges if edge.node_id == end.unique_id}
        if self._run.has_columns:
            # SQL can name relations directly; dbt's graph does not have these edges.
            found |= {edge.parent_id for edge in self._run.column_parents([end.unique_id])}
        return {Address(one) for one in found}

    def _sources(self, end: Address) -> set[Address]:
        edges = self._analysed().column_parents([end.unique_id])
        return {Address(one.parent_id, one.parent_column) for one in edges if one.column_name == end.column}
