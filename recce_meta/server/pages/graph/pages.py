"""Lineage graph of a run and of a diff: pages, data for the script, and tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace

from recce_meta.api.browse.graph import diff_graph, earlier_places, needs_names_alone, places_of, run_graph
from recce_meta.api.browse.graph_columns import PAGE, column_path, diff_columns, graph_columns, side_of
from recce_meta.api.browse.graph_opening import Opening, opening_of
from recce_meta.api.browse.graph_query import GraphQuery, Places
from recce_meta.api.browse.run import runs_around
from recce_meta.api.run_reader import RunReader
from recce_meta.errors import UsageError
from recce_meta.models import NodeMetadata
from recce_meta.models.graph_view import ColumnPath, GraphColumns, GraphView
from recce_meta.models.run import RunMetadata
from recce_meta.server.pages.graph.section import (
    GraphSection,
    KnownLineage,
    edges_listing,
    graph_section,
    graph_values,
    list_parameters,
    nodes_listing,
    query_of,
)
from recce_meta.server.pages.runs.columns import run_crumbs, run_tabs, run_title, selected_run
from recce_meta.server.pages.runs.pair import ReportedPair, pair_of
from recce_meta.server.site.handlers import Data, PageSet, Redirect, Request
from recce_meta.server.site.listing import Listing, whole_number
from recce_meta.server.site.rendering import Page
from recce_meta.server.stores.stores import StoreView
from recce_meta.store.select import require_complete

pages = PageSet()
MOST_PAGES = 10_000


def _page(title: str, label: str, tabs: object, crumbs: list[tuple[str, str]], section: GraphSection) -> Page:
    values = {"tabs": tabs, "tabs_label": label, **graph_values(section)}
    # The page with the form is shown all the same; the status is for programs and caches.
    status = section.failure.status if section.failure else 200
    return Page("graph.html", title, values, crumbs=crumbs, status=status)


@pages.page("/runs/{run}/graph")
def run_graph_page(request: Request) -> Page | Redirect:
    """Show the lineage graph of a run."""
    run = require_complete(selected_run(request))
    to = request.to
    if run.run_id != request.parts["run"]:
        # `project` has resolved the selector; an address with an id no longer needs it.
        return Redirect(to.graph(run.run_id) + request.query.without("project").encoded())
    section = graph_section(request, RunGraph(request.view, run), to.graph(run.run_id))
    return _page(
        run_title(run), "Parts of the run", run_tabs(to, run, "Lineage"), run_crumbs(to, run)[:-1], section
    )


def _of_run(request: Request) -> RunGraph:
    return RunGraph(request.view, require_complete(selected_run(request)))


def _of_diff(request: Request) -> DiffGraph:
    return DiffGraph(request.view, pair_of(request))


def _register(path: str, graph_of: Callable[[Request], KnownLineage]) -> None:
    """Register the data and the tables of the graph at *path*."""

    @pages.data(f"{path}.json")
    def view_data(request: Request) -> Data:
        return Data(graph_of(request).shown(query_of(request)))

    @pages.data(f"{path}/columns.json")
    def columns_data(request: Request) -> Data:
        query = request.query
        found = graph_of(request).columns(
            _required(request, "node"), query.get("q", ""), whole_number(query, "page", 1, MOST_PAGES)
        )
        return Data(found)

    @pages.data(f"{path}/path.json")
    def path_data(request: Request) -> Data:
        return Data(graph_of(request).path(_required(request, "node"), _required(request, "column")))

    @pages.listing(f"{path}/nodes")
    def nodes_list(request: Request) -> Listing:
        graph = graph_of(request)
        # Links of a list lead to the page of the graph, which has the same parameters.
        section = GraphSection(request, graph.base, graph.base, graph.names)
        return nodes_listing(
            graph.shown(query_of(request)),
            section.expanded,
            crumbs=graph.crumbs,
            parameters=list_parameters(request.query),
        )

    @pages.listing(f"{path}/edges")
    def edges_list(request: Request) -> Listing:
        graph = graph_of(request)
        return edges_listing(
            graph.shown(query_of(request)), crumbs=graph.crumbs, parameters=list_parameters(request.query)
        )


def _required(request: Request, name: str) -> str:
    value = request.query.get(name, "")
    if not value:
        raise UsageError(f"The address has no {name}", hint=f"add {name}=NAME to the address")
    return value


_register("/runs/{run}/graph", _of_run)
_register("/diff/{base}/{current}/graph", _of_diff)


@dataclass(frozen=True)
class RunGraph:
    """Graph of one run."""

    view: StoreView
    run: RunMetadata

    @property
    def base(self) -> str:
        """Address of the graph."""
        return self.view.to.graph(self.run.run_id)

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """Pages above the tables of the graph."""
        return [*run_crumbs(self.view.to, self.run), ("Lineage", self.base)]

    @property
    def names(self) -> Mapping[str, NodeMetadata]:
        """Nodes of the run."""
        return self.view.graph(self.run).names

    @property
    def reason(self) -> str:
        """Sentence about the nodes at which the graph opens; empty for the whole graph."""
        return self._opening().reason

    def _opening(self) -> Opening:
        view, run = self.view, self.run
        return view.cached(
            ("opening", run.run_id),
            lambda: opening_of(view.adapter, run, view.graph(run)),
        )

    def shown(self, query: GraphQuery) -> GraphView:
        """Return the part of the graph that *query* names."""
        return self.view.cached(("graph", self.run.run_id, query), lambda: self._shown(query))

    def _shown(self, query: GraphQuery) -> GraphView:
        view, run = self.view, self.run
        opening = self._opening_of(query)
        # An expansion adds to the view before it, whose nodes must not move under the reader's eyes.
        first = replace(query, expand=())
        found = run_graph(
            view.reader(run),
            query,
            graph=view.graph(run),
            opened=None if opening is None else opening.ids,
            earlier=places_of(self.shown(first)) if query.expand else self._earlier(query, opening),
            link=lambda unique_id: view.to.node(run.run_id, unique_id),
        )
        if not query.expand:
            places = places_of(found)
            # Apart from `results`, which a new copy of the store's file clears.
            view.store.places.put((run.run_id, query), places)
        return found if opening is None else replace(found, focus=opening.focus)

    def _opening_of(self, query: GraphQuery) -> Opening | None:
        # An opening is only for an address that asks for nothing.
        return None if query.node or query.select or query.has_filter else self._opening()

    def _earlier(self, query: GraphQuery, opening: Opening | None) -> Places | None:
        """Return the positions of a view without expansions, as it or that of a neighbouring run was drawn.

        If none was drawn, they are those of the previous run. A view that opens at a part of its run has the
        positions of the same nodes.
        """
        view, run = self.view, self.run
        around = view.cached(("around", run.run_id), lambda: runs_around(view.adapter, run))
        # Without a reason, the view opens at the whole graph.
        opened = opening.ids if opening is not None and opening.reason else None
        # A neighbouring run may open at other nodes, so its positions would not fit.
        for run_id in (run.run_id, *around) if opened is None else (run.run_id,):
            if (known := view.store.places.get((run_id, query))) is not None:
                return known  # type: ignore[no-any-return]
        if around[0] is None:
            return None
        previous = RunGraph(view, view.run(around[0]))
        before, now = view.graph(previous.run), view.graph(run)
        # Their drawings would be the same, so that one is enough.
        if before.names == now.names and before.parents == now.parents and needs_names_alone(query):
            return None
        return previous.places(query) if opened is None else previous.places_among(query, opened)

    def places(self, query: GraphQuery) -> Places:
        """Return the positions of a view without expansions, as it was drawn, else without earlier ones.

        They stay in memory, so that a run keeps the positions of all runs before it whose graphs were drawn.
        """
        key = (self.run.run_id, query)
        return self.view.store.places.get_or_build(key, lambda: self.places_among(query, None))

    def places_among(self, query: GraphQuery, opened: Sequence[str] | None) -> Places:
        """Return the positions of a view that opens at the nodes *opened*, without earlier positions."""
        view, run = self.view, self.run
        return earlier_places(view.reader(run), query, graph=view.graph(run), opened=opened)

    def columns(self, node: str, search: str, page: int) -> GraphColumns:
        """Return a page of the columns of *node* whose names contain *search*."""
        return graph_columns(self.view.reader(self.run), node, search, page)

    def path(self, node: str, column: str) -> ColumnPath:
        """Return what *column* of *node* comes from, and what comes from it."""
        view, run = self.view, self.run
        return view.cached(
            ("graph path", run.run_id, node, column),
            lambda: column_path(view.reader(run), node, column, link=partial(view.to.column, run.run_id)),
        )


@dataclass(frozen=True)
class DiffGraph:
    """Graph of the two runs of a diff."""

    view: StoreView
    pair: ReportedPair
    reason: str = ""

    @property
    def base(self) -> str:
        """Address of the graph."""
        return self.view.to.diff_graph(self.pair.base.run_id, self.pair.current.run_id)

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """Pages above the tables of the graph."""
        return [*self.pair.crumbs, ("Graph", self.pair.view(view="graph"))]

    @property
    def names(self) -> Mapping[str, NodeMetadata]:
        """Nodes of both runs."""
        view, pair = self.view, self.pair
        # Current wins: a node that both runs have is shown as it is now.
        return {**view.graph(pair.base).names, **view.graph(pair.current).names}

    def shown(self, query: GraphQuery) -> GraphView:
        """Return the part of the graph that *query* names."""
        key = ("graph", self.pair.base.run_id, self.pair.current.run_id, query)
        return self.view.cached(key, lambda: self._shown(query))

    def _shown(self, query: GraphQuery) -> GraphView:
        view, pair = self.view, self.pair
        first = replace(query, expand=())
        return diff_graph(
            pair.report.diff,
            self._readers(),
            query,
            earlier=places_of(self.shown(first)) if query.expand else self._earlier(first),
            graphs=(view.graph(pair.base), view.graph(pair.current)),
            link=pair.of_node,
            reviews=pair.reviews,
        )

    def _earlier(self, query: GraphQuery) -> Places:
        """Return the positions of a view without expansions in the base run."""
        base, diff = RunGraph(self.view, self.pair.base), self.pair.report.diff
        if query.node or query.select:
            return base.places(query)
        # The nodes at which the graph of a diff opens, as the base run would place them.
        changed = [change.unique_id for change in diff.changed]
        return base.places_among(query, changed + [impact.unique_id for impact in diff.impacted])

    def columns(self, node: str, search: str, page: int, size: int = PAGE) -> GraphColumns:
        """Return a page of *size* columns of *node* with their changes."""
        return diff_columns(self.pair.report.diff, *self._readers(), node, search, page, size)

    def path(self, node: str, column: str) -> ColumnPath:
        """Return what *column* of *node* comes from, and what comes from it, in the run that has the node."""
        view, pair = self.view, self.pair

        def found() -> ColumnPath:
            base, current = self._readers()
            # Only base has a removed node.
            reader, unique_id = side_of(base, current, node)
            run = pair.base if reader is base else pair.current
            return column_path(reader, unique_id, column, link=partial(view.to.column, run.run_id))

        return view.cached(("graph path", pair.base.run_id, pair.current.run_id, node, column), found)

    def _readers(self) -> tuple[RunReader, RunReader]:
        return self.view.reader(self.pair.base), self.view.reader(self.pair.current)
