"""The graph of the review: what changed and what that affects, or what its form asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from recce_meta.api.browse.graph_query import graph_query
from recce_meta.errors import RecceMetaError, plural
from recce_meta.models.graph_view import GraphNode, GraphView
from recce_meta.report.html.graph import Drawing, draw_lineage
from recce_meta.report.html.page import lineage_of
from recce_meta.server.access.problems import problem
from recce_meta.server.pages.graph.pages import DiffGraph
from recce_meta.server.pages.graph.section import EXPECTED, FILTERS, OFFERED, facet_counts
from recce_meta.server.pages.runs.pair import ReportedPair
from recce_meta.server.site.handlers import Parameters, Request

AROUND = "around"
"""Parameter of the node around which the graph opens; `node` is that of the drawer."""
ASKED = (AROUND, "up", "down", "expand", "select", "exclude", *FILTERS, "hubs", "most")
"""Parameters of the graph."""
MOST_DRAWN = 150
"""Nodes of a drawing, unless the address asks for more."""


class Drawn(NamedTuple):
    """The graph of a page, and what its form needs."""

    drawing: Drawing | None
    view: GraphView | None = None
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


def drawn(request: Request, pair: ReportedPair) -> Drawn:
    """Return the graph that the address asks for."""
    graph = DiffGraph(request.view, pair)
    pairs = request.query.pairs
    asked = Parameters(("node" if name == AROUND else name, value) for name, value in pairs if name in ASKED)
    offered = {
        name: [value for value, _ in counted.most_common(OFFERED)]
        for name, counted in facet_counts(graph.names.values()).items()
    }
    form = Drawn(None, asked=asked, offered=offered, base=graph.base)
    try:
        query = graph_query(asked.all)
        view = graph.shown(query if "most" in asked else replace(query, most=MOST_DRAWN))
    except RecceMetaError as error:
        # What the address names wrongly, the reader corrects in the form.
        if problem(error).status not in EXPECTED:
            raise
        return form._replace(failure=error)
    edges = plural(len(view.edges), "edge")
    return form._replace(
        drawing=draw_lineage(view, {}),
        view=view,
        counts=f"{len(view.nodes):,} of {plural(view.total, 'node')}, {edges}",
    )


def drawn_below(pair: ReportedPair) -> Drawn:
    """Return the graph below a short list, for which nothing is read."""
    lineage = lineage_of(pair.report.diff, pair.nodes)
    return Drawn(lineage.drawing, lineage.view) if lineage else Drawn(None)
