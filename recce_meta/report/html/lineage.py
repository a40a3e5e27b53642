"""The changed nodes and what they reach, drawn in layers from left to right.

A run diff knows the edges from changed nodes to their direct children. What is farther away is joined to the
changed node it is nearest to by a dashed line: there are nodes between that are not drawn.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from recce_meta.models.category import Category
from recce_meta.models.change import RunDiff
from recce_meta.report.effects import EFFECTS, effect_of, is_judged, reach_of
from recce_meta.report.html.markup import EMPTY, Markup, el
from recce_meta.report.wording import TESTS, by_kind, kind_order, node_label, node_part

NODES_DRAWN = 80
DRAWN_PER_DISTANCE = 12
"""Of what did not change: a hub with hundreds of children would bury all else."""

CHANGED_FIRST = 50
"""Changed nodes that are drawn before any that they reach."""

SWEEPS = 6
"""Passes over the layers to uncross edges; more change little."""

WIDTH, HEIGHT = 200, 34
GAP_X, GAP_Y = 44, 14
MARGIN = 8
LABEL_LEFT, LABEL_RIGHT = 14, 8
"""Space in a box around its label, which the browser cuts ahead of its end."""
LABEL_END = 8
"""Characters at the end of a label that stay: names that begin alike differ there."""
DOT_ROOM = 24
"""Space at the right end of a box with a dot."""
ALONE_IN_ROW = 5


class Vertex(NamedTuple):
    """A node to draw; *status* is added, removed, modified or impacted."""

    unique_id: str
    label: str
    kind: str
    status: str
    about: str = ""
    """What it breaks, or what of it is reached."""


class Edge(NamedTuple):
    """From a node to one that reads it, perhaps through others."""

    parent: str
    child: str
    is_direct: bool


class Graph(NamedTuple):
    """What is drawn, and how many nodes there would be."""

    vertices: Sequence[Vertex]
    edges: Sequence[Edge]
    total: int


class Mark(NamedTuple):
    """What is known of a node's data: an outcome's class, and where the page tells of it."""

    outcome: str
    anchor: str


def graph_of(diff: RunDiff) -> Graph:
    """The nodes of *diff* without tests.

    Where not all can be drawn, changed nodes with an edge have most of the room, the nearest downstream the
    rest; those without an edge come last, since the drawing adds nothing to what the table says of them.
    """
    changed = [
        Vertex(change.unique_id, node_label(change), kind, change.status.value, effect_of(change))
        for kind, group in by_kind(diff.changed).items()
        for change in group
        if kind not in TESTS
    ]
    downstream = _downstream(diff, {vertex.unique_id for vertex in changed})
    reached = [vertex for group in downstream for vertex in group[:DRAWN_PER_DISTANCE]]
    known = {vertex.unique_id for vertex in (*changed, *reached)}
    direct = {edge.node_id for edge in diff.children}
    edges = [Edge(edge.parent_id, edge.node_id, True) for edge in diff.children]
    edges += [Edge(i.origin, i.unique_id, False) for i in diff.impacted if i.unique_id not in direct]
    edges = [
        edge for edge in edges if edge.parent in known and edge.child in known and edge.parent != edge.child
    ]
    joined = {end for edge in edges for end in edge[:2]}
    linked = [vertex for vertex in changed if vertex.unique_id in joined]
    alone = [vertex for vertex in changed if vertex.unique_id not in joined]
    near = reached[: NODES_DRAWN - CHANGED_FIRST]
    found = [*linked[:CHANGED_FIRST], *near, *linked[CHANGED_FIRST:], *alone]
    ids = {vertex.unique_id for vertex in found[:NODES_DRAWN]}
    kept = {edge for edge in edges if edge.parent in ids and edge.child in ids}
    total = len(changed) + sum(map(len, downstream))
    return Graph(found[:NODES_DRAWN], sorted(kept), total)


def _downstream(diff: RunDiff, changed: Collection[str]) -> list[list[Vertex]]:
    """What did not change and is reached, in a list for each distance, nearest first."""
    children = {edge.node_id for edge in diff.children} if not is_judged(diff) else set()
    distances = dict.fromkeys(children, 1)
    labels = {node: diff.names.get(node) or node_part(node) for node in children}
    kinds = {node: node.split(".", 1)[0] for node in children}
    abouts: dict[str, str] = {}
    for impact in diff.impacted:
        abouts[impact.unique_id] = reach_of(impact)
        distances[impact.unique_id] = impact.distance
        labels[impact.unique_id] = node_label(impact)
        kinds[impact.unique_id] = impact.resource_type
    groups: dict[int, list[Vertex]] = {}
    for node, distance in sorted(
        distances.items(), key=lambda one: (one[1], kind_order(kinds[one[0]]), one[0])
    ):
        if kinds[node] not in TESTS and node not in changed:
            vertex = Vertex(node, labels[node], kinds[node], "impacted", abouts.get(node, ""))
            groups.setdefault(distance, []).append(vertex)
    return list(groups.values())


def layers_of(graph: Graph, distances: Mapping[str, int]) -> dict[str, int]:
    """The layer of each node with an edge: one right of its parents, as many as its distance for dashed ones.

    An edge that would close a circle is passed over: its ends are placed without it.
    """
    parents: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        parents.setdefault(edge.child, []).append(edge)
    layers: dict[str, int] = {}

    def place(start: str) -> None:
        path, is_open = [start], {start}
        while path:
            node = path[-1]
            waiting = [e.parent for e in parents.get(node, ()) if e.parent not in layers]
            waiting = [parent for parent in waiting if parent not in is_open]
            if waiting:
                path.append(waiting[0])
                is_open.add(waiting[0])
                continue
            steps = [
                layers[edge.parent] + (1 if edge.is_direct else max(distances.get(node, 2), 2))
                for edge in parents.get(node, ())
                if edge.parent in layers
            ]
            layers[node] = max(steps, default=0)
            is_open.discard(path.pop())

    for edge in graph.edges:
        place(edge.child)
    return layers


def ordered(graph: Graph, layers: Mapping[str, int]) -> list[list[str]]:
    """The nodes of each layer from top to bottom, near what they are joined to."""
    columns: dict[int, list[str]] = {}
    for vertex in graph.vertices:
        if vertex.unique_id in layers:
            columns.setdefault(layers[vertex.unique_id], []).append(vertex.unique_id)
    ranks = {layer: rank for rank, layer in enumerate(sorted(columns))}
    lists = [columns[layer] for layer in sorted(columns)]
    near: dict[str, list[str]] = {}
    for edge in graph.edges:
        near.setdefault(edge.child, []).append(edge.parent)
        near.setdefault(edge.parent, []).append(edge.child)
    for sweep in range(SWEEPS):
        for column in lists if sweep % 2 == 0 else reversed(lists):
            places = {node: index / len(one) for one in lists for index, node in enumerate(one)}
            side = {
                node: [n for n in near[node] if (ranks[layers[n]] < ranks[layers[node]]) == (sweep % 2 == 0)]
                for node in column
            }
            weights = {
                node: sum(places[n] for n in side[node]) / len(side[node]) if side[node] else places[node]
                for node in column
            }
            column.sort(key=lambda node: weights[node])
    return lists


STATUSES = {
    "added": "added",
    "removed": "removed (dashed box)",
    "modified": "modified",
    "impacted": "impacted: reads a changed node, directly or not",
}
BREAKING = "breaking"
OUTCOMES = (
    (("differs",), "data differs"),
    (("same",), "same in all that was compared"),
    (("one-sided", "partial", "not-compared"), "on one side only, not compared, or not in full"),
    (("failed",), "comparing the data failed"),
)
"""Classes of dots that look alike, and their meaning."""


def lineage_legend(graph: Graph, marks: Mapping[str, Mark]) -> Markup:
    """Return the meaning of every mark in the drawing of *graph*, and of no other."""
    statuses = {vertex.status for vertex in graph.vertices}
    dots = {marks[vertex.unique_id].outcome for vertex in graph.vertices if vertex.unique_id in marks}
    told = [
        el("li", el("span", class_=f"swatch {status}"), meaning)
        for status, meaning in STATUSES.items()
        if status in statuses
    ]
    if any(_is_breaking(vertex) for vertex in graph.vertices):
        told.append(el("li", el("span", class_=f"swatch {BREAKING}"), f"{BREAKING}, by its code (red box)"))
    told += [
        el("li", el("span", class_=f"dot {classes[0]}"), meaning)
        for classes, meaning in OUTCOMES
        if dots.intersection(classes)
    ]
    lines = {edge.is_direct for edge in graph.edges}
    if True in lines:
        told.append(el("li", "line: reads directly", class_="quiet"))
    if False in lines:
        told.append(el("li", "dashed line: through other nodes", class_="quiet"))
    return el("ul", told, class_="legend")


def _is_breaking(vertex: Vertex) -> bool:
    return vertex.about == EFFECTS[Category.BREAKING]


def lineage_svg(diff: RunDiff, marks: Mapping[str, Mark]) -> Markup:
    """The drawing under its legend, in a frame that scrolls; nothing where nothing changed."""
    graph = graph_of(diff)
    if not graph.vertices:
        return EMPTY
    layers = layers_of(graph, {impact.unique_id: impact.distance for impact in diff.impacted})
    columns = ordered(graph, layers)
    places = _places(columns, [v.unique_id for v in graph.vertices if v.unique_id not in layers])
    width = max(x for x, _y in places.values()) + WIDTH + MARGIN
    height = max(y for _x, y in places.values()) + HEIGHT + MARGIN
    told = (
        f"{len(graph.vertices):,} of {graph.total:,} nodes are drawn."
        if len(graph.vertices) < graph.total
        else ""
    )
    drawing = el(
        "svg",
        [_edge(edge, places) for edge in graph.edges],
        [_node(vertex, places[vertex.unique_id], marks.get(vertex.unique_id)) for vertex in graph.vertices],
        class_="lineage",
        width=width,
        height=height,
        viewBox=f"0 0 {width} {height}",
        role="group",
        aria_label="Lineage of the changed nodes",
    )
    frame = el("div", drawing, class_="scroll frame", tabindex=0, role="region", aria_label="Lineage")
    return Markup(lineage_legend(graph, marks) + frame + (el("p", told, class_="quiet") if told else EMPTY))


def _places(columns: Sequence[Sequence[str]], alone: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Where each node stands; columns are centred, and nodes without an edge stand in rows beneath."""
    tallest = max(map(len, columns), default=0)
    places: dict[str, tuple[int, int]] = {}
    for rank, column in enumerate(columns):
        top = MARGIN + (tallest - len(column)) * (HEIGHT + GAP_Y) // 2
        for index, node in enumerate(column):
            places[node] = MARGIN + rank * (WIDTH + GAP_X), top + index * (HEIGHT + GAP_Y)
    below = MARGIN + tallest * (HEIGHT + GAP_Y) + (GAP_Y if columns else 0)
    in_row = max(len(columns), ALONE_IN_ROW)
    for index, node in enumerate(alone):
        row, column_index = divmod(index, in_row)
        places[node] = MARGIN + column_index * (WIDTH + GAP_Y), below + row * (HEIGHT + GAP_Y)
    return places


def _label(label: str) -> list[Markup]:
    """A label in two parts: the browser cuts the first, in any font."""
    if len(label) <= 2 * LABEL_END:
        return [el("span", label)]
    return [el("span", label[:-LABEL_END], class_="start"), el("span", label[-LABEL_END:], class_="end")]


def _edge(edge: Edge, places: Mapping[str, tuple[int, int]]) -> Markup:
    (left, top), (right, bottom) = places[edge.parent], places[edge.child]
    x1, y1, x2, y2 = left + WIDTH, top + HEIGHT // 2, right, bottom + HEIGHT // 2
    bend = max(abs(x2 - x1) // 2, GAP_X // 2)
    path = f"M{x1} {y1} C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"
    return el("path", d=path, class_="edge" if edge.is_direct else "edge far")


def _node(vertex: Vertex, place: tuple[int, int], mark: Mark | None) -> Markup:
    x, y = place
    outcome = mark.outcome if mark else ""
    about = [f"{vertex.status}: {vertex.about}" if vertex.about else vertex.status]
    told = ", ".join([vertex.kind, *about, *([f"data {outcome}"] if outcome else [])])
    middle = y + HEIGHT // 2
    shape = el(
        "g",
        el("title", f"{vertex.label} ({told})"),
        el("rect", x=x, y=y, width=WIDTH, height=HEIGHT, rx=8, class_="box"),
        el("rect", x=x, y=y + 6, width=4, height=HEIGHT - 12, rx=2, class_="edge-mark"),
        el(
            "foreignObject",
            el("div", _label(vertex.label), class_="label"),
            x=x + LABEL_LEFT,
            y=y,
            width=WIDTH - LABEL_LEFT - (DOT_ROOM if outcome else LABEL_RIGHT),
            height=HEIGHT,
        ),
        el("circle", cx=x + WIDTH - 13, cy=middle, r=5, class_=f"dot {outcome}") if outcome else None,
        class_=f"vertex {vertex.status}{f' {BREAKING}' if _is_breaking(vertex) else ''}",
        data_name=vertex.label.lower(),
    )
    return el("a", shape, href=f"#{mark.anchor}") if mark and mark.anchor else shape
