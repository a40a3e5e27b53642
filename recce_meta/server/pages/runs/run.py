"""Pages of runs: contents, changes, results, slowest nodes, provenance and export of one, and all lists."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from threading import Lock
from typing import Any, BinaryIO, cast

from recce_meta.api.browse.run import BASE, PROBLEMS, NodeChange, RunDetails, run_changes, run_details
from recce_meta.api.export import load_export
from recce_meta.diff.scan import is_scan
from recce_meta.errors import UsageError
from recce_meta.models.node import NodeMetadata, NodeResult
from recce_meta.models.run import FAILED as RUN_FAILED
from recce_meta.models.run import RunMetadata
from recce_meta.report.addresses import Addresses
from recce_meta.report.labels import (
    build_outcome,
    count_of,
    kind_order,
    moment,
    node_label,
    node_part,
    short_run_id,
)
from recce_meta.report.runs import FAILED, outcome_of, run_facts
from recce_meta.report.values import count
from recce_meta.server.access.problems import StoreBusy
from recce_meta.server.pages.runs.columns import (
    FIRST_SCAN,
    change_phrase,
    list_parameters,
    run_columns,
    run_crumbs,
    run_tabs,
    run_title,
    selected_run,
    tone_of,
)
from recce_meta.server.site.handlers import Download, PageSet, Redirect, Request
from recce_meta.server.site.listing import ListColumn, Listing
from recce_meta.server.site.rendering import Page
from recce_meta.server.stores.stores import Graph, StoreView
from recce_meta.store.export_document import document
from recce_meta.store.read import list_runs, load_results

pages = PageSet()
EXPORTED_NODES = 3_000
"""Largest number of nodes of a run that the server exports: a run is in memory meanwhile, 40 kB per node."""
_EXPORTING = Lock()
"""One export at a time: each holds a whole run in memory."""


@pages.page("/runs/{run}")
def run_page(request: Request) -> Page | Redirect:
    """Show a run; a selector such as `latest` or an environment leads to the run's address."""
    view = request.view
    run = selected_run(request)
    if run.run_id != request.parts["run"]:
        return Redirect(view.to.run(run.run_id))
    details = run_details(view.adapter, run)
    values = {
        "run": run,
        # A failed run has no graph.
        "tabs": run_tabs(view.to, run, "Overview") if run.status != RUN_FAILED else (),
        "is_failed": run.status == RUN_FAILED,
        "is_scan": is_scan(run),
        "sentence": run_sentence(details),
        "figures": run_figures(view.to, details),
        "facts": [
            (label, value) for label, value in run_facts(run, details.counts, details.statistics) if value
        ],
        "is_exported": run.node_count <= EXPORTED_NODES,
        "exported_nodes": EXPORTED_NODES,
        "details": details,
        "outcome": outcome_of(details.results.by_status, details.results.seconds)
        if details.results.total
        else "",
        "changes": change_phrase(details.changes),
        "compared": compared_runs(view.to, details),
        "base": BASE,
        "editor": _editor(view, run, details),
        **run_previews(view, details),
    }
    return Page("run.html", run_title(run), values, crumbs=run_crumbs(view.to, run)[:-1])


def _editor(view: StoreView, run: RunMetadata, details: RunDetails) -> str | None:
    """Return the address of the query editor; None if users may not query, or no other run exists."""
    is_offered = view.store.permissions.queries and compared_runs(view.to, details)
    # The editor of the run, which chooses the base when it is opened.
    return view.to.run(run.run_id, "query") if is_offered else None


def run_sentence(details: RunDetails) -> str:
    """Return what happened in the run and since the previous one, in words."""
    run = details.run
    if run.status == RUN_FAILED:
        return f"The {'scan' if is_scan(run) else 'run'} failed: {run.reason or 'reason unknown'}"
    build = build_outcome(run) or (
        "scan complete" if is_scan(run) else unknown_outcome(details.results.total)
    )
    if details.changes is None:
        since = FIRST_SCAN if is_scan(run) else "first run of this environment"
    else:
        since = f"{change_phrase(details.changes)} since the previous {'scan' if is_scan(run) else 'run'}"
        # The changes of a node include those of its macros only if dbt compiled it.
        since += ", but macros differ" if details.macros_differ and not details.changes.total else ""
    return f"{build[:1].upper()}{build[1:]}; {since}"


def unknown_outcome(results: int) -> str:
    """Return why it is unknown if the build of a run with this number of *results* succeeded."""
    return "no failure, but results with an unknown status" if results else "no results of a build"


def run_figures(to: Addresses, details: RunDetails) -> list[tuple[str, str, str | None]]:
    """Return the figures of a run: number, words, address."""
    run = details.run
    found: list[tuple[str, str, str | None]] = []
    for kind in sorted(details.counts, key=kind_order):
        number = details.counts[kind]
        words = count_of(number, kind).partition(" ")[2]
        found.append((count(number), words, to.run(run.run_id, "nodes", resource_type=kind)))
    problems = (
        (run.build_errors, "error"),
        (run.build_failures, "failed test"),
        (run.build_warnings, "warning"),
    )
    for given, noun in problems:
        if given:
            found.append(
                (count(given), count_of(given, noun).partition(" ")[2], to.run(run.run_id, "results"))
            )
    if details.changes is not None and details.changes.total:
        found.append((count(details.changes.total), "changed", to.run(run.run_id, "changes")))
    return found


def compared_runs(to: Addresses, details: RunDetails) -> list[tuple[str, str, str]]:
    """Return the diffs that a reader may want: label, address, and why this run is compared."""
    run, base = details.run, details.base
    found = []
    if base is not None and run.environment != BASE:
        why = f"base is the latest run of the environment {BASE}, {moment(base.run_at)}"
        found.append(("Diff against base", to.diff(base.run_id, run.run_id), why))
    if details.previous_run_id is not None:
        kind = "scan" if is_scan(run) else "run"
        why = f"the previous {kind} of {run.environment}, {moment(details.previous_run_at)}"
        found.append((f"Diff against the previous {kind}", to.diff(details.previous_run_id, run.run_id), why))
    return found


def run_previews(view: StoreView, details: RunDetails) -> dict[str, Any]:
    """Return the short lists of a run's page."""
    run, to = details.run, view.to
    failed = [result for result in details.problems if result.status in FAILED]
    warned = [result for result in details.problems if result.status not in FAILED]
    return {
        "failed": _results("Failed", to, run, failed),
        "warned": _results("Warnings of tests", to, run, warned),
        "slowest": _results("Slowest", to, run, details.slowest),
        "problem_limit": PROBLEMS,
        "changed": Listing.of(
            "Changes",
            change_columns(to, run.run_id)[:4],
            details.first_changes,
            empty="No node differs from the previous run.",
        ),
    }


def _results(title: str, to: Addresses, run: RunMetadata, results: Sequence[NodeResult]) -> Listing:
    names = ("status", "name", "seconds", "failures", "message")
    columns = [column for column in result_columns(to, run.run_id) if column.name in names]
    return Listing.of(title, columns, results)


@pages.download("/runs/{run}/export.json")
def export(request: Request) -> Download:
    """Send the run with all its data, as the JSON that `recce-meta import` reads."""
    run = selected_run(request)
    if run.node_count > EXPORTED_NODES:
        raise UsageError(
            f"The run has {run.node_count:,} nodes, and the server exports at most {EXPORTED_NODES:,}",
            hint=f"use recce-meta export {run.run_id} -o run.json",
        )
    # Without waiting: this request holds one of the few connections, which all pages need.
    if not _EXPORTING.acquire(blocking=False):
        raise StoreBusy("The server exports another run", hint="try again in a moment")
    # Into a file: the size is a header, and an error must not cut an answer that has begun.
    try:
        with ExitStack() as opened:
            file = cast(BinaryIO, opened.enter_context(tempfile.TemporaryFile()))
            export = load_export(request.view.adapter, run)
            file.writelines(document(export))
            # The response reads the file, and closes it.
            opened.pop_all()
    finally:
        _EXPORTING.release()
    size = file.tell()
    file.seek(0)
    return Download(f"run-{short_run_id(run.run_id)}.json", "application/json", file, size)


@pages.listing("/runs")
def runs(request: Request) -> Listing:
    """List all runs, newest first."""
    view = request.view
    # Failed runs as well: they explain gaps.
    found = list_runs(view.adapter, status=None)
    return Listing.of(
        "Runs",
        list(run_columns(view.to).values()),
        found,
        empty="No runs are recorded. Next: recce-meta record stores a dbt run, recce-meta scan a database.",
        crumbs=[("Overview", view.to.root)],
        sql="SELECT * FROM runs ORDER BY run_at DESC",
    )


@pages.listing("/runs/{run}/nodes")
def nodes(request: Request) -> Listing:
    """List the nodes of a run."""
    view, run = request.view, selected_run(request)
    graph = view.graph(run)
    return Listing.of(
        f"Nodes of {run_title(run)}",
        node_columns(view.to, run.run_id, graph),
        graph.names.values(),
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


def node_columns(to: Addresses, run_id: str, graph: Graph) -> list[ListColumn]:
    """Return the columns of a list of the nodes of *graph*."""

    def link(node: NodeMetadata) -> str:
        return to.node(run_id, node.unique_id)

    def name(node: NodeMetadata) -> str:
        # Tables of several sources, and versions of a model, have the same name.
        return node_label(node) if node.resource_type == "source" or node.version else node.name

    return [
        ListColumn("name", "node", link=link, of=name),
        ListColumn("resource_type", "type", has_facets=True),
        ListColumn("package_name", "package", has_facets=True),
        ListColumn("materialized", "materialized", has_facets=True),
        ListColumn("tags", "tags", has_facets=True, of=lambda node: ", ".join(node.tags) or None),
        ListColumn("group_name", "group", has_facets=True),
        ListColumn("access", "access", has_facets=True),
        ListColumn(
            "parents",
            "parents",
            "number",
            about="Nodes that the node reads",
            of=lambda node: len(graph.parents.get(node.unique_id, ())),
        ),
        ListColumn(
            "children",
            "children",
            "number",
            about="Nodes that read the node",
            of=lambda node: len(graph.children.get(node.unique_id, ())),
        ),
        ListColumn("path", "path", "code"),
        ListColumn("relation_name", "relation", "code"),
        ListColumn("unique_id", "unique id", "code", link=link),
    ]


@pages.listing("/runs/{run}/results")
def results(request: Request) -> Listing:
    """List dbt's results of a run: failures, warnings, then the rest by unique id."""
    view, run = request.view, selected_run(request)
    found = load_results(view.adapter, run)
    return Listing.of(
        f"Results of {run_title(run)}",
        result_columns(view.to, run.run_id),
        sorted(found, key=_severity),
        empty="The run has no results: it was recorded without run_results.json.",
        crumbs=run_crumbs(view.to, run),
        parameters=list_parameters(request),
        sql=rows_of("run_results", run.run_id),
    )


def _severity(result: NodeResult) -> int:
    return 0 if result.status in FAILED else 1 if result.status == "warn" else 2


def result_columns(to: Addresses, run_id: str) -> list[ListColumn]:
    """Return the columns of a list of results."""

    def link(result: NodeResult) -> str:
        return to.node(run_id, result.unique_id)

    return [
        ListColumn("status", "status", "tag", has_facets=True, tone=lambda one: tone_of(one.status)),
        ListColumn("name", "node", link=link, of=lambda one: node_part(one.unique_id)),
        ListColumn("resource_type", "type", has_facets=True, of=lambda one: one.unique_id.partition(".")[0]),
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
    found = run_changes(view.adapter, run)
    return Listing.of(
        f"Changes of {run_title(run)} since the previous run",
        change_columns(view.to, run.run_id),
        found,
        empty="No node differs from the previous run of the environment, or this is its first run.",
        crumbs=run_crumbs(view.to, run),
        parameters=list_parameters(request),
        sql=rows_of("node_changes", run.run_id),
    )


def change_columns(to: Addresses, run_id: str) -> list[ListColumn]:
    """Return the columns of a list of changes."""

    def link(change: NodeChange) -> str:
        # Only the previous run has a removed node.
        return to.node(change.previous_run_id if change.status == "removed" else run_id, change.unique_id)

    return [
        ListColumn("status", "status", "tag", has_facets=True),
        ListColumn("name", "node", link=link, of=lambda change: node_part(change.unique_id)),
        ListColumn("resource_type", "type", has_facets=True),
        ListColumn(
            "aspects",
            "what differs",
            has_facets=True,
            about="Parts of a node that both runs have",
            of=lambda change: ", ".join(change.aspects) or None,
        ),
        ListColumn("relation_name", "relation", "code"),
        ListColumn("previous_relation_name", "previous relation", "code"),
        ListColumn(
            "previous_run_id",
            "previous run",
            "code",
            link=lambda change: to.diff(change.previous_run_id, run_id),
            about="Leads to the diff of both runs",
        ),
        ListColumn("unique_id", "unique id", "code", link=link),
    ]
