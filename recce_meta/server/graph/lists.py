"""Tables of a graph: the shown nodes with their hidden neighbours, and the edges between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from recce_meta.models.graph_view import (
    ADDED,
    BACKWARD,
    INDIRECT,
    REMOVED,
    UNCERTAIN,
    GraphEdge,
    GraphNode,
    GraphView,
)
from recce_meta.server.site.listing import ListColumn, Listing, Parameter, Row

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
