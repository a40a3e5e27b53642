"""Page of one run: contents, changes, results, slowest nodes, provenance and export."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from threading import Lock
from typing import Any, BinaryIO, cast

from recce_meta.api.browse.run import BASE, PROBLEMS, RunDetails, run_details
from recce_meta.api.export import load_export
from recce_meta.diff.scan import is_scan
from recce_meta.errors import UsageError
from recce_meta.models.node import NodeResult
from recce_meta.models.run import FAILED as RUN_FAILED
from recce_meta.models.run import RunMetadata
from recce_meta.report.addresses import Addresses
from recce_meta.report.labels import build_outcome, count_of, kind_order, moment, short_run_id
from recce_meta.report.runs import FAILED, outcome_of, run_facts
from recce_meta.report.values import count
from recce_meta.server.access.problems import StoreBusy
from recce_meta.server.pages.run_columns import (
    FIRST_SCAN,
    change_phrase,
    run_crumbs,
    run_tabs,
    run_title,
    selected_run,
)
from recce_meta.server.pages.run_lists import change_columns, change_row, result_columns, result_row
from recce_meta.server.site.handlers import Download, PageSet, Redirect, Request
from recce_meta.server.site.listing import Listing
from recce_meta.server.site.rendering import Page
from recce_meta.server.stores.stores import StoreView
from recce_meta.store.export_document import document

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
    details = run_details(view.adapter, run, schema=view.schema)
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
        "changed": Listing(
            "Changes",
            change_columns(to, run.run_id)[:4],
            [change_row(change) for change in details.first_changes],
            empty="No node differs from the previous run.",
        ),
    }


def _results(title: str, to: Addresses, run: RunMetadata, results: Sequence[NodeResult]) -> Listing:
    names = ("status", "name", "seconds", "failures", "message")
    columns = [column for column in result_columns(to, run.run_id) if column.name in names]
    return Listing(title, columns, [result_row(result) for result in results])


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
            export = load_export(request.view.adapter, run, schema=request.view.schema)
            file.writelines(document(export))
            # The response reads the file, and closes it.
            opened.pop_all()
    finally:
        _EXPORTING.release()
    size = file.tell()
    file.seek(0)
    return Download(f"run-{short_run_id(run.run_id)}.json", "application/json", file, size)
