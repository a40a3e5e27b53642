"""Lists of runs, and of the nodes, results and changes of one run."""

from __future__ import annotations

from recce_meta.api.browse.run import NodeChange, run_changes
from recce_meta.models.node import NodeMetadata, NodeResult
from recce_meta.report.addresses import Addresses
from recce_meta.report.labels import node_label, node_part
from recce_meta.report.runs import FAILED
from recce_meta.server.pages.run_columns import (
    list_parameters,
    run_cells,
    run_columns,
    run_crumbs,
    run_title,
    selected_run,
    status_tone,
)
from recce_meta.server.site.handlers import PageSet, Request
from recce_meta.server.site.listing import ListColumn, Listing, Row
from recce_meta.store.read import list_runs, load_results

pages = PageSet()


@pages.listing("/runs")
def runs(request: Request) -> Listing:
    """List all runs, newest first."""
    view = request.view
    # Failed runs as well: they explain gaps.
    found = list_runs(view.adapter, schema=view.schema, status=None)
    return Listing(
        "Runs",
        list(run_columns(view.to).values()),
        [run_cells(run) for run in found],
        empty="No runs are recorded. Next: recce-meta record stores a dbt run, recce-meta scan a database.",
        crumbs=[("Overview", view.to.root)],
        sql="SELECT * FROM runs ORDER BY run_at DESC",
    )


@pages.listing("/runs/{run}/nodes")
def nodes(request: Request) -> Listing:
    """List the nodes of a run."""
    view, run = request.view, selected_run(request)
    graph = view.graph(run)
    rows = [
        node_row(node, len(graph.parents.get(unique_id, ())), len(graph.children.get(unique_id, ())))
        for unique_id, node in graph.names.items()
    ]
    return Listing(
        f"Nodes of {run_title(run)}",
        node_columns(view.to, run.run_id),
        rows,
        empty="The run has no nodes.",
        crumbs=run_crumbs(view.to, run),
        parameters=list_parameters(request),
        sql=rows_of("nodes", run.run_id),
    )


def rows_of(view: str, run_id: str) -> str:
    """Return the query of the rows of a run in a public view, for readers."""
    # Readers copy the query: an id with a quote must not end the text.
    literal = "'" + run_id.replace("'", "''") + "'"
    return f"SELECT * FROM {view} WHERE run_id = {literal}"  # noqa: S608 - it is shown, not run


def node_row(node: NodeMetadata, parents: int, children: int) -> Row:
    """Return the row of a node."""
    return {
        # Tables of several sources, and versions of a model, have the same name.
        "name": node_label(node) if node.resource_type == "source" or node.version else node.name,
        "resource_type": node.resource_type,
        "package_name": node.package_name,
        "materialized": node.materialized,
        "tags": ", ".join(node.tags) or None,
        "group_name": node.group_name,
        "access": node.access,
        "parents": parents,
        "children": children,
        "path": node.path,
        "relation_name": node.relation_name,
        "unique_id": node.unique_id,
    }


def node_columns(to: Addresses, run_id: str) -> list[ListColumn]:
    """Return the columns of a list of nodes."""

    def link(row: Row) -> str:
        return to.node(run_id, row["unique_id"])

    return [
        ListColumn("name", "node", link=link),
        ListColumn("resource_type", "type", has_facets=True),
        ListColumn("package_name", "package", has_facets=True),
        ListColumn("materialized", "materialized", has_facets=True),
        ListColumn("tags", "tags", has_facets=True),
        ListColumn("group_name", "group", has_facets=True),
        ListColumn("access", "access", has_facets=True),
        ListColumn("parents", "parents", "number", about="Nodes that the node reads"),
        ListColumn("children", "children", "number", about="Nodes that read the node"),
        ListColumn("path", "path", "code"),
        ListColumn("relation_name", "relation", "code"),
        ListColumn("unique_id", "unique id", "code", link=link),
    ]


@pages.listing("/runs/{run}/results")
def results(request: Request) -> Listing:
    """List dbt's results of a run: failures, warnings, then the rest by unique id."""
    view, run = request.view, selected_run(request)
    found = load_results(view.adapter, run, schema=view.schema)
    return Listing(
        f"Results of {run_title(run)}",
        result_columns(view.to, run.run_id),
        [result_row(result) for result in sorted(found, key=_severity)],
        empty="The run has no results: it was recorded without run_results.json.",
        crumbs=run_crumbs(view.to, run),
        parameters=list_parameters(request),
        sql=rows_of("run_results", run.run_id),
    )


def _severity(result: NodeResult) -> int:
    return 0 if result.status in FAILED else 1 if result.status == "warn" else 2


def result_row(result: NodeResult) -> Row:
    """Return the row of a result."""
    return {
        "status": result.status,
        "name": node_part(result.unique_id),
        "resource_type": result.unique_id.partition(".")[0],
        "seconds": result.seconds,
        "failures": result.failures,
        "rows": result.rows,
        "bytes": result.bytes,
        "message": result.message,
        "completed_at": result.completed_at,
        "unique_id": result.unique_id,
    }


def result_columns(to: Addresses, run_id: str) -> list[ListColumn]:
    """Return the columns of a list of results."""

    def link(row: Row) -> str:
        return to.node(run_id, row["unique_id"])

    return [
        ListColumn("status", "status", "tag", has_facets=True, tone=status_tone("status")),
        ListColumn("name", "node", link=link),
        ListColumn("resource_type", "type", has_facets=True),
        ListColumn("seconds", "seconds", "seconds"),
        ListColumn("failures", "failures", "number", about="Rows that the test found"),
        ListColumn("rows", "rows", "number", about="Affected rows, if the adapter reports them"),
        ListColumn("bytes", "bytes", "bytes", about="Processed bytes, if the adapter reports them"),
        ListColumn("message", "message"),
        ListColumn("completed_at", "completed at", about="ISO 8601, UTC"),
        ListColumn("unique_id", "unique id", "code", link=link),
    ]


@pages.listing("/runs/{run}/changes")
def changes(request: Request) -> Listing:
    """List the nodes that differ from the previous run of the environment."""
    view, run = request.view, selected_run(request)
    found = run_changes(view.adapter, run, schema=view.schema)
    return Listing(
        f"Changes of {run_title(run)} since the previous run",
        change_columns(view.to, run.run_id),
        [change_row(change) for change in found],
        empty="No node differs from the previous run of the environment, or this is its first run.",
        crumbs=run_crumbs(view.to, run),
        parameters=list_parameters(request),
        sql=rows_of("node_changes", run.run_id),
    )


def change_row(change: NodeChange) -> Row:
    """Return the row of a change."""
    return {
        "status": change.status,
        "name": node_part(change.unique_id),
        "resource_type": change.resource_type,
        "aspects": ", ".join(change.aspects) or None,
        "relation_name": change.relation_name,
        "previous_relation_name": change.previous_relation_name,
        "previous_run_id": change.previous_run_id,
        "unique_id": change.unique_id,
    }


def change_columns(to: Addresses, run_id: str) -> list[ListColumn]:
    """Return the columns of a list of changes."""

    def link(row: Row) -> str:
        # Only the previous run has a removed node.
        holder = row["previous_run_id"] if row["status"] == "removed" else run_id
        return to.node(holder, row["unique_id"])

    def diff(row: Row) -> str:
        return to.diff(row["previous_run_id"], run_id)

    return [
        ListColumn("status", "status", "tag", has_facets=True),
        ListColumn("name", "node", link=link),
        ListColumn("resource_type", "type", has_facets=True),
        ListColumn("aspects", "what differs", has_facets=True, about="Parts of a node that both runs have"),
        ListColumn("relation_name", "relation", "code"),
        ListColumn("previous_relation_name", "previous relation", "code"),
        ListColumn(
            "previous_run_id", "previous run", "code", link=diff, about="Leads to the diff of both runs"
        ),
        ListColumn("unique_id", "unique id", "code", link=link),
    ]
