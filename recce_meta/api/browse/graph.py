"""Part of the lineage graph of a run, or of two runs, with positions: what pages draw.

Names and edges of the whole graph are in memory; details such as owners, columns and results of tests are
read for the shown nodes alone. Tests are not nodes of the view unless they are asked for: each node
summarises its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from recce_meta.api.browse.graph_query import (
    GraphPart,
    GraphQuery,
    KnownGraph,
    Places,
    ShownNodes,
    WholeGraph,
    kind_of,
)
from recce_meta.api.browse.impacts import joined_owners, owner_of, owners_of
from recce_meta.api.run_reader import RunReader
from recce_meta.api.runs import RunPair
from recce_meta.errors import UsageError, plural
from recce_meta.graph import LineageGraph, select
from recce_meta.graph.hidden_paths import DrawnEdge, Pair, closing_cycles, drawn_edges
from recce_meta.graph.layout import Position, layout
from recce_meta.graph.selector_syntax import Term, parse_selection
from recce_meta.models import NodeMetadata, NodeResult, Project
from recce_meta.models.change import Change, Impact, RunDiff, Status
from recce_meta.models.graph_view import (
    ADDED,
    INDIRECT,
    REMOVED,
    UNCERTAIN,
    GraphEdge,
    GraphNode,
    GraphView,
)
from recce_meta.models.marks.annotation import Annotation
from recce_meta.models.marks.review import NO_REVIEWS, PairReviews
from recce_meta.models.node import NodeOutline
from recce_meta.report.diff_details import effect_label, reach_phrase
from recce_meta.report.labels import TESTS, by_harm, node_label
from recce_meta.report.review.notes import NOTE_WIDTH
from recce_meta.report.review.notes import owners_of as annotated_owners
from recce_meta.report.review.phrases import marks_phrase
from recce_meta.report.terminal import shorten

Link = Callable[[str], str]
"""Function from a unique id to the address of its page."""
_NARROW = frozenset(
    ["fqn", "tag", "package", "resource_type", "source", "access", "file", "exposure", "metric"]
)
"""Methods of selectors that need no more than names."""


def whole_graph(reader: RunReader) -> WholeGraph:
    """Return the graph of a run, read from it."""
    return _joined(reader.names, ((edge.parent_id, edge.node_id) for edge in reader.edges))


def _joined(names: Mapping[str, NodeMetadata], edges: Iterable[tuple[str, str]]) -> WholeGraph:
    parents: dict[str, list[str]] = {}
    children: dict[str, list[str]] = {}
    # Sorted once, so that equal graphs are drawn alike.
    for parent, child in sorted(set(edges)):
        parents.setdefault(child, []).append(parent)
        children.setdefault(parent, []).append(child)
    return WholeGraph(names, parents, children)


def run_graph(
    reader: RunReader,
    query: GraphQuery,
    *,
    graph: KnownGraph | None = None,
    opened: Sequence[str] | None = None,
    earlier: Places | None = None,
    link: Link | None = None,
) -> GraphView:
    """Return the part of a run's graph that *query* names; without a node and a selector, the whole graph.

    *opened* are the nodes to show instead of the whole graph. *graph* is that of the run, if the caller has
    it. *earlier* are positions of an earlier view, which nodes keep if possible. *link* returns the address
    of a node's page. Raises UsageError for a wrong query.
    """
    graph = graph or whole_graph(reader)
    part, start = _run_part(reader, query, graph, opened)
    shown = part.shown(start)
    details = _details([reader], graph, shown.ids, part)
    drawing = _drawing(part, shown, start, earlier)
    nodes = [_node(one, part, drawing.positions[one], details, link) for one in shown.ids]
    return _view(part, shown, nodes, drawing, details)


def _run_part(
    reader: RunReader, query: GraphQuery, graph: KnownGraph, opened: Sequence[str] | None
) -> tuple[GraphPart, list[str]]:
    """Return the part of a run's graph, and the nodes at which it opens."""
    part = GraphPart(
        graph, query, selected=partial(_selected, reader, graph), owners=partial(_all_owners, [reader])
    )
    # The most connected nodes come first, because the view may be cut.
    return part, [] if query.node or query.select else part.by_degree() if opened is None else list(opened)


def places_of(view: GraphView) -> dict[str, tuple[int, int]]:
    """Return the positions of the nodes of *view*, to lay out a later one."""
    return {node.id: (node.x, node.y) for node in view.nodes}


def earlier_places(
    reader: RunReader,
    query: GraphQuery,
    *,
    graph: KnownGraph | None = None,
    opened: Sequence[str] | None = None,
) -> Places:
    """Return the positions of `run_graph`, without reading details of the nodes, to lay out a later view.

    No position is returned if *query* does not fit this run, which may lack its node.
    """
    graph = graph or whole_graph(reader)
    try:
        part, start = _run_part(reader, query, graph, opened)
        start = [one for one in start if one in graph.names and part.is_listed(one)]
        drawing = _drawing(part, part.shown(start), start, None)
    except UsageError:
        return {}
    return {one: position[:2] for one, position in drawing.positions.items()}


def diff_graph(
    diff: RunDiff,
    readers: tuple[RunReader, RunReader],
    query: GraphQuery,
    *,
    graphs: tuple[KnownGraph, KnownGraph] | None = None,
    earlier: Places | None = None,
    link: Link | None = None,
    reviews: PairReviews = NO_REVIEWS,
) -> GraphView:
    """Return the part of the graph of both runs of *diff* that *query* names; further arguments as above.

    *readers* are those of base and current, and so are *graphs*. *reviews* are the marks on both runs.
    Without a node and a selector, the view has what changed and what that affects, breaking changes first.
    """
    base, current = readers
    before, after = graphs or (whole_graph(base), whole_graph(current))
    # Removed nodes and edges are drawn too, so that both graphs are needed.
    graph = _union(before, after)
    part = GraphPart(
        graph,
        query,
        selected=partial(_selected_of_both, base, current),
        owners=partial(_all_owners, [current, base]),
    )
    # The order matters: a view that is cut keeps the nodes that come first.
    changes = {one.unique_id: one for one in by_harm(diff.changed)}
    impacts = {one.unique_id: one for one in sorted(diff.impacted, key=_impact_order)}
    states = {
        **{one: change.status.value for one, change in changes.items()},
        **dict.fromkeys(impacts, "impacted"),
    }
    opened = [] if query.node or query.select else [one for one in states if part.is_listed(one)]
    shown = part.shown(opened)
    if not (query.node or query.select) and not opened:
        shown = shown._replace(notes=("No node changed between these runs.",))
    if not part.focus:
        shown = shown._replace(focus=tuple(one for one in changes if one in set(shown.ids)))
    drawing = _drawing(part, shown, opened, earlier, _one_sided(before, after, states))
    details = _details([current, base], graph, shown.ids, part)
    changed = {edge.child for edge in drawing.edges if edge.flags & REMOVED} & after.names.keys()
    if changed:
        details = details._replace(before=base.outlines(sorted(changed)))
    nodes = [
        replace(
            _changed(
                _node(one, part, drawing.positions[one], details, link), changes.get(one), impacts.get(one)
            ),
            review=marks_phrase(reviews.nodes.get(one, ())),
        )
        for one in shown.ids
    ]
    return _view(part, shown, nodes, drawing, details)


def _impact_order(impact: Impact) -> tuple[bool, int, str]:
    return not impact.fails, impact.distance, impact.unique_id


def _changed(node: GraphNode, change: Change | None, impact: Impact | None) -> GraphNode:
    if change is not None:
        words = ", ".join(filter(None, (change.status.value, effect_label(change))))
        if change.fails:
            words += ", fails"
        category = change.category.value if change.category and change.status is not Status.ADDED else ""
        return replace(node, status=change.status.value, category=category, words=words)
    if impact is not None:
        phrase = reach_phrase(impact)
        return replace(node, status="impacted", words=f"impacted: {phrase}" if phrase else "impacted")
    return node


def _union(before: KnownGraph, after: KnownGraph) -> WholeGraph:
    edges = {
        (parent, child)
        for graph in (before, after)
        for child, found in graph.parents.items()
        for parent in found
    }
    return _joined({**before.names, **after.names}, edges)


def _one_sided(before: KnownGraph, after: KnownGraph, states: Mapping[str, str]) -> dict[Pair, int]:
    """Return the flag of each edge that only one run has.

    An edge of a node that one run lacks counts only if the diff reports the node: a scan may have seen less.
    """
    found = {}
    for child in {*before.parents, *after.parents}:
        old, new = set(before.parents.get(child, ())), set(after.parents.get(child, ()))
        if child in before.names or states.get(child) == Status.ADDED:
            found.update({(parent, child): ADDED for parent in new - old})
        if child in after.names or states.get(child) == Status.REMOVED:
            found.update({(parent, child): REMOVED for parent in old - new})
    return found


class GraphDetails(NamedTuple):
    """What is read for the shown nodes alone."""

    nodes: Mapping[str, NodeOutline]
    owners: Mapping[str, str]
    columns: Mapping[str, int]
    tests: Mapping[str, tuple[str, str]]
    """Words and tone of the tests of each node."""
    notes: Mapping[str, str]
    before: Mapping[str, NodeOutline] = {}
    """Nodes of base that have edges there that current lacks."""

    def is_uncertain(self, edge: DrawnEdge) -> bool:
        """Return True if the edge is not certain."""
        node = self.nodes.get(edge.child)
        if edge.flags & REMOVED:
            node = self.before.get(edge.child, node)
        return node is not None and edge.parent in node.uncertain and not edge.flags & INDIRECT


def _details(
    readers: Sequence[RunReader], graph: KnownGraph, ids: Sequence[str], part: GraphPart
) -> GraphDetails:
    """Return the details of *ids* from the first of *readers* that has each node."""
    found: dict[str, NodeOutline] = {}
    columns: dict[str, int] = {}
    for reader in readers:
        with reader.session():
            # The second reader, the base, is asked only for nodes that the first one lacks.
            missing = [one for one in ids if one not in found]
            own = reader.outlines(missing) if missing else {}
            found |= own
            columns |= {one: node.columns for one, node in own.items() if node.columns}
            # Without a catalog, SQL still shows the output columns.
            unknown = [one for one in own if one not in columns]
            if unknown and reader.has_columns:
                columns |= {one: len(names) for one, names in reader.output_names(unknown).items()}
    # Annotations belong to the project, so that every run of it has the same ones.
    annotated = readers[0].annotations(ids)
    owners = joined_owners(_owners(readers, found, ids), annotated_owners(annotated))
    return GraphDetails(found, owners, columns, _tests(readers[0], graph, ids), _notes(annotated))


def _notes(annotated: Iterable[Annotation]) -> dict[str, str]:
    """Return the note of each node in one line, cut."""
    return {
        one.unique_id: shorten(" ".join(one.note.split()), NOTE_WIDTH)
        for one in annotated
        if one.note and one.column_name is None and one.parent_id is None
    }


def _all_owners(readers: Sequence[RunReader], ids: Collection[str]) -> dict[str, str]:
    """Return the owners of *ids*, which are read for this."""
    found: dict[str, NodeOutline] = {}
    for reader in readers:
        missing = [one for one in ids if one not in found]
        found |= reader.outlines(missing) if missing else {}
    annotated = annotated_owners(readers[0].annotations(ids))
    return joined_owners(_owners(readers, found, ids), annotated)


def _owners(
    readers: Sequence[RunReader], nodes: Mapping[str, NodeOutline], ids: Collection[str]
) -> dict[str, str]:
    """Return the owner of each node: that of its group or exposure, else `owner` in its meta or database."""
    found: dict[str, str] = {}
    # The first reader wins, so it comes last.
    for reader in reversed(readers):
        found |= owners_of(reader, ids)
    for unique_id, node in nodes.items():
        if unique_id not in found and (owner := owner_of(node)):
            found[unique_id] = owner
    return found


def _tests(reader: RunReader, graph: KnownGraph, ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return words and tone of the tests of each node, from the stored results."""
    tests = {
        one: found
        for one in ids
        if (found := [child for child in graph.children.get(one, ()) if kind_of(child, graph.names) in TESTS])
    }
    results = reader.results_of(sorted({test for found in tests.values() for test in found})) if tests else {}
    return {one: tests_phrase([results.get(test) for test in found]) for one, found in tests.items()}


_TONES = {
    "fail": "failed", "error": "failed", "runtime error": "failed", "warn": "warned", "pass": "passed",
    "success": "passed",
}  # fmt: skip


def tests_phrase(results: Sequence[NodeResult | None]) -> tuple[str, str]:
    """Return the tests of a node in words, and their worst result; each is None if the test did not run.

    >>> tests_phrase([None, None])
    ('2 tests, no result', '')
    """
    total = len(results)
    counts = Counter(_TONES.get(one.status.lower(), "") if one is not None else "" for one in results)
    for tone in ("failed", "warned"):
        if counts[tone]:
            return f"{counts[tone]:,} of {plural(total, 'test')} {tone}", tone
    if not counts["passed"]:
        return f"{plural(total, 'test')}, no result", ""
    if counts[""]:
        return f"{counts['passed']:,} of {plural(total, 'test')} passed, {counts['']:,} without a result", ""
    return f"{plural(total, 'test')} passed", "passed"


class _Drawing(NamedTuple):
    positions: Mapping[str, Position]
    bends: Mapping[Pair, tuple[int, ...]]
    edges: Sequence[DrawnEdge]


def _drawing(
    part: GraphPart,
    shown: ShownNodes,
    opened: Sequence[str],
    earlier: Places | None,
    one_sided: Mapping[Pair, int] | None = None,
) -> _Drawing:
    """Return positions and edges. Each expansion is laid out after the one before, so that nodes stay."""

    def edges_of(some: ShownNodes) -> list[DrawnEdge]:
        return drawn_edges(some.ids, part.graph.children, some.hidden, one_sided)

    places = earlier
    # Repeated for each request, because the address is the only memory of a view.
    for stage in part.stages():
        before = part.shown(opened, expansions=stage)
        found = layout(before.ids, _parents(edges_of(before)), places)
        places = {one: position[:2] for one, position in found.positions.items()}
    edges = edges_of(shown)
    final = layout(shown.ids, _parents(edges), places)
    return _Drawing(final.positions, final.bends, closing_cycles(edges, final.backward))


def _parents(edges: Iterable[DrawnEdge]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for edge in edges:
        found.setdefault(edge.child, []).append(edge.parent)
    return found


def _node(
    unique_id: str, part: GraphPart, position: Position, details: GraphDetails, link: Link | None
) -> GraphNode:
    names = part.graph.names
    node = names.get(unique_id)
    words, tone = details.tests.get(unique_id, ("", ""))
    is_known = node is not None
    return GraphNode(
        id=unique_id,
        name=node_label(node) if node else unique_id,
        type=kind_of(unique_id, names),
        x=position.x,
        y=position.y,
        layer=position.layer,
        materialized=(node.materialized or "") if node else "",
        package=node.package_name if node else "",
        path=node.path if node else "",
        owner=details.owners.get(unique_id, ""),
        note=details.notes.get(unique_id, ""),
        tags=node.tags if node else (),
        relation=(node.relation_name or "") if node else "",
        tests=words,
        tests_tone=tone,
        columns=details.columns.get(unique_id, 0),
        href=link(unique_id) if link and is_known else "",
    )


def _view(
    part: GraphPart,
    shown: ShownNodes,
    nodes: Sequence[GraphNode],
    drawing: _Drawing,
    details: GraphDetails,
) -> GraphView:
    # Edges name nodes by number, which is much shorter than unique ids.
    index = {one: number for number, one in enumerate(shown.ids)}
    edges = [
        GraphEdge(
            index[edge.parent],
            index[edge.child],
            edge.flags | (UNCERTAIN if details.is_uncertain(edge) else 0),
            drawing.bends.get(edge.pair, ()),
        )
        for edge in drawing.edges
    ]
    counted = []
    for node in nodes:
        above, below = part.unshown(node.id, index)
        counted.append(replace(node, parents=above, children=below) if above or below else node)
    return GraphView(
        nodes=tuple(counted),
        edges=tuple(edges),
        total=part.total(),
        focus=shown.focus,
        hidden_hubs=shown.hubs,
        is_cut=shown.is_cut,
        notes=shown.notes,
    )


def _selected(reader: RunReader, graph: KnownGraph, selection: str, exclude: str) -> Collection[str]:
    """Return the nodes that dbt's selectors name; nodes are read in full only if a selector needs it."""
    terms = [term for found in parse_selection([selection, exclude]) for term in found]
    # Reading thousands of nodes in full takes seconds.
    names = graph.names if _is_narrow(terms) else {node.unique_id: node for node in reader.project.nodes}
    needs_results = any(term.method in ("result", "selection") for term in terms)
    return select(
        selection,
        names,
        LineageGraph(
            {**dict.fromkeys(names, ()), **{one: tuple(found) for one, found in graph.parents.items()}},
            {one: tuple(found) for one, found in graph.children.items()},
        ),
        exclude=exclude,
        project=Project(run=reader.run, nodes=(), results=tuple(reader.results) if needs_results else ()),
    )


def _is_narrow(terms: Iterable[Term]) -> bool:
    return all(term.method in _NARROW for term in terms)


def needs_names_alone(query: GraphQuery) -> bool:
    """Return True if graphs with equal names and edges have the same nodes in the view of *query*."""
    terms = [term for found in parse_selection([query.select, query.exclude]) for term in found]
    return not query.owner and _is_narrow(terms)


def _selected_of_both(base: RunReader, current: RunReader, selection: str, exclude: str) -> Collection[str]:
    """Return the nodes of both runs that dbt's selectors name; `state:` compares the runs."""
    return RunPair(base, current).matching([selection], [exclude])
