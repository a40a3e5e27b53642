"""Pages of an impact: what a node or column affects, and the lists of affected nodes and columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from recce_meta.api.browse.impacts import LACKS_COLUMNS, ImpactReport, impact_report
from recce_meta.errors import UnknownNameError
from recce_meta.models.lineage import Direction, ReachedNode
from recce_meta.models.run import RunMetadata
from recce_meta.report.labels import TESTS, counts_by_kind, kind_order, kind_plural, node_label, short_run_id
from recce_meta.report.lineage import (
    affected_phrase,
    derivation,
    failing_phrase,
    labels_of,
    path_text,
    reached_phrases,
    references_of,
    source_names,
    subject,
)
from recce_meta.server.access.problems import NotFound
from recce_meta.server.site.handlers import PageSet, Redirect, Request
from recce_meta.server.site.listing import ListColumn, Listing, Row
from recce_meta.server.site.rendering import Page

pages = PageSet()

NODE_COLUMNS = ("name", "resource_type", "distance", "affected", "path", "confidence", "owner")
NODES_SHOWN = 40
FAILING_SHOWN = 20
IMPACT_COLUMNS_SHOWN = 25
COLUMNS_OFFERED = 500
GRAPH_STEPS = 3
"""Steps around the node that its graph shows."""


class ImpactSubject(NamedTuple):
    """Impact that an address asks for."""

    request: Request
    run: RunMetadata
    unique_id: str
    column: str | None
    direction: Direction
    report: ImpactReport

    def part(self, name: str) -> str:
        """Return the address of a list: `nodes` or `columns`."""
        return self.request.to.impact_list(self.run.run_id, self.unique_id, name, **_parameters(self))

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """Pages above this one."""
        to, run = self.request.to, self.run
        label = node_label(self.request.view.graph(run).names[self.unique_id])
        return [
            (run.project_name, to.project(run.project_name)),
            (f"{run.environment} {short_run_id(run.run_id)}", to.run(run.run_id)),
            (label, to.node(run.run_id, self.unique_id)),
        ]


def subject_of(request: Request) -> ImpactSubject:
    """Return the impact of the address, from the cache if it is there.

    Raises NotFound if the run has no such node, SelectorError if the node has no such column, and
    UnknownNameError for an unknown direction.
    """
    view, unique_id = request.view, request.parts["node"]
    run = view.run(request.parts["run"])
    # Before the cache and the SQL: an unknown id must cost nothing.
    if unique_id not in view.graph(run).names:
        raise NotFound(
            f"The run {short_run_id(run.run_id)} has no node {unique_id}",
            hint="search for the node, or choose another run",
        )
    column, given = request.query.get("column"), request.query.get("direction") or Direction.DOWNSTREAM.value
    known = [one.value for one in Direction]
    if given not in known:
        raise UnknownNameError("direction", given, known)
    direction = Direction(given)
    report = view.cached(
        ("impact", run.run_id, unique_id, column, direction),
        lambda: impact_report(view.reader(run), unique_id, column, direction),
    )
    # The column as the project spells it, so that all links agree.
    return ImpactSubject(request, run, unique_id, report.view.column, direction, report)


@pages.page("/runs/{run}/impact/{node}")
def impact_page(request: Request) -> Page | Redirect:
    """Show what a node or column affects, and what it depends on."""
    found = subject_of(request)
    if found.run.run_id != request.parts["run"]:
        return Redirect(
            request.to.of("runs", found.run.run_id, "impact", found.unique_id, **_parameters(found))
        )
    view = found.report.view
    others = [node for node in view.nodes if node.distance]
    listing = nodes_listing(found)
    columns = columns_listing(found)
    unknown = Counter(node.reason for node in others if node.reason)
    values = {
        "found": found,
        "graph": _graph(found),
        "subject": subject(view),
        "sentence": _sentence(found, others),
        "remarks": [*([] if found.run.column_graph_id else [LACKS_COLUMNS]), *view.notes],
        "kinds": _kinds(others),
        "owners": sorted(set(found.report.owners.values())),
        "offered": found.report.columns[:COLUMNS_OFFERED],
        "directions": [one.value for one in Direction],
        "failing": failing_listing(found),
        "failing_shown": FAILING_SHOWN,
        "failing_phrase": failing_phrase(view),
        "nodes": replace(
            listing.narrowed([*NODE_COLUMNS, *(["fails"] if view.fails is not None else [])]),
            # A node may have many tests, which would fill the page; the list has them.
            rows=[row for row in listing.rows if not row["is_test"]],
        ),
        "nodes_shown": NODES_SHOWN,
        "all_nodes": len(listing.rows),
        "columns": columns,
        "columns_shown": IMPACT_COLUMNS_SHOWN,
        "unknown": unknown.most_common(10),
    }
    return Page("impact.html", f"Impact of {subject(view)}", values, crumbs=found.crumbs)


def _graph(found: ImpactSubject) -> str:
    """Return the address of the graph around the node, with the column locked."""
    steps = {
        # The graph looks in the same direction as the page.
        "up": GRAPH_STEPS if found.direction is not Direction.DOWNSTREAM else 0,
        "down": GRAPH_STEPS if found.direction is not Direction.UPSTREAM else 0,
    }
    locked = {"column": found.column, "of": found.unique_id} if found.column else {}
    return found.request.to.graph(found.run.run_id, node=found.unique_id, **steps, **locked)


def _sentence(found: ImpactSubject, others: list[ReachedNode]) -> str:
    """Return the answer of the page in one sentence."""
    below = [node for node in others if node.distance > 0]
    above = [node for node in others if node.distance < 0]
    name = subject(found.report.view)
    phrases = []
    if found.direction is not Direction.UPSTREAM:
        counts = affected_phrase(found.report.view)
        phrases.append(f"A change of {name} affects {counts}" if below else f"Nothing depends on {name}")
    if found.direction is not Direction.DOWNSTREAM:
        counts = counts_by_kind(Counter(node.resource_type for node in above))
        phrases.append(f"{name} depends on {counts}" if above else f"{name} depends on nothing")
    return ". ".join(phrases)


def _kinds(others: list[ReachedNode]) -> list[tuple[str, int]]:
    """Return the figures of the page: `models`, 2."""
    counts = Counter(node.resource_type for node in others)
    found = sorted(counts.items(), key=lambda item: kind_order(item[0]))
    return [(kind.replace("_", " ") if number == 1 else kind_plural(kind), number) for kind, number in found]


@pages.listing("/runs/{run}/impact/{node}/nodes")
def nodes_list(request: Request) -> Listing:
    """List the affected nodes, nearest first."""
    return nodes_listing(subject_of(request))


@pages.listing("/runs/{run}/impact/{node}/columns")
def columns_list(request: Request) -> Listing:
    """List the affected columns, nearest first."""
    return columns_listing(subject_of(request))


def _parameters(found: ImpactSubject) -> dict[str, str]:
    """Return the parameters of the address of a list."""
    given = {} if found.direction is Direction.DOWNSTREAM else {"direction": found.direction.value}
    return given | ({"column": found.column} if found.column else {})


def nodes_listing(found: ImpactSubject) -> Listing:
    """Return the affected nodes, nearest first."""
    view, to = found.report.view, found.request.to
    labels = labels_of(view)
    fails = {node.unique_id for node in view.fails or ()}
    nodes = sorted(
        (node for node in view.nodes if node.distance),
        key=lambda node: (abs(node.distance), kind_order(node.resource_type), node_label(node)),
    )
    rows: Sequence[Row] = found.request.view.cached(
        ("rows of impact", found.run.run_id, found.unique_id, found.column, found.direction),
        lambda: [_node_row(found, node, labels, fails) for node in nodes],
    )

    # Edges may lead to nodes that the run does not have, such as disabled ones.
    known = found.request.view.graph(found.run).names

    def address(row: Row) -> str | None:
        return to.node(found.run.run_id, row["unique_id"]) if row["unique_id"] in known else None

    columns = [
        ListColumn("name", "node", link=address),
        ListColumn("resource_type", "type", has_facets=True),
        ListColumn("distance", "steps", "number", about="Edges on the shortest path; negative upstream."),
        ListColumn("affected", "affected"),
        ListColumn("path", "path"),
        ListColumn(
            "confidence",
            "certainty",
            "share",
            about="Confidence of the most certain path, that of its least certain step.",
        ),
        ListColumn("fails", "fails if removed", "flag", has_facets=True),
        ListColumn("owner", "owner", has_facets=True),
        ListColumn("reach", "part", has_facets=True),
        ListColumn("unknown", "columns unknown because"),
        ListColumn("unique_id", "unique id", "code"),
    ]
    return Listing(
        f"Nodes affected by {subject(view)}",
        columns,
        rows,
        empty="No node is affected.",
        notes=view.notes,
        crumbs=found.crumbs,
        # Also the default, so that `direction` in an address is never taken for a filter.
        parameters={"direction": found.direction.value} | _parameters(found),
    )


def _node_row(
    found: ImpactSubject, node: ReachedNode, labels: Mapping[str, str], fails: Collection[str]
) -> Row:
    return {
        "name": node_label(node),
        "resource_type": node.resource_type,
        "distance": node.distance,
        "affected": "; ".join(reached_phrases(node, labels)),
        "path": path_text(node, labels),
        "confidence": node.confidence,
        "fails": node.unique_id in fails if found.report.view.fails is not None else None,
        "owner": found.report.owners.get(node.unique_id),
        "reach": ", ".join(one.value for one in node.reach),
        "unknown": node.reason,
        "unique_id": node.unique_id,
        "is_test": node.resource_type in TESTS,
    }


def columns_listing(found: ImpactSubject) -> Listing:
    """Return the affected columns, nearest first."""
    view, to = found.report.view, found.request.to
    labels = labels_of(view)
    rows = [
        {
            "name": column.name,
            "node": node_label(node),
            "distance": column.distance,
            "sources": ", ".join(source_names(column, None, labels)),
            "derivation": derivation(column),
            "confidence": column.confidence,
            "reach": column.reach.value,
            "unique_id": node.unique_id,
        }
        for node in view.nodes
        for column in node.columns
        if node.distance
    ]
    rows.sort(key=lambda row: (abs(int(str(row["distance"]))), str(row["node"]), str(row["name"])))
    columns = [
        ListColumn("name", "column", "code", link=lambda row: _column_address(found, row)),
        ListColumn("node", "node", link=lambda row: to.node(found.run.run_id, row["unique_id"])),
        ListColumn("distance", "steps", "number"),
        ListColumn("sources", "derived from", "code"),
        ListColumn("derivation", "how", has_facets=True),
        ListColumn("confidence", "certainty", "share"),
        ListColumn("reach", "part", has_facets=True),
        ListColumn("unique_id", "unique id", "code"),
    ]
    return Listing(
        f"Columns affected by {subject(view)}",
        columns,
        rows,
        empty="No column is known to be affected.",
        notes=view.notes,
        crumbs=found.crumbs,
        parameters={"direction": found.direction.value} | _parameters(found),
    )


def _column_address(found: ImpactSubject, row: Mapping[str, Any]) -> str:
    return found.request.to.impact(found.run.run_id, row["unique_id"], row["name"])


def failing_listing(found: ImpactSubject) -> Listing:
    """Return the nodes that fail if the column is removed or renamed."""
    view, to = found.report.view, found.request.to
    labels = labels_of(view)
    columns = [
        ListColumn(
            "name", "node", of=node_label, link=lambda node: to.node(found.run.run_id, node.unique_id)
        ),
        ListColumn("resource_type", "type"),
        ListColumn(
            "references",
            "references",
            "code",
            of=lambda node: ", ".join(references_of(node, view.root, labels)),
        ),
        ListColumn("distance", "steps", "number"),
        ListColumn("confidence", "certainty", "share"),
    ]
    return Listing.of("Fails if the column is removed", columns, view.fails or ())
