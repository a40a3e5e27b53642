"""Part of a page with a lineage graph: its form, its filters, and the addresses of its data.

The address of the page holds the whole view: the fields of `GraphQuery`, and what only the script reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from recce_meta.api.browse.graph_query import GraphQuery, graph_query
from recce_meta.errors import RecceMetaError, plural
from recce_meta.models import NodeMetadata
from recce_meta.models.graph_view import ColumnPath, GraphColumns, GraphView
from recce_meta.report.addresses import with_query
from recce_meta.report.labels import kind_order
from recce_meta.server.access.problems import Problem, problem
from recce_meta.server.data_forms.graph_actions import graph_actions
from recce_meta.server.graph.lists import nodes_listing
from recce_meta.server.site.handlers import Parameters, Request
from recce_meta.server.site.listing import FACET_VALUES, Parameter

NODES_SHOWN = 100
"""Nodes in the table of a page; its list has all."""
EXPECTED = (400, 404)
"""Statuses of failures that the page shows above its form: the reader can correct the address there."""
OFFERED = 200
"""Values that a field of the form offers."""
FILTERS = ("type", "tag", "package", "path", "owner")
VIEW = ("node", "up", "down", "expand", "select", "exclude", *FILTERS, "hubs", "most")
"""Parameters of `GraphQuery`."""


class FilterLink(NamedTuple):
    """Value of a filter, with the address of the view with or without it."""

    value: str
    nodes: int
    """Number of nodes of the run with this value."""
    address: str
    is_set: bool


@dataclass(frozen=True)
class GraphSection:
    """Graph on a page, with what its templates need."""

    request: Request
    path: str
    """Address of the page without parameters."""
    base: str
    """Address of the graph of the run or diff: its data are at `.json`, `/nodes` and so on."""
    names: Mapping[str, NodeMetadata]
    """Nodes of the whole graph."""
    view: GraphView | None = None
    failure: Problem | None = None
    """Reason why there is no view."""
    node: str = ""
    """Node of the page's path; may be empty."""
    opened: str = ""
    """What a view without a node and a selector opens at, in a sentence."""

    @property
    def asked(self) -> Parameters:
        """Parameters of the address that choose what the graph shows."""
        pairs = self.request.query.pairs
        return Parameters((name, value) for name, value in pairs if name in VIEW)

    @property
    def counts(self) -> str:
        """Number of shown nodes, of all nodes, and of edges."""
        assert self.view is not None
        shown, edges = len(self.view.nodes), len(self.view.edges)
        return f"{shown:,} of {plural(self.view.total, 'node')}, {plural(edges, 'edge')}"

    def data(self, suffix: str) -> str:
        """Return the address of data of this view: `.json`, `/nodes`, `/edges`."""
        pairs = self.asked.pairs
        # The page of a node has it in its path; the data know only parameters.
        if self.node and not self.request.query.get("node"):
            pairs = (("node", self.node), *pairs)
        return self.base + suffix + Parameters(pairs).encoded()

    @property
    def source(self) -> str:
        """Address to which the script adds the parameters of a view."""
        return with_query(f"{self.base}.json", node=self.node or None)

    def value(self, name: str) -> str:
        """Return the value of a field of the form."""
        return self.request.query.get(name, "")

    def expanded(self, unique_id: str, side: str) -> str:
        """Return the address of the view with one more step `up` or `down` from a node."""
        return self.path + Parameters((*self.asked.pairs, ("expand", f"{unique_id}:{side}"))).encoded()

    @property
    def kept(self) -> Sequence[tuple[str, str]]:
        """Parameters that the form sends in addition to its fields."""
        return [pair for pair in self.asked.pairs if pair[0] in (*FILTERS, "expand", "most")]

    @property
    def actions(self) -> str:
        """Data diffs that the details of the graph offer, as the attribute `data-actions`."""
        return graph_actions(self.request.view, self.base)

    @property
    def has_filters(self) -> bool:
        """True if the address hides nodes."""
        return any(name in self.asked for name in (*FILTERS, "exclude", "hubs"))

    @property
    def filters(self) -> list[tuple[str, list[FilterLink]]]:
        """Name and values of each filter with values to choose from."""
        counts = facet_counts(self.names.values())
        found = []
        for name in FILTERS:
            known, chosen = counts.get(name, Counter()), self.request.query.all(name)
            best = [value for value, _ in known.most_common(FACET_VALUES)]
            # A filter that is set must be there to be removed, however rare its value is.
            values = [*best, *(value for value in dict.fromkeys(chosen) if value not in best)]
            if name == "type":
                values.sort(key=kind_order)
            if len(values) > 1 or chosen:
                found.append((name, [self._link(name, value, known[value]) for value in values]))
        return found

    def _link(self, name: str, value: str, count: int) -> FilterLink:
        is_set = value in self.request.query.all(name)
        others = [pair for pair in self.asked.pairs if pair != (name, value)]
        wanted = Parameters(others if is_set else [*others, (name, value)])
        return FilterLink(value, count, self.path + wanted.encoded(), is_set)

    def offered(self, name: str) -> list[str]:
        """Return values that the field of a filter offers."""
        counts = facet_counts(self.names.values()).get(name, Counter())
        return [value for value, _ in counts.most_common(OFFERED)]


class KnownLineage(Protocol):
    """Graph of a run or of a diff."""

    @property
    def base(self) -> str:
        """Address of the graph."""

    @property
    def names(self) -> Mapping[str, NodeMetadata]:
        """Nodes of the graph."""

    @property
    def reason(self) -> str:
        """Sentence about the nodes at which the graph opens."""

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """Pages above the tables of the graph."""

    def shown(self, query: GraphQuery) -> GraphView:
        """Return the part of the graph that *query* names."""

    def columns(self, node: str, search: str, page: int) -> GraphColumns:
        """Return a page of the columns of *node*."""

    def path(self, node: str, column: str) -> ColumnPath:
        """Return the path of a column."""


def query_of(request: Request, node: str = "") -> GraphQuery:
    """Return the view that the address of *request* asks for; *node* is that of its path."""

    def values(name: str) -> tuple[str, ...]:
        found = request.query.all(name)
        # A node in the parameters wins: the form of a node's page may name another.
        return (node,) if name == "node" and node and not found else found

    return graph_query(values)


def graph_section(request: Request, graph: KnownLineage, path: str, node: str = "") -> GraphSection:
    """Return the graph that the address of *request* asks for; *path* is the page, which may be about *node*.

    A view that the address names wrongly is a failure of the section: the rest of the page remains.
    """
    section = GraphSection(request, path, graph.base, graph.names, node=node)
    try:
        view = graph.shown(query_of(request, node))
    except RecceMetaError as error:
        failure = problem(error)
        # A store that fails is not a mistake in the address, and the rest of the page needs it too.
        if failure.status not in EXPECTED:
            raise
        return replace(section, failure=failure)
    # The sentence is only about the nodes that the page has chosen itself.
    return replace(section, view=view, opened="" if section.asked or node else graph.reason)


def graph_values(section: GraphSection) -> dict[str, object]:
    """Return the values of the templates of a graph."""
    listing = None if section.view is None else nodes_listing(section.view, section.expanded)
    return {"part": section, "listing": listing, "nodes_shown": NODES_SHOWN}


def list_parameters(query: Parameters) -> dict[str, Parameter]:
    """Return the parameters of the address of a list that choose the view."""
    found: dict[str, Parameter] = {}
    for name in VIEW:
        values = query.all(name)
        if values:
            found[name] = values[0] if len(values) == 1 else values
    # `project` resolves the selector of the run; as a parameter it is not taken for a filter.
    return found | ({"project": query["project"]} if "project" in query else {})


def facet_counts(nodes: Iterable[NodeMetadata]) -> dict[str, Counter[str]]:
    """Return the number of nodes by type, tag and package."""
    found: dict[str, Counter[str]] = {"type": Counter(), "tag": Counter(), "package": Counter()}
    for node in nodes:
        found["type"][node.resource_type] += 1
        found["tag"].update(node.tags)
        if node.package_name:
            found["package"][node.package_name] += 1
    return found
