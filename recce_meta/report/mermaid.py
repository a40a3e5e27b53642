"""Lineage graphs as Mermaid flowcharts, which GitHub, GitLab and most editors draw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from recce_meta.errors import plural
from recce_meta.graph.hidden_paths import DrawnEdge, Pair, drawn_edges
from recce_meta.models import LineageEdge
from recce_meta.models.change import Category, Change, RunDiff, Status
from recce_meta.models.graph_view import ADDED, INDIRECT, REMOVED
from recce_meta.models.lineage import LineageView
from recce_meta.report.diff_details import effect_label, is_classified, reach_phrase
from recce_meta.report.labels import TESTS, by_kind, kind_order, node_label, node_part
from recce_meta.report.terminal import mermaid_label

NODES_DRAWN = 40
CHANGED_FIRST = 25
"""Changed nodes that are drawn before any of their children."""

COLUMNS_DRAWN = 3
EDGES_DRAWN = 300
"""Mermaid refuses more than 500 edges by default (its `maxEdges`)."""

_CLASSES = {
    "added": "fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
    "removed": "fill:#ffebe9,stroke:#cf222e,color:#1f2328,stroke-dasharray:4 3",
    "modified": "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
    "breaking": "fill:#fff8c5,stroke:#cf222e,stroke-width:3px,color:#1f2328",
    "impacted": "fill:#f6f8fa,stroke:#8c959f,color:#1f2328",
    "columns": "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
    "rows": "fill:#ffebe9,stroke:#cf222e,color:#1f2328",
    "unknown": "fill:#f6f8fa,stroke:#8c959f,color:#1f2328,stroke-dasharray:4 3",
    "root": "fill:#ddf4ff,stroke:#0969da,color:#1f2328",
    "other": "fill:#f6f8fa,stroke:#8c959f,color:#1f2328",
}
"""Text has explicit colours as well, since a page may be dark."""

_SHAPES = {
    "source": ('[("', '")]'),
    "seed": ('[("', '")]'),
    "table": ('[("', '")]'),
    "external_table": ('[("', '")]'),
    "exposure": ('(["', '"])'),
    "metric": ('(["', '"])'),
}


_LINES = {
    0: "-->",
    ADDED: "-- added -->",
    REMOVED: "-- removed -->",
    INDIRECT: "-.->",
    INDIRECT | ADDED: "-. added .->",
    INDIRECT | REMOVED: "-. removed .->",
}
"""Line of an edge by its flags."""


class FlowchartNode(NamedTuple):
    """Node of a flowchart; *style* is a key of `_CLASSES`."""

    unique_id: str
    label: str
    resource_type: str
    style: str
    about: str = ""
    """Second line of the label."""


class Flowchart(NamedTuple):
    """Mermaid text, and the numbers of drawn nodes, all nodes, drawn edges and edges between drawn nodes."""

    text: str
    drawn: int
    total: int
    edges: int
    edges_total: int
    has_paths: bool
    """True if a drawn edge is a path through nodes that are not drawn."""

    def markdown(self, nodes: str = "") -> str:
        """Return the graph as Markdown, with what it leaves out; *nodes* says which nodes it shows."""
        text = f"\n```mermaid\n{self.text}\n```\n"
        shown = []
        if self.drawn < self.total:
            shown.append(f"{nodes}{self.drawn} of {plural(self.total, 'node')}")
        if self.edges < self.edges_total:
            shown.append(f"{self.edges} of {plural(self.edges_total, 'edge')}")
        sentences = [f"The graph shows {' and '.join(shown)}."] if shown else []
        if self.has_paths:
            sentences.append("A dotted line is a path through nodes that are not drawn.")
        return f"{text}\n{' '.join(sentences)}\n" if sentences else text


def diff_flowchart(diff: RunDiff) -> Flowchart:
    """Return the changed nodes with their effect, and their affected children, without tests.

    If there are too many, changed nodes with an edge get most of the room, followed by their children. Nodes
    without an edge are last: the graph adds nothing to their row in the table.
    """
    changed = {
        change.unique_id: FlowchartNode(
            change.unique_id, node_label(change), kind, _style(change), effect_label(change)
        )
        for kind, group in by_kind(diff.changed).items()
        for change in group
        if kind not in TESTS
    }
    reached = {impact.unique_id: impact for impact in diff.impacted}
    spares = is_classified(diff)
    children: dict[str, FlowchartNode] = {}
    for edge in diff.children:
        kind = edge.node_id.split(".", 1)[0]
        # If changes are classified, such a child is known to be unaffected.
        if spares and edge.node_id not in reached:
            continue
        if edge.node_id not in changed and edge.parent_id in changed and kind not in TESTS:
            label = diff.names.get(edge.node_id) or node_part(edge.node_id)
            impact = reached.get(edge.node_id)
            about = reach_phrase(impact, COLUMNS_DRAWN) if impact else ""
            children[edge.node_id] = FlowchartNode(edge.node_id, label, kind, "impacted", about)
    ordered = sorted(children.values(), key=lambda v: (kind_order(v.resource_type), v.label, v.unique_id))
    joined = {end for edge in edges_among(diff, [*changed, *children]) for end in edge.pair}
    linked = [vertex for vertex in changed.values() if vertex.unique_id in joined]
    alone = [vertex for vertex in changed.values() if vertex.unique_id not in joined]
    first = [*linked[:CHANGED_FIRST], *ordered[: NODES_DRAWN - CHANGED_FIRST]]
    rest = [*linked[CHANGED_FIRST:], *ordered[NODES_DRAWN - CHANGED_FIRST :], *alone]
    vertices = [*first, *rest]
    return _flowchart(vertices, edges_among(diff, _ids(vertices[:NODES_DRAWN])))


def edges_among(diff: RunDiff, shown: Sequence[str]) -> list[DrawnEdge]:
    """Return the edges of a drawing of the nodes *shown*, as `drawn_edges` does; all others are hidden."""
    return _edges(
        shown,
        diff.edges,
        {_pair(edge): ADDED for edge in diff.added_edges}
        | {_pair(edge): REMOVED for edge in diff.removed_edges},
    )


def lineage_flowchart(view: LineageView) -> Flowchart:
    """Return the graph of *view*; if there are too many nodes, the nearest are drawn."""
    nodes = sorted(view.nodes, key=lambda n: (abs(n.distance), kind_order(n.resource_type), n.unique_id))
    vertices = [
        FlowchartNode(
            n.unique_id, node_label(n), n.resource_type, "root" if n.unique_id == view.root else "other"
        )
        for n in nodes
    ]
    return nearest_flowchart(vertices, view.edges)


def nearest_flowchart(vertices: Sequence[FlowchartNode], edges: Iterable[LineageEdge]) -> Flowchart:
    """Return the graph of the first `NODES_DRAWN` of *vertices* with the *edges* of one run among them."""
    return _flowchart(vertices, _edges(_ids(vertices[:NODES_DRAWN]), edges))


def _ids(vertices: Sequence[FlowchartNode]) -> list[str]:
    return [vertex.unique_id for vertex in vertices]


def _pair(edge: LineageEdge) -> Pair:
    return edge.parent_id, edge.node_id


def _edges(
    shown: Sequence[str], edges: Iterable[LineageEdge], one_sided: Mapping[Pair, int] | None = None
) -> list[DrawnEdge]:
    children: dict[str, list[str]] = {}
    known: set[str] = set()
    for parent, child in {_pair(edge) for edge in edges}:
        children.setdefault(parent, []).append(child)
        known |= {parent, child}
    return drawn_edges(shown, children, known.difference(shown), one_sided)


def _flowchart(vertices: Sequence[FlowchartNode], edges: Sequence[DrawnEdge]) -> Flowchart:
    """Draw the first `NODES_DRAWN` of *vertices* with the *edges* among them, of which edges precede paths.

    Vertices are numbered because a node's name, such as `end`, may be a Mermaid keyword.
    """
    drawn = list(vertices[:NODES_DRAWN])
    numbers = {vertex.unique_id: index for index, vertex in enumerate(drawn)}
    lines = [_vertex_line(f"n{numbers[vertex.unique_id]}", vertex) for vertex in drawn]
    kept = sorted(edges, key=lambda edge: edge.flags & INDIRECT)[:EDGES_DRAWN]
    pairs = sorted((numbers[edge.parent], numbers[edge.child], edge.flags) for edge in kept)
    lines += [f"  n{parent} {_LINES[flags]} n{child}" for parent, child, flags in pairs]
    styles = sorted({vertex.style for vertex in drawn})
    lines += [f"  classDef {style} {_CLASSES[style]}" for style in styles]
    return Flowchart(
        "\n".join(["flowchart LR", *lines]),
        len(drawn),
        len(vertices),
        len(pairs),
        len(edges),
        any(edge.flags & INDIRECT for edge in kept),
    )


def _vertex_line(number: str, vertex: FlowchartNode) -> str:
    opening, closing = _SHAPES.get(vertex.resource_type, ('["', '"]'))
    about = f"<br/>{mermaid_label(vertex.about)}" if vertex.about else ""
    return f"  {number}{opening}{mermaid_label(vertex.label)}{about}{closing}:::{vertex.style}"


def _style(change: Change) -> str:
    is_worse = change.category is Category.BREAKING and change.status is Status.MODIFIED
    return "breaking" if is_worse else change.status.value
