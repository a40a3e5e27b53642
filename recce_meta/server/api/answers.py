"""Answers about a store: lists, diffs, impacts, quality and annotations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from recce_meta.api.browse.diffs import pair_report
from recce_meta.api.browse.neighbours import neighbours
from recce_meta.api.browse.node_details import node_details
from recce_meta.api.browse.search import KINDS, search
from recce_meta.api.browse.summaries import node_summaries, scanned_databases, scanned_tables, stored_projects
from recce_meta.api.impact import Address, as_bound, column_names, impact_in
from recce_meta.api.quality import quality_history, show_quality
from recce_meta.api.reviews import reviews_of_pair
from recce_meta.api.run_reader import MemoryRunReader
from recce_meta.api.runs import find_node, show
from recce_meta.diff.scan import DATABASE, is_scan
from recce_meta.errors import RunNotFound, SelectorError, UsageError, did_you_mean
from recce_meta.models import RunMetadata
from recce_meta.models.lineage import Direction, ImpactView
from recce_meta.models.marks.annotation import (
    Annotation,
    AnnotationEvent,
    AnnotationField,
    AnnotationTarget,
    annotations_of,
)
from recce_meta.models.node import matching_name
from recce_meta.models.quality import QualityRun
from recce_meta.models.run import ChosenRun, RunChoice
from recce_meta.report.addresses import segment
from recce_meta.report.json import diff_json, impact_json, lineage_json, quality_json, run_json
from recce_meta.report.quality_history import quality_history_json
from recce_meta.report.review.notes import NotesDocument, note_changes
from recce_meta.server.access.scopes import Grant
from recce_meta.server.api.call import answer, decoded_body, etag_of, first_item_id, refuse_folder, run_choice
from recce_meta.server.api.paging import ItemList, ItemPage
from recce_meta.server.site.annotations import annotated_nodes, author_of, known_target
from recce_meta.server.site.rendering import encoded
from recce_meta.server.stores.stores import StoreView, cached_index
from recce_meta.store.check_results import list_checks
from recce_meta.store.marks.annotations import AnnotationChange, add_annotations, list_annotations
from recce_meta.store.quality import list_quality_runs, load_quality, resolve_quality_run
from recce_meta.store.read import foreign_keys_of, list_runs, load_facts, load_parents
from recce_meta.store.select import require_complete

MOST_CHECKS = 10_000
"""Largest number of check results of a list."""
MOST_MATCHES = 1000
"""Largest number of nodes, and of columns, that a search returns."""

Listed = Callable[[StoreView, object], ItemList]


class ServedStore(Struct, frozen=True, kw_only=True):
    """Store that the server reads."""

    name: str
    url: str
    """Prefix of the paths of the store."""
    pages: str
    """Address of its pages."""


def stores(request: Request) -> Response:
    """Answer with the stores of the server."""
    items = [
        ServedStore(name=name, url=f"/api/stores/{segment(name)}", pages=f"/s/{segment(name)}")
        for name in request.app.state.site.stores
    ]
    body = encoded(ItemPage(items, None, len(items), False)._asdict())
    return answer(request, body.encode(), etag_of(body))


def projects(view: StoreView, chosen: object) -> ItemList:
    """Return the projects of a store."""
    # With failed runs: a project whose runs all failed still belongs to the store.
    found = stored_projects(list_runs(view.adapter, status=None))
    return ItemList(found, attrgetter("project_name"))


def runs(
    *,
    project: str | None,
    environment: str | None,
    branch: str | None,
    extractor: str | None,
    status: str | None,
) -> Listed:
    """Return a function that lists the runs that match all filters."""

    def listed(view: StoreView, chosen: object) -> ItemList:
        found = list_runs(
            view.adapter, project=project, environment=environment, extractor=extractor, status=status
        )
        return ItemList([run for run in found if branch in (None, run.branch)], attrgetter("run_id"))

    return listed


def nodes(text: str | None, **filters: str | None) -> Callable[[StoreView, RunMetadata], ItemList]:
    """Return a function that lists the nodes of a run that match all filters."""
    return lambda view, chosen: ItemList(
        node_summaries(view.graph(chosen).names.values(), text=text, **filters), first_item_id
    )


def matches(text: str, kind: str | None, project: str | None) -> Listed:
    """Return a function that searches nodes and columns."""
    kinds = KINDS if kind is None else (kind,)

    def listed(view: StoreView, chosen: object) -> ItemList:
        found = search(
            view.adapter,
            text,
            project=project,
            kinds=kinds,
            limit=MOST_MATCHES,
            index_of=cached_index(view),
        )
        # A hit may be a node or a column of it, so no single field identifies it.
        return ItemList(found.hits, repr, truncated=found.truncated)

    return listed


def databases(view: StoreView, chosen: object) -> ItemList:
    """Return the scanned databases of a store."""
    found = scanned_databases(list_runs(view.adapter, extractor=DATABASE, status=None))
    return ItemList(found, lambda one: repr((one.project_name, one.environment)))


def tables(text: str | None) -> Callable[[StoreView, RunMetadata], ItemList]:
    """Return a function that lists the tables and views of a scan."""

    def listed(view: StoreView, chosen: RunMetadata) -> ItemList:
        facts = view.cached(("api.facts", chosen.run_id), lambda: load_facts(view.adapter, chosen))
        return ItemList(scanned_tables(view.graph(chosen).names.values(), facts, text=text), first_item_id)

    return listed


def measurements(project: str | None, environment: str | None) -> Listed:
    """Return a function that lists the measurements of quality."""
    return lambda view, chosen: ItemList(
        list_quality_runs(view.adapter, project=project, environment=environment, with_failed=True),
        attrgetter("quality_run_id"),
        is_tree=True,
    )


def measured(text: str | None) -> Callable[[StoreView, QualityRun], ItemList]:
    """Return a function that lists the tables of a measurement; frequent values are read for one page."""

    def listed(view: StoreView, chosen: QualityRun) -> ItemList:
        found = view.cached(
            ("api.quality", chosen.quality_run_id),
            # Frequent values are the largest part of a measurement.
            lambda: load_quality(view.adapter, chosen, top_values=False).tables,
        )
        wanted = (text or "").casefold()
        tables = [one for one in found if wanted in one.unique_id.casefold() or wanted in one.name.casefold()]

        def details(page):  # type: ignore[no-untyped-def]
            ids = [one.unique_id for one in page]
            return load_quality(view.adapter, chosen, unique_ids=ids).tables

        return ItemList(tables, first_item_id, is_tree=True, details=details)

    return listed


def checks(name: str | None, project: str | None) -> Callable[[StoreView, RunMetadata | None], ItemList]:
    """Return a function that lists check results, of one run if it is given."""

    def listed(view: StoreView, chosen: RunMetadata | None) -> ItemList:
        found = list_checks(
            view.adapter,
            check_name=name,
            run=chosen,
            project=None if chosen else project,
            # One more than the limit shows whether any were left out.
            limit=MOST_CHECKS + 1,
        )
        return ItemList(
            found[:MOST_CHECKS], attrgetter("check_result_id"), truncated=len(found) > MOST_CHECKS
        )

    return listed


MOST_IMPACTED = 1000
"""Largest number of nodes of an impact."""
MOST_CHANGES = 2000
"""Largest number of changes, of impacted nodes, and of edges of a diff."""


class ChosenPair(NamedTuple):
    """Two runs to compare, with the selectors that named them."""

    base: RunMetadata
    current: RunMetadata
    selectors: tuple[str, str]


def run_document(view: StoreView, chosen: RunMetadata) -> str:
    """Return the document of one run, from the cache if it is there."""
    return view.cached(("api.run", chosen.run_id), lambda: _run(view, chosen))


def _run(view: StoreView, chosen: RunMetadata) -> str:
    found = show(view.connect, chosen)
    return run_json(found.run, found.counts, found.results, found.statistics, found.annotations)


def node_document(view: StoreView, chosen: RunMetadata, name: str) -> str:
    """Return one node of the run *chosen*, from the cache if it is there."""
    graph, unique_id = view.graph(chosen), _node_id(view, chosen, name)
    parents, children = graph.parents.get(unique_id, ()), graph.children.get(unique_id, ())
    return view.cached(
        ("api.node", chosen.run_id, unique_id),
        lambda: encoded(node_details(view.reader(chosen), unique_id, parents, children)),
    )


def lineage_document(
    view: StoreView, chosen: RunMetadata, name: str, direction: Direction, depth: int
) -> str:
    """Return the lineage around a node of the run *chosen*."""
    graph, root = view.graph(chosen), _node_id(view, chosen, name)
    found = neighbours(
        root,
        graph.names,
        (graph.parents, graph.children),
        lambda ids: load_parents(view.adapter, chosen, ids=ids),
        direction=direction,
        depth=depth,
    )
    keys = foreign_keys_of(view.adapter, chosen, root) if is_scan(chosen) else ()
    notes = _annotations(view, chosen, (node.unique_id for node in found.view.nodes))
    return lineage_json(replace(found.view, foreign_keys=keys, annotations=notes), found.truncated)


def _annotations(view: StoreView, chosen: RunMetadata, ids: Iterable[str]) -> tuple[Annotation, ...]:
    """Return the annotations of the nodes *ids*, of their columns, and of edges to them."""
    return annotations_of(list_annotations(view.adapter, project=chosen.project_name, unique_ids=ids))


def impact_document(
    view: StoreView, chosen: RunMetadata, name: str, column: str | None, direction: Direction
) -> str:
    """Return the impact of a node of the run *chosen*, or of its *column*."""
    unique_id = _node_id(view, chosen, name)
    found = impact_of(view, chosen, unique_id, column, direction)
    # The nearest stay, because a change reaches the others through them.
    nearest = sorted(found.nodes, key=lambda node: (abs(node.distance), node.unique_id))[:MOST_IMPACTED]
    # The order of the result stays as in the command's document.
    kept = {node.unique_id for node in nearest}
    cut = replace(
        found,
        nodes=tuple(node for node in found.nodes if node.unique_id in kept),
        annotations=_annotations(view, chosen, kept),
        # No edge may end at a node that the answer lacks.
        edges=tuple(edge for edge in found.edges if edge.node_id in kept and edge.parent_id in kept),
        fails=None if found.fails is None else found.fails[:MOST_IMPACTED],
    )
    is_cut = len(kept) < len(found.nodes) or len(found.fails or ()) > MOST_IMPACTED
    return impact_json(cut, is_cut)


def impact_of(
    view: StoreView, chosen: RunMetadata, unique_id: str, column: str | None, direction: Direction
) -> ImpactView:
    """Return the impact of a node of the run *chosen*, or of its *column*, from the cache if it is there.

    Raises SelectorError for an unknown column.
    """
    key = ("api.impact", chosen.run_id, unique_id, column, direction)
    return view.cached(key, lambda: _impact(view, chosen, unique_id, column, direction))


def _impact(
    view: StoreView, chosen: RunMetadata, unique_id: str, column: str | None, direction: Direction
) -> ImpactView:
    stored = view.reader(chosen)
    # A run without column lineage is parsed now, as the command does.
    reader = stored if stored.has_columns else MemoryRunReader(stored.project)
    with reader.session():
        spelt = None
        if column is not None:
            names = column_names(reader, unique_id)
            # If not all columns are known, an unknown name may still be one.
            spelt = matching_name(column, names.known) or (None if names.are_all else column)
            if spelt is None:
                raise SelectorError(
                    f"Node '{unique_id}' has no column '{column}'", hint=did_you_mean(column, names.known)
                )
        found = impact_in(reader, Address(unique_id, spelt), direction, None)
    return as_bound(found, reader)


def diff_choice(base: str, current: str, project: str | None) -> Callable[[StoreView], ChosenPair]:
    """Return a function that finds the two runs of a diff."""

    def choose(view: StoreView) -> ChosenPair:
        found = [run_choice(selector, project)(view) for selector in (base, current)]
        return ChosenPair(found[0], found[1], (base, current))

    return choose


def diff_document(view: StoreView, chosen: ChosenPair) -> str:
    """Return the diff of two runs, with stored data diffs, checks and reviews: what their page shows."""
    before, after, selectors = chosen
    found = pair_report(view.adapter, view.diff(before, after))
    named = [
        ChosenRun(run_id=one.run_id, selector=selector, reason=selector)
        for one, selector in zip((before, after), selectors, strict=True)
    ]
    reviews = reviews_of_pair(view.adapter, before, after)
    chosen_diff = replace(found.diff, choice=RunChoice(base=named[0], current=named[1]))
    data, taken_at = found.data or None, found.data_taken_at
    checks = found.checks or None
    return diff_json(chosen_diff, data, checks, reviews=reviews, taken_at=taken_at, most=MOST_CHANGES)


def scan_choice(
    selector: str | None, project: str | None, environment: str | None
) -> Callable[[StoreView], RunMetadata]:
    """Return a function that finds a scan: that of *selector*, or else the latest."""

    def choose(view: StoreView) -> RunMetadata:
        # A given run must be a scan; without one, the latest scan is meant, and not the latest run.
        if selector is not None:
            return _require_scan(run_choice(selector, project)(view))
        named = {"project": project, "environment": environment}
        found = list_runs(view.adapter, extractor=DATABASE, limit=1, **named)
        if not found:
            raise RunNotFound("No scan found in the store", hint="recce-meta scan records a database")
        return found[0]

    return choose


def _require_scan(chosen: RunMetadata) -> RunMetadata:
    if not is_scan(chosen):
        raise UsageError(
            f"Run {chosen.run_id} is not a scan of a database",
            hint="/api/stores/{store}/databases lists the scans",
        )
    return chosen


def optional_run(selector: str | None, project: str | None) -> Callable[[StoreView], RunMetadata | None]:
    """Return a function that finds the run *selector*, if it is given; the run may have failed."""

    def choose(view: StoreView) -> RunMetadata | None:
        # A check may also be about a run that failed, so `run_choice` would refuse too much.
        refuse_folder(selector)
        return None if selector is None else view.run(selector, project)

    return choose


def measurement_choice(
    selector: str, project: str | None, environment: str | None
) -> Callable[[StoreView], QualityRun]:
    """Return a function that finds a measurement."""
    return lambda view: resolve_quality_run(view.adapter, selector, project=project, environment=environment)


def quality_document(view: StoreView, chosen: QualityRun, names: Sequence[str]) -> str:
    """Return a measurement, of the tables *names* or of all, with its changes."""
    return quality_json(show_quality(view.adapter, chosen.quality_run_id, names))


def history(view: StoreView, name: str, project: str | None, limit: int) -> str:
    """Return the figures of a table or column over time."""
    return quality_history_json(quality_history(view.adapter, name, project=project, limit=limit))


def _node_id(view: StoreView, chosen: RunMetadata, name: str) -> str:
    """Return the unique id of the node *name*. Raises SelectorError unless exactly one node has the name."""
    return find_node(name, view.graph(chosen).names)


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
    return list_annotations(view.adapter, project=project, unique_ids=ids, with_history=with_history)


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
        unique_id=_annotated_id(view, run, request.node),
        column_name=request.column,
        parent_id=None if request.parent is None else _annotated_id(view, run, request.parent),
        parent_column=request.parent_column,
    )
    target = known_target(view, [run], target)
    wanted = AnnotationChange(target, request.field.value, request.item, request.value)
    with view.store.writing() as adapter:
        written = add_annotations(adapter, [wanted], author=author)
        found = list_annotations(adapter, project=target.project_name, unique_ids=[target.unique_id])
    return NotesDocument(
        annotations=annotations_of(event for event in found if event.target == target),
        changes=note_changes(written, written),
    )


def _annotated_id(view: StoreView, run: RunMetadata, name: str) -> str:
    """Return the unique id of the node *name*, also of an annotated node that *run* does not have."""
    names = view.graph(run).names
    if name in names or annotated_nodes(view, run.project_name, [name]):
        return name
    return find_node(name, names)
