"""Pages of the parents and the children of a node, with the graph around it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from recce_meta.api.browse.graph_query import kind_of
from recce_meta.report.labels import counts_by_kind, kind_order
from recce_meta.report.review.annotations import annotation_phrase
from recce_meta.server.pages.graph.pages import RunGraph
from recce_meta.server.pages.graph.section import graph_section, graph_values
from recce_meta.server.pages.nodes.node import (
    OpenedNode,
    certainty,
    kind_phrase,
    label_of,
    name_of,
    open_node,
)
from recce_meta.server.site.annotations import annotated_nodes
from recce_meta.server.site.handlers import PageSet, Request
from recce_meta.server.site.listing import ListColumn, Listing, Row
from recce_meta.server.site.rendering import Page

pages = PageSet()


@pages.page("/runs/{run}/nodes/{node}/lineage")
def lineage(request: Request) -> Page:
    """Show the parents and the children of a node."""
    opened = open_node(request, "lineage")
    kinds = Counter(kind_of(one, opened.graph.names) for one in opened.children)
    graph = RunGraph(request.view, opened.run)
    section = graph_section(request, graph, opened.address("lineage"), opened.node.unique_id)
    values = {
        "parents": neighbours(opened, "parents"),
        "children": neighbours(opened, "children"),
        "summary": counts_by_kind(kinds),
        "impact": request.to.impact(opened.run.run_id, opened.node.unique_id),
        "count_of_tests": len(opened.test_ids),
        **graph_values(section),
    }
    page = opened.page("node_lineage.html", "Lineage", values)
    return page if section.failure is None else replace(page, status=section.failure.status)


def neighbours(opened: OpenedNode, side: str) -> Listing:
    """Return the `parents` or the `children` of a node, with their type and materialization."""
    names = opened.graph.names
    origins = opened.node.edge_origins
    rows: list[Row] = []
    ids = opened.parents if side == "parents" else opened.children
    # Edges belong to the node that reads, so one query has those of all children.
    readers = [opened.node.unique_id] if side == "parents" else ids
    annotated = annotated_nodes(opened.request.view, opened.run.project_name, readers)
    for unique_id in ids:
        edge = (unique_id, opened.node.unique_id) if side == "parents" else (opened.node.unique_id, unique_id)
        found = names.get(unique_id)
        origin = origins.get(unique_id)
        rows.append(
            {
                "name": label_of(unique_id, names),
                "unique_id": unique_id,
                "resource_type": kind_of(unique_id, names),
                "materialized": found.materialized if found else None,
                "path": found.path if found else None,
                "kind": origin.kind if origin else None,
                "confidence": certainty(origin.confidence) if origin else None,
                "in_run": found is not None,
                "notes": annotation_phrase(annotated.of_edge(*edge)) or "none",
                "_edge": edge,
            }
        )
    rows.sort(key=lambda row: (kind_order(row["resource_type"]), row["name"]))
    columns = [
        ListColumn("name", "node", "code", link=lambda row: _node_link(opened, row)),
        ListColumn("resource_type", "type", has_facets=True),
        ListColumn("materialized", "materialized as", has_facets=True),
        ListColumn("path", "file", "code"),
    ]
    # Origins are stored with the reader, so only its parents have them.
    if side == "parents" and origins:
        columns += [
            ListColumn("kind", "known from", about="ref or source (dbt), catalog, or names in the SQL"),
            ListColumn("confidence", "certainty"),
        ]
    columns.append(ListColumn("notes", "notes on the edge", link=lambda row: _edge_link(opened, row)))
    node = opened.node
    empty = {
        "parents": f"This {kind_phrase(node)} reads no other node.",
        "children": "No other node of this run reads it.",
    }
    title = f"{side.capitalize()} of {name_of(node)}"
    return Listing(title, columns, rows, empty=empty[side], crumbs=opened.inner_crumbs)


def _node_link(opened: OpenedNode, row: Row) -> str | None:
    return opened.request.to.node(opened.run.run_id, row["unique_id"]) if row["in_run"] else None


def _edge_link(opened: OpenedNode, row: Row) -> str | None:
    parent, reader = row["_edge"]
    # The page of an edge is below that of the node that reads.
    is_there = reader in opened.graph.names
    return opened.request.to.edge(opened.run.run_id, parent, reader) if is_there else None


@pages.listing("/runs/{run}/nodes/{node}/parents")
def parents(request: Request) -> Listing:
    """List the nodes that a node reads."""
    return neighbours(open_node(request, "parents"), "parents")


@pages.listing("/runs/{run}/nodes/{node}/children")
def children(request: Request) -> Listing:
    """List the nodes that read a node."""
    return neighbours(open_node(request, "children"), "children")
