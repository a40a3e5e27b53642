"""Part of a page with a lineage graph: its form, its filters, and the addresses of its data.

The address of the page holds the whole view: the fields of `GraphQuery`, and what only the script reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from recce_meta.api.browse.graph_query import GraphQuery, graph_query
from recce_meta.errors import RecceMetaError, plural
from recce_meta.models import NodeMetadata
from recce_meta.models.graph_view import (
    ADDED,
    BACKWARD,
    INDIRECT,
    REMOVED,
    UNCERTAIN,
    ColumnPath,
    GraphColumns,
    GraphEdge,
    GraphNode,
    GraphView,
)
from recce_meta.report.addresses import with_query
from recce_meta.report.labels import kind_order
from recce_meta.server.access.problems import Problem, problem
from recce_meta.server.pages.forms.editor import graph_actions
from recce_meta.server.site.handlers import Parameters, Request
from recce_meta.server.site.listing import FACET_VALUES, ListColumn, Listing, Parameter, Row

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


_CATEGORIES = ("breaking", "partial_breaking", "unknown", "non_breaking", "no_effect")
"""Categories of changes in the order of the table."""
_STATUSES = ("modified", "removed", "added", "impacted")
_EDGES = {
    ADDED: "only in current",
    REMOVED: "only in base",
    INDIRECT: "through nodes that are not shown",
    UNCERTAIN: "not certain",
    BACKWARD: "closes a cycle",
}
"""Meaning of the flags of an edge."""
_TONES = {"failed": "failed", "warned": "differs", "passed": "same"}
NAMES_SHOWN = 12
"""Names of parents in one cell."""

Expand = Callable[[str, str], str]
"""Returns the address of the view with one more step from a node, `up` or `down`."""


def nodes_listing(
    view: GraphView,
    expand: Expand,
    *,
    crumbs: Sequence[tuple[str, str]] = (),
    parameters: Mapping[str, Parameter] | None = None,
) -> Listing:
    """Return the nodes of *view*: those at which it opens, then changes by severity, then by layer."""
    reads: dict[int, list[str]] = {}
    for edge in view.edges:
        name, about = view.nodes[edge.parent].name, _about(edge)
        reads.setdefault(edge.child, []).append(f"{name} ({about})" if about else name)
    focus = set(view.focus)
    is_diff = any(node.status for node in view.nodes)
    # The index goes along: edges name nodes by their position in the view.
    numbered = sorted(enumerate(view.nodes), key=lambda one: _rank(one[1], focus, is_diff=is_diff))
    rows = [_node_row(node, reads.get(index, [])) for index, node in numbered]
    columns = [
        ListColumn("name", "node", "code", link=lambda row: row["_href"] or None),
        ListColumn("resource_type", "type", has_facets=True),
        ListColumn("change", "change", "tag", has_facets=True, tone=lambda row: row["_change"]),
        ListColumn("tests", "tests", tone=lambda row: row["_tests"]),
        ListColumn("review", "review"),
        ListColumn("reads", "reads", "code", about="Parents that are shown."),
        ListColumn(
            "hidden_parents",
            "hidden parents",
            "number",
            link=lambda row: expand(row["unique_id"], "up") if row["hidden_parents"] else None,
            about="Parents that are not shown; the link shows them.",
        ),
        ListColumn(
            "hidden_children",
            "hidden children",
            "number",
            link=lambda row: expand(row["unique_id"], "down") if row["hidden_children"] else None,
            about="Children that are not shown; the link shows them.",
        ),
        ListColumn("materialized", "materialized", has_facets=True),
        ListColumn("owner_name", "owner", has_facets=True),
        ListColumn("package_name", "package", has_facets=True),
        ListColumn("tags", "tags"),
        ListColumn("file", "file", "code"),
        ListColumn("unique_id", "unique id", "code"),
    ]
    return Listing(
        "Nodes of the graph",
        columns,
        rows,
        empty="No node matches. Remove a filter, or choose another node.",
        notes=view.notes,
        crumbs=crumbs,
        parameters=parameters or {},
    )


def _about(edge: GraphEdge) -> str:
    return ", ".join(words for flag, words in _EDGES.items() if edge.flags & flag)


def _rank(node: GraphNode, focus: set[str], *, is_diff: bool) -> tuple[int, int, int, int, str, str]:
    category = _CATEGORIES.index(node.category) if node.category in _CATEGORIES else len(_CATEGORIES)
    status = _STATUSES.index(node.status) if node.status in _STATUSES else len(_STATUSES)
    is_changed = status < _STATUSES.index("impacted")
    harm, kind = (category if is_changed else len(_CATEGORIES) + 1, status) if is_diff else (0, 0)
    return harm, kind, int(node.id not in focus), node.layer, node.name, node.id


def _node_row(node: GraphNode, reads: Sequence[str]) -> Row:
    more = len(reads) - NAMES_SHOWN
    return {
        "name": node.name,
        "resource_type": node.type,
        # None instead of an empty text, because sorting puts it last, and JSON has null.
        "change": node.words or node.status or None,
        "tests": node.tests or None,
        "review": node.review or None,
        "reads": ", ".join(sorted(reads)[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "") or None,
        "hidden_parents": node.parents,
        "hidden_children": node.children,
        "materialized": node.materialized or None,
        "owner_name": node.owner or None,
        "package_name": node.package or None,
        "tags": ", ".join(node.tags) or None,
        "file": node.path or None,
        "unique_id": node.id,
        "_href": node.href,
        "_change": node.category if node.status != "impacted" else "",
        "_tests": _TONES.get(node.tests_tone, ""),
    }


def edges_listing(
    view: GraphView,
    *,
    crumbs: Sequence[tuple[str, str]] = (),
    parameters: Mapping[str, Parameter] | None = None,
) -> Listing:
    """Return the edges between the nodes of *view*."""
    rows = []
    for edge in view.edges:
        parent, child = view.nodes[edge.parent], view.nodes[edge.child]
        rows.append(
            {
                "parent": parent.name,
                "child": child.name,
                "about": _about(edge) or None,
                "parent_id": parent.id,
                "child_id": child.id,
                "_parent": parent.href,
                "_child": child.href,
            }
        )
    columns = [
        ListColumn("parent", "parent", "code", link=lambda row: row["_parent"] or None),
        ListColumn("child", "child", "code", link=lambda row: row["_child"] or None),
        ListColumn("about", "about", has_facets=True),
        ListColumn("parent_id", "id of the parent", "code"),
        ListColumn("child_id", "id of the child", "code"),
    ]
    return Listing(
        "Edges of the graph",
        columns,
        rows,
        empty="No edge is between the shown nodes.",
        notes=view.notes,
        crumbs=crumbs,
        parameters=parameters or {},
    )
