"""Lineage graph of a run and of a diff: pages, data for the script, and tables."""

from __future__ import annotations

from collections.abc import Callable

from recce_meta.errors import UsageError
from recce_meta.server.graph.lists import edges_listing, nodes_listing
from recce_meta.server.graph.section import (
    GraphSection,
    KnownLineage,
    graph_section,
    graph_values,
    list_parameters,
    query_of,
)
from recce_meta.server.graph.subjects import DiffGraph, RunGraph
from recce_meta.server.pages.diff import pair_of, with_ids
from recce_meta.server.pages.run_columns import run_crumbs, run_tabs, run_title, selected_run
from recce_meta.server.site.handlers import Data, PageSet, Redirect, Request
from recce_meta.server.site.listing import Listing, whole_number
from recce_meta.server.site.rendering import Page
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


@pages.page("/diff/{base}/{current}/graph")
def diff_graph_page(request: Request) -> Page | Redirect:
    """Show the lineage graph of a diff: what changed, and what that affects."""
    if (redirect := with_ids(request)) is not None:
        return redirect
    graph = DiffGraph(request.view, pair_of(request))
    pair = graph.pair
    section = graph_section(request, graph, graph.base)
    return _page(pair.title, "Parts of the diff", pair.tabs("Lineage"), pair.crumbs[:1], section)


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
