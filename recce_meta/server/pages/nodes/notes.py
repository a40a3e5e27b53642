"""Notes, tags and owners on pages: their list with its history, the form that changes them, and edges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import escape

from recce_meta.api.browse.node import node_columns
from recce_meta.errors import RecceMetaError, UsageError
from recce_meta.models import RunMetadata
from recce_meta.models.marks.annotation import (
    NOT_ANNOTATED,
    AnnotationEvent,
    AnnotationField,
    AnnotationTarget,
    ObjectAnnotations,
    event_states,
)
from recce_meta.report.addresses import Addresses
from recce_meta.report.review.annotations import annotation_phrase, object_phrase
from recce_meta.server.access.problems import NotFound
from recce_meta.server.pages.nodes.node import OpenedNode, certainty, label_of, name_of, open_node
from recce_meta.server.site.annotations import (
    annotated_nodes,
    author_of,
    form_changes,
    known_target,
    notes_panel,
)
from recce_meta.server.site.handlers import PageSet, Redirect, Request
from recce_meta.server.site.listing import ListColumn, Listing, Row
from recce_meta.server.site.rendering import Page, clipped
from recce_meta.server.stores.stores import Graph, StoreView
from recce_meta.store.marks.annotations import add_annotations, list_annotations
from recce_meta.store.select import require_complete

pages = PageSet()

MOST_EVENTS = 5_000
"""Most changes in the list; older ones are left out."""
STATES = {"present": "same", "replaced": "none", "deleted": "one-sided", "conflict": "differs"}
"""States of a change, with classes of the report's style sheet."""
ALLOW = "start the server with recce-meta serve --allow-writes"


@pages.action("/notes")
def change(request: Request) -> Redirect:
    """Store the changes of a form, and show the page that it was on."""
    form, view = request.form, request.view
    view.store.permissions.require_writes()
    runs = _runs_of(view, form)
    target = known_target(view, runs, _target_of(runs[0], form))
    changes = form_changes(target, form)
    if changes:
        author = author_of(request.author, form.get("reviewer", ""))
        with view.store.writing() as adapter:
            add_annotations(adapter, changes, author=author)
    return Redirect(_page_of(view, runs, target))


def _runs_of(view: StoreView, form: Mapping[str, str]) -> list[RunMetadata]:
    """Return the run of the page with the form, or the current and the base run of a page of a diff.

    Raises UsageError without a run, and RunNotFound if it is gone.
    """
    selectors = [form[name] for name in ("run", "current", "base") if name in form]
    if not selectors:
        raise UsageError("The form names no run", hint="edit the notes on the page of a node")
    return [require_complete(view.run(selector)) for selector in selectors[:2]]


def _target_of(run: RunMetadata, form: Mapping[str, str]) -> AnnotationTarget:
    return AnnotationTarget(
        project_name=run.project_name,
        unique_id=form.get("node", ""),
        column_name=form.get("column"),
        parent_id=form.get("parent"),
        parent_column=form.get("parent_column"),
    )


def _page_of(view: StoreView, runs: Sequence[RunMetadata], target: AnnotationTarget) -> str:
    """Return the page to which a form returns."""
    to, run, unique_id = view.to, runs[0], target.unique_id
    if len(runs) > 1:
        return to.diff(runs[1].run_id, run.run_id, node=unique_id, tab="notes")
    elif target.parent_id is not None:
        # Without its last note, the page of an edge that the run does not have is gone.
        if target.parent_id not in view.graph(run).parents.get(unique_id, ()):
            return to.node(run.run_id, unique_id, "lineage")
        columns = {"column": target.column_name, "parent_column": target.parent_column}
        found = to.edge(run.run_id, target.parent_id, unique_id, **columns)
    elif target.column_name is not None:
        found = to.column(run.run_id, unique_id, target.column_name)
    else:
        found = to.node(run.run_id, unique_id)
    return f"{found}#notes"


@pages.listing("/notes")
def notes(request: Request) -> Listing:
    """List the changes of notes, tags and owners, newest first."""
    view = request.view
    found = list_annotations(view.adapter, with_history=True)
    listing = notes_listing(view, found, "Notes, tags and owners")
    about = ["Authors without a token gave their name: recce_meta does not verify it."]
    about += [f"Only the last {MOST_EVENTS:,} changes are listed."] if len(found) > MOST_EVENTS else []
    about += [] if view.store.permissions.writes else [f"To edit notes on these pages, {ALLOW}."]
    return Listing(
        listing.title,
        listing.columns,
        listing.rows,
        empty="No note, tag or owner is stored: recce-meta note NODE TEXT stores a note.",
        notes=about,
        sql="SELECT * FROM annotation_events",
    )


def notes_listing(view: StoreView, events: Sequence[AnnotationEvent], title: str) -> Listing:
    """Return *events* as a list, newest first; each links to its object in the latest run of its project."""
    states = event_states(events)
    newest = sorted(events, key=lambda event: event.clock, reverse=True)[:MOST_EVENTS]
    latest = _latest_graphs(view, {event.project_name for event in newest})

    def text(event: AnnotationEvent) -> str | None:
        return event.value if event.field == AnnotationField.NOTE.value else event.item

    def kind(event: AnnotationEvent) -> str:
        return "edge" if event.parent_id is not None else "column" if event.column_name else "node"

    def address(event: AnnotationEvent) -> str | None:
        return _address(view.to, event, latest.get(event.project_name))

    columns = [
        ListColumn("edited_at", "time", "time", about="Time of the change by the clock of its author."),
        ListColumn("author", "author", has_facets=True),
        ListColumn("field", "kind", has_facets=True),
        ListColumn(
            "text", "text", of=text, body=lambda event: escape(clipped(" ".join((text(event) or "").split())))
        ),
        ListColumn(
            "state",
            "state",
            "tag",
            has_facets=True,
            of=lambda event: states[event.event_id],
            tone=lambda event: STATES.get(str(states[event.event_id])),
            about="A change replaces those that its author saw. Changes of which neither replaces the other "
            "are a conflict: the latest is shown, and the next edit ends it.",
        ),
        ListColumn("object", "object", has_facets=True, of=kind),
        ListColumn("unique_id", "node", "code", link=address),
        ListColumn("column", "column", "code", of=lambda event: event.column_name),
        ListColumn(
            "parent",
            "from node",
            "code",
            of=lambda event: event.parent_id,
            about="Node from which the edge leads.",
        ),
        ListColumn("parent_column", "from column", "code"),
        ListColumn("project_name", "project", has_facets=True),
    ]
    return Listing.of(title, columns, newest)


def _latest_graphs(view: StoreView, projects: Iterable[str]) -> dict[str, tuple[RunMetadata, Graph]]:
    """Return the latest run of each project that has one, with its graph."""
    found = {}
    for project in projects:
        try:
            run = view.run("latest", project)
            found[project] = run, view.graph(run)
        except RecceMetaError:  # annotations may arrive before runs, and stay when runs are pruned
            continue
    return found


def _address(to: Addresses, event: AnnotationEvent, latest: tuple[RunMetadata, Graph] | None) -> str | None:
    """Return the page of the object of *event* in the latest run; None if the run does not have its node."""
    if latest is None or event.unique_id not in latest[1].names:
        return None
    run_id, parents = latest[0].run_id, latest[1].parents.get(event.unique_id, ())
    if event.parent_id in parents:
        columns = {"column": event.column_name, "parent_column": event.parent_column}
        return to.edge(run_id, str(event.parent_id), event.unique_id, **columns)
    if event.column_name is not None and event.parent_id is None:
        # The list of columns also opens if the run no longer has this one.
        return to.node(run_id, event.unique_id, "columns", q=event.column_name)
    return to.node(run_id, event.unique_id)


@pages.page("/runs/{run}/nodes/{node}/edges/{parent}")
def edge(request: Request) -> Page:
    """Show the edge from a parent to a node, or one between columns, with its notes."""
    parent = request.parts["parent"]
    opened = open_node(request, "edges", parent)
    view, run, node = request.view, opened.run, opened.node
    found = annotated_nodes(view, run.project_name, [node.unique_id])
    below = [one for one in found.of_edges(node.unique_id) if one[0].parent_id == parent]
    if parent not in opened.parents and not below:
        raise NotFound(
            f"{name_of(node)} does not read {parent}", hint="the tab Lineage of the node lists its parents"
        )
    target = AnnotationTarget(
        project_name=run.project_name,
        unique_id=node.unique_id,
        column_name=request.query.get("column"),
        parent_id=parent,
        parent_column=request.query.get("parent_column"),
    )
    place = {"run": run.run_id}
    names, origin = opened.graph.names, node.edge_origins.get(parent)
    panel = notes_panel(view, target, found.by_target.get(target, NOT_ANNOTATED), place)
    values = {
        "node": node,
        "node_address": opened.address(),
        "parent": parent,
        "parent_name": label_of(parent, names),
        "parent_address": request.to.node(run.run_id, parent) if parent in names else None,
        "known_from": origin.kind if origin else None,
        "certainty": certainty(origin.confidence) if origin else None,
        "is_edge": parent in opened.parents,
        "columns_of_edge": object_phrase(target) if target.column_name or target.parent_column else "",
        "edge_address": request.to.edge(run.run_id, parent, node.unique_id),
        "panel": panel,
        "others": [notes_panel(view, one, marks, place) for one, marks in below if one != target],
        "columns": column_edges(opened, parent, dict(below)),
    }
    return Page(
        "edge.html", f"{label_of(parent, names)} → {name_of(node)}", values, crumbs=opened.inner_crumbs
    )


def column_edges(
    opened: OpenedNode, parent: str, annotated: Mapping[AnnotationTarget, ObjectAnnotations]
) -> Listing:
    """Return the edges from columns of *parent* to columns of a node, with what is *annotated*."""
    view, run, unique_id = opened.request.view, opened.run, opened.node.unique_id
    lineage = node_columns(view.adapter, run, unique_id)
    notes = {
        (target.column_name, target.parent_column): annotation_phrase(one)
        for target, one in annotated.items()
    }
    pairs = {
        (output.name, source.column): output.kind.value
        for output in (lineage.outputs if lineage else ())
        for source in output.sources
        if source.parent == parent
    }
    rows: list[Row] = [
        {"parent_column": source, "column": name, "kind": kind, "notes": notes.get((name, source))}
        for (name, source), kind in sorted(pairs.items())
    ]

    def address(row: Mapping[str, Any]) -> str:
        columns = {"column": row["column"], "parent_column": row["parent_column"]}
        return opened.request.to.edge(run.run_id, parent, unique_id, **columns)

    columns = [
        ListColumn("parent_column", "from column", "code", link=address),
        ListColumn("column", "column", "code", link=lambda row: opened.column_link(row["column"])),
        ListColumn("kind", "computed"),
        ListColumn("notes", "notes"),
    ]
    return Listing("Columns of the edge", columns, rows, empty="No column is known to come from this parent.")
