"""Lineage graph of the changed nodes as SVG, in the positions of `recce_meta.graph.layout`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from recce_meta.graph.hidden_paths import DrawnEdge, closing_cycles
from recce_meta.graph.layout import layout
from recce_meta.models.change import Change, RunDiff
from recce_meta.models.graph_view import (
    ADDED,
    BOX_HEIGHT,
    BOX_WIDTH,
    INDIRECT,
    LAYER_PITCH,
    REMOVED,
    GraphEdge,
    GraphNode,
    GraphView,
)
from recce_meta.report.diff_details import effect_label, is_classified, reach_phrase
from recce_meta.report.labels import TESTS, by_kind, kind_order, node_label, node_part
from recce_meta.report.mermaid import edges_among

NODES_DRAWN = 80
DRAWN_PER_DISTANCE = 12
"""Unchanged nodes drawn at each distance: a hub with hundreds of children would hide the rest."""
CHANGED_FIRST = 50
"""Changed nodes that are drawn before any node they affect."""
MARGIN = 8
BEND = 40
"""Distance of the control points of a line from its ends, at least."""
TWIN = 8
"""Distance of two lines with the same ends."""
SIGN_LEFT = 10
"""Distance of the sign of a line that goes back from its end."""
SIGN_UP, SIGN_DOWN = 3, 12
"""Distance of a sign from its line, above it or below."""
LABEL_RIGHT = 8
"""Padding of a label, whose middle the browser cuts."""
LABEL_END = 8
"""Characters at the end of a label that are never cut, since names with a common prefix differ there."""


def view_of(diff: RunDiff) -> GraphView:
    """Return the nodes of *diff* without tests, with positions.

    If there are too many, changed nodes with an edge get most of the room, followed by the nearest downstream
    nodes. Changed nodes without an edge are last: the drawing adds nothing to their row in the table.
    """
    changed = [
        _changed(change)
        for kind, group in by_kind(diff.changed).items()
        for change in group
        if kind not in TESTS
    ]
    downstream = _downstream(diff, {node.id for node in changed})
    reached = [node for group in downstream for node in group[:DRAWN_PER_DISTANCE]]
    joined = {
        end for edge in edges_among(diff, [node.id for node in (*changed, *reached)]) for end in edge.pair
    }
    linked = [node for node in changed if node.id in joined]
    alone = [node for node in changed if node.id not in joined]
    near = reached[: NODES_DRAWN - CHANGED_FIRST]
    shown = [*linked[:CHANGED_FIRST], *near, *linked[CHANGED_FIRST:], *alone][:NODES_DRAWN]
    total = len(changed) + sum(map(len, downstream))
    edges = edges_among(diff, [node.id for node in shown])
    return placed(shown, edges, total)


def _changed(change: Change) -> GraphNode:
    effect = effect_label(change)
    return GraphNode(
        id=change.unique_id,
        name=node_label(change),
        type=change.resource_type,
        x=0,
        y=0,
        path=change.path,
        status=change.status.value,
        category=change.category.value if change.category and effect else "",
        words=f"{change.status.value}, {effect}" if effect else change.status.value,
    )


def _affected(unique_id: str, name: str, kind: str, about: str) -> GraphNode:
    words = f"affected: {about}" if about else "affected"
    return GraphNode(id=unique_id, name=name, type=kind, x=0, y=0, status="impacted", words=words)


def _downstream(diff: RunDiff, changed: Collection[str]) -> list[list[GraphNode]]:
    """Return unchanged, affected nodes in a list per distance, nearest first."""
    found: dict[str, tuple[int, GraphNode]] = {}
    if not is_classified(diff):
        for child in {edge.node_id for edge in diff.children}:
            name = diff.names.get(child) or node_part(child)
            found[child] = 1, _affected(child, name, child.split(".", 1)[0], "")
    for impact in diff.impacted:
        node = _affected(impact.unique_id, node_label(impact), impact.resource_type, reach_phrase(impact))
        found[impact.unique_id] = impact.distance, node
    # By distance, because the drawing limits the nodes at each distance.
    groups: dict[int, list[GraphNode]] = {}
    for distance, node in sorted(
        found.values(), key=lambda one: (one[0], kind_order(one[1].type), one[1].id)
    ):
        if node.type not in TESTS and node.id not in changed:
            groups.setdefault(distance, []).append(node)
    return list(groups.values())


def placed(nodes: Sequence[GraphNode], edges: Sequence[DrawnEdge], total: int) -> GraphView:
    """Return *nodes*, of *total*, with *edges* and positions."""
    numbers = {node.id: number for number, node in enumerate(nodes)}
    parents: dict[str, list[str]] = {}
    for edge in edges:
        parents.setdefault(edge.child, []).append(edge.parent)
    found = layout(numbers, parents)
    places = [found.positions[node.id] for node in nodes]
    is_cut = len(nodes) < total
    return GraphView(
        nodes=tuple(
            replace(node, x=place.x, y=place.y, layer=place.layer)
            for node, place in zip(nodes, places, strict=True)
        ),
        edges=tuple(
            GraphEdge(numbers[edge.parent], numbers[edge.child], edge.flags, found.bends.get(edge.pair, ()))
            for edge in closing_cycles(edges, found.backward)
        ),
        total=total,
        focus=tuple(node.id for node in nodes if node.status != "impacted"),
        is_cut=is_cut,
        notes=(f"{len(nodes):,} of {total:,} nodes are drawn.",) if is_cut else (),
    )


class LineStyle(NamedTuple):
    """Look and meaning of the lines with a flag."""

    class_: str
    sign: str
    """Sign on the line; may be empty."""
    look: str
    meaning: str


LINES = {
    0: LineStyle("", "", "line", "reads directly"),
    INDIRECT: LineStyle("far", "", "dashed line", "through other nodes"),
    ADDED: LineStyle("added", "+", "line with +", "only in the current run"),
    REMOVED: LineStyle("removed", "−", "line with −", "only in the base run"),
}
"""Look of a line by each of its flags; 0 is a line that is not `INDIRECT`."""


class Box(NamedTuple):
    """Node at its position."""

    id: str
    label: str
    title: str
    x: int
    y: int


class EdgePath(NamedTuple):
    """Edge as a path of SVG, with the ids of its nodes."""

    parent: str
    child: str
    path: str
    class_: str
    title: str
    sign: str
    """Sign on the path, at `x` and `y`; may be empty."""
    x: int
    y: int


class Drawing(NamedTuple):
    """Graph with positions, its legend, and the number of all nodes."""

    width: int
    height: int
    boxes: Sequence[Box]
    edges: Sequence[EdgePath]
    legend: Sequence[str]
    """Meaning of each kind of line that occurs."""


def draw_lineage(view: GraphView) -> Drawing | None:
    """Return *view* as shapes; None if it has no node."""
    if not view.nodes:
        return None
    left, top = (min(one) - MARGIN for one in zip(*((node.x, node.y) for node in view.nodes), strict=True))
    nodes = [replace(node, x=node.x - left, y=node.y - top) for node in view.nodes]
    return Drawing(
        width=max(node.x for node in nodes) + BOX_WIDTH + MARGIN,
        height=max(node.y for node in nodes) + BOX_HEIGHT + MARGIN,
        boxes=[Box(node.id, node.name, f"{node.type}, {node.words}", node.x, node.y) for node in nodes],
        edges=list(_lines(nodes, [_moved(edge, top) for edge in view.edges])),
        legend=[
            f"{style.look}: {style.meaning}"
            for flag, style in LINES.items()
            if any(_has(edge, flag) for edge in view.edges)
        ],
    )


def _has(edge: GraphEdge, flag: int) -> bool:
    return bool(edge.flags & flag) if flag else not edge.flags & INDIRECT


def _lines(nodes: Sequence[GraphNode], edges: Sequence[GraphEdge]) -> Iterator[EdgePath]:
    drawn: set[tuple[int, int]] = set()
    for edge in edges:
        ends = edge.parent, edge.child
        # An edge of one run and a path of the other are drawn next to each other.
        yield _line(nodes[edge.parent], nodes[edge.child], edge, TWIN if ends in drawn else 0)
        drawn.add(ends)


def _moved(edge: GraphEdge, top: int) -> GraphEdge:
    return replace(edge, bends=tuple(height - top for height in edge.bends))


def _curve(x1: int, y1: int, x2: int, y2: int) -> str:
    # Ends that are close, or in the wrong order, still need a visible bend.
    bend = max(abs(x2 - x1) // 2, BEND)
    return f" C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"


def _line(parent: GraphNode, child: GraphNode, edge: GraphEdge, shift: int) -> EdgePath:
    x1, y1 = parent.x + BOX_WIDTH, parent.y + BOX_HEIGHT // 2 + shift
    x2, y2 = child.x, child.y + BOX_HEIGHT // 2 + shift
    path, x, y = f"M{x1} {y1}", x1, y1
    # Straight past the boxes of each layer in between.
    for layer, height in enumerate((bend + shift for bend in edge.bends), 1):
        left = parent.x + layer * LAYER_PITCH
        path += f"{_curve(x, y, left, height)} H{left + BOX_WIDTH}"
        x, y = left + BOX_WIDTH, height
    path += _curve(x, y, x2, y2)
    # In the middle of the last curve, where lines with a common start or end differ.
    x, y = (x + x2) // 2, (y + y2) // 2
    # Boxes hide lines that go back.
    if x2 < x1:
        x, y = max(x2 - SIGN_LEFT, SIGN_LEFT // 2), y2
    styles = [style for flag, style in LINES.items() if _has(edge, flag)]
    return EdgePath(
        parent=parent.id,
        child=child.id,
        path=path,
        class_=" ".join(["edge", *(style.class_ for style in styles if style.class_)]),
        title=f"{parent.name} → {child.name}: {', '.join(style.meaning for style in styles)}",
        sign="".join(style.sign for style in styles),
        x=x,
        y=y + (SIGN_DOWN if shift else -SIGN_UP),
    )


GRAPH_GLOBALS: dict[str, Any] = {
    "HEIGHT": BOX_HEIGHT,
    "LABEL_END": LABEL_END,
    "LABEL_RIGHT": LABEL_RIGHT,
    "WIDTH": BOX_WIDTH,
}
"""Constants that templates use."""
