"""The graph of the review: what changed and what that affects, or what its form asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from recce_meta.api.browse.graph_query import graph_query
from recce_meta.errors import RecceMetaError, plural
from recce_meta.graph.hidden_paths import DrawnEdge
from recce_meta.models import NodeMetadata
from recce_meta.models.graph_view import GraphNode, GraphView
from recce_meta.report.html.graph import Drawing, draw_lineage, placed
from recce_meta.report.html.listing import DataCell, ReviewList, ReviewRow
from recce_meta.report.labels import TESTS
from recce_meta.report.mermaid import edges_among
from recce_meta.server.access.problems import problem
from recce_meta.server.pages.graph.pages import DiffGraph
from recce_meta.server.pages.graph.section import EXPECTED, FILTERS, OFFERED, facet_counts
from recce_meta.server.pages.runs.pair import ReportedPair
from recce_meta.server.site.handlers import Parameters, Request

AROUND = "around"
"""Parameter of the node around which the graph opens; `node` is that of the drawer."""
ASKED = (AROUND, "up", "down", "expand", "select", "exclude", *FILTERS, "hubs", "most")
"""Parameters of the graph."""
OPEN = "open"
"""Parameter of a folder whose nodes are drawn."""
MOST_DRAWN = 150
"""Nodes of a drawing, unless the address asks for more."""
FOLDED_ABOVE, MOST_FOLDERS = 200, 60
"""Changed and affected nodes above which boxes are folders; folders at the deepest level."""


class Drawn(NamedTuple):
    """The graph of a page, and what its form needs."""

    drawing: Drawing | None
    view: GraphView | None = None
    folders: Mapping[str, ReviewRow] = {}
    """What is known of each folder that is a box, by its path."""
    counts: str = ""
    """Numbers of nodes and edges."""
    asked: Parameters = Parameters()
    offered: Mapping[str, Sequence[str]] = {}
    """Values that fields of the form offer; empty without a form."""
    base: str = ""
    """Address below which the nodes and edges are, as lists."""
    failure: RecceMetaError | None = None

    @property
    def nodes(self) -> Mapping[str, GraphNode]:
        """Drawn nodes by id."""
        return {node.id: node for node in self.view.nodes} if self.view else {}


def drawn(request: Request, pair: ReportedPair, found: ReviewList, apart: Collection[str]) -> Drawn:
    """Return the graph that the address asks for, in folders if it is large; *apart* are those of a path."""
    graph = DiffGraph(request.view, pair)
    pairs = request.query.pairs
    asked = Parameters(("node" if name == AROUND else name, value) for name, value in pairs if name in ASKED)
    offered = {
        name: [value for value, _ in counted.most_common(OFFERED)]
        for name, counted in facet_counts(graph.names.values()).items()
    }
    form = Drawn(None, asked=asked, offered=offered, base=graph.base)
    rows = [*found.changed, *found.affected]
    if len(rows) > FOLDED_ABOVE and not asked:
        return _in_folders(form, pair, rows, graph.names, [*apart, *request.query.all(OPEN)])
    try:
        query = replace(graph_query(asked.all), path_nodes=tuple(sorted(apart)))
        view = graph.shown(query if "most" in asked else replace(query, most=MOST_DRAWN))
    except RecceMetaError as error:
        # What the address names wrongly, the reader corrects in the form.
        if problem(error).status not in EXPECTED:
            raise
        return form._replace(failure=error)
    edges = plural(len(view.edges), "edge")
    return form._replace(
        drawing=draw_lineage(view),
        view=view,
        counts=f"{len(view.nodes):,} of {plural(view.total, 'node')}, {edges}",
    )


def _in_folders(
    form: Drawn,
    pair: ReportedPair,
    rows: Sequence[ReviewRow],
    names: Mapping[str, NodeMetadata],
    opened: Sequence[str],
) -> Drawn:
    """Return the folders of *rows*; *opened* are folders and nodes whose boxes are those of nodes."""
    parts = {row.unique_id: _folder(row.unique_id, names) for row in rows}
    levels = range(max(map(len, parts.values())), 0, -1)
    depth = next((one for one in levels if len({found[:one] for found in parts.values()}) <= MOST_FOLDERS), 1)
    folders = {unique_id: "/".join(found[:depth]) for unique_id, found in parts.items()}
    count = len({*folders.values()})
    boxes: dict[str, list[ReviewRow]] = {}
    for row in rows:  # the most harmful first
        is_asked = count == 1 or not {row.unique_id, folders[row.unique_id]}.isdisjoint(opened)
        box = row.unique_id if is_asked and len(boxes) < MOST_DRAWN else folders[row.unique_id]
        boxes.setdefault(box, []).append(row)
    inside = {row.unique_id: box for box, some in boxes.items() for row in some}
    edges: dict[tuple[str, str], int] = {}
    for edge in edges_among(pair.report.diff, list(inside)):
        ends = inside[edge.parent], inside[edge.child]
        if ends[0] != ends[1]:
            edges[ends] = edges.get(ends, edge.flags) & edge.flags
    nodes = [_box(box, some, is_folder=box not in folders) for box, some in boxes.items()]
    view = placed(nodes, [DrawnEdge(*ends, flags) for ends, flags in edges.items()], len(nodes))
    total = {_folder(one, names)[:depth] for one, node in names.items() if node.resource_type not in TESTS}
    return form._replace(
        drawing=draw_lineage(view),
        view=view,
        folders={box: _as_row(box, some) for box, some in boxes.items() if box not in folders},
        counts=f"{len(rows):,} changed or affected nodes in {count} of {plural(len(total), 'folder')}.",
    )


def _folder(unique_id: str, names: Mapping[str, NodeMetadata]) -> tuple[str, ...]:
    """Return the folder of a node's file; without a file, the parts of its id before the name."""
    path = names[unique_id].path if unique_id in names else ""
    return tuple(path.split("/")[:-1] or unique_id.split(".")[:-1])


def _box(box: str, rows: Sequence[ReviewRow], *, is_folder: bool) -> GraphNode:
    kind, name = ("folder", box) if is_folder else (rows[0].kind, rows[0].name)
    counts = Counter(row.code or row.status for row in rows)
    words = ", ".join(f"{number:,} {code}" for code, number in counts.items())
    return GraphNode(id=box, name=name, type=kind, x=0, y=0, words=words)


def _as_row(box: str, rows: Sequence[ReviewRow]) -> ReviewRow:
    """Return what is known of a folder: what is wrong is that of its most harmful node, the first."""
    different = sum(row.data.outcome == "differs" for row in rows)
    data = DataCell(f"{different:,} differ", "differs") if different else DataCell("")
    return rows[0]._replace(key=box, sign="", what=plural(len(rows), "node"), data=data)
