"""Pages that start and show data diffs, and the choice of two runs to compare."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from recce_meta.api.browse.diffs import suggested_pairs
from recce_meta.api.data.requests import DataDiffRequest
from recce_meta.data_diff.row_sample import RowSample
from recce_meta.errors import RecceMetaError, RunNotFound, SelectorError, UsageError
from recce_meta.models import NodeMetadata, RunMetadata
from recce_meta.redaction import presentable
from recce_meta.report.labels import node_label
from recce_meta.repositories.state.audit import AuditAction, note_now
from recce_meta.server.access.problems import NotFound
from recce_meta.server.pages.forms.offers import list_field
from recce_meta.server.pages.runs.blocks import data_blocks
from recce_meta.server.pages.runs.pair import run_phrase
from recce_meta.server.site.handlers import Data, PageSet, Redirect, Request
from recce_meta.server.site.listing import ListColumn, Listing
from recce_meta.server.site.rendering import Page
from recce_meta.server.stores.queries import HEARTBEAT_SECONDS, HIDDEN_SECONDS
from recce_meta.server.stores.query_jobs import (
    JobState,
    PageState,
    QueryJob,
    job_tree,
    request_of,
    title_of_request,
)
from recce_meta.server.stores.stores import StoreView
from recce_meta.store.data_diffs import save_data_diffs
from recce_meta.store.read import list_runs
from recce_meta.store.session import refuse_newer

pages = PageSet()

PAGE = re.compile(r"[A-Za-z0-9]{1,40}")
"""Name that a page in a browser gives itself."""
STATEMENTS_SHOWN = 30
"""Statements on the page of a job; its JSON has more."""
_SENTENCES = {
    JobState.QUEUED: "waits for its turn",
    JobState.RUNNING: "is running",
    JobState.DONE: "is done",
    JobState.FAILED: "failed",
    JobState.CANCELLED: "was cancelled",
}
_TONES = {JobState.DONE: "same", JobState.FAILED: "failed", JobState.CANCELLED: "one-sided"}


@pages.action("/queries")
def start(request: Request) -> Redirect:
    """Start the data diff of a form, and show its page."""
    request.view.store.permissions.require_queries()
    asked = request_of(request.form)
    view = request.view
    project = request.form.get("project")
    base, current = view.run(asked.base, project), view.run(asked.current, project)
    asked = replace(asked, base=base.run_id, current=current.run_id)  # ids, so that equal requests are found
    if asked.node is not None and _node(view, asked.node, (base, current)) is None:
        raise NotFound(f"Neither run has the node {asked.node}", hint="open the node from a list")
    if request.state is not None:
        # Before it runs: a query that the audit cannot take is not started.
        note_now(request.state, AuditAction.RUN_QUERY, view.store.name, after=_noted(asked))
    job = view.store.queries.start(asked, base, current, request.by)
    return Redirect(address_of(request, job))


def _noted(asked: DataDiffRequest) -> dict[str, Any]:
    """Return what the audit says of a query."""
    fields = ("node", "columns", "where", "base_sql", "current_sql", "base", "current")
    given = {name: value for name in fields if (value := getattr(asked, name))}
    return {"kind": asked.kind.value, **given}


def _node(view: StoreView, unique_id: str, runs: Sequence[RunMetadata]) -> NodeMetadata | None:
    """Return the node *unique_id*, that of the last of *runs* that has it."""
    # From the graphs in memory: the list of jobs must not read the store for each.
    found = (view.graph(run).names.get(unique_id) for run in reversed(runs))
    return next((node for node in found if node is not None), None)


def address_of(request: Request, job: QueryJob, *parts: str) -> str:
    """Return the page of *job*."""
    return request.to.of("queries", job.id, *parts)


@pages.listing("/queries")
def jobs(request: Request) -> Listing:
    """List data diffs and queries, the latest first."""
    request.view.store.permissions.require_queries()
    view, to = request.view, request.to
    rows = [
        {
            "name": _title(view, job),
            "kind": job.request.kind.value,
            "state": job.state.value,
            "asked_at": job.asked_at,
            "started_by": "; ".join(job.started_by),
            "seconds": round(job.elapsed, 2),
            "statements": len(job.statements),
            "base": job.base.run_id,
            "current": job.current.run_id,
            "id": job.id,
            "_tone": _TONES.get(job.state, "quiet"),
        }
        for job in view.store.queries.jobs()
    ]
    columns = [
        ListColumn("name", "query", link=lambda row: to.of("queries", row["id"])),
        ListColumn("state", "state", "tag", has_facets=True, tone=lambda row: row["_tone"]),
        ListColumn("kind", "kind", has_facets=True),
        ListColumn("asked_at", "started", "time"),
        ListColumn(
            "started_by",
            "by",
            has_facets=True,
            about="Address of the client, and its token, or the session of its browser after a login.",
        ),
        ListColumn("seconds", "seconds", "seconds"),
        ListColumn("statements", "statements", "number"),
        ListColumn("base", "base", "code", link=lambda row: to.run(row["base"])),
        ListColumn("current", "current", "code", link=lambda row: to.run(row["current"])),
        ListColumn("id", "id", "code"),
    ]
    return Listing(
        "Queries",
        columns,
        rows,
        empty="No query was started since the start of the server. Pages of nodes and of diffs start them.",
        notes=["Results stay in memory for an hour, and are lost when the server ends."] if rows else (),
        is_kept=False,
    )


@pages.data("/queries/{job}.json")
def job_data(request: Request) -> Data:
    """Return one job, and note that its reader is there."""
    request.view.store.permissions.require_queries()
    job = request.view.store.queries.job(request.parts["job"], is_seen=True)
    return Data(job_tree(job), is_kept=False)


@pages.page("/queries/{job}")
def job_page(request: Request) -> Page:
    """Show one job, and note that its reader is there."""
    request.view.store.permissions.require_queries()
    view, to = request.view, request.to
    job = view.store.queries.job(request.parts["job"], is_seen=True)
    asked, title = job.request, _title(view, job)
    phrase = _SENTENCES[job.state]
    # The warehouse may need seconds to stop a statement.
    if job.reason is not None and not job.state.is_over:
        phrase = "is being cancelled"
    result = job.result
    values = {
        "job": job,
        "heading": f"{title} {phrase}",
        "is_active": not job.state.is_over,
        "address": address_of(request, job),
        "cancel": address_of(request, job, "cancel"),
        "save": address_of(request, job, "save"),
        "again": to.of("queries"),
        "fields": fields_of(asked),
        "diff": to.diff(asked.base, asked.current),
        "node": None if asked.node is None else to.diff(asked.base, asked.current, node=asked.node),
        "sides": [
            (side, run_phrase(run), to.run(run.run_id))
            for side, run in (("base", job.base), ("current", job.current))
        ],
        "blocks": [] if result is None or isinstance(result, RowSample) else list(data_blocks([result])),
        "sample": result if isinstance(result, RowSample) else None,
        # A copy, because the thread of the job adds statements meanwhile.
        "statements": list(job.statements)[:STATEMENTS_SHOWN],
        "all_statements": len(job.statements),
        "may_write": view.store.permissions.writes,
        "heartbeat": f"{HEARTBEAT_SECONDS:g}",
        "hidden": f"{HIDDEN_SECONDS:g}",
        "list": to.of("queries"),
    }
    return Page("query.html", title, values, crumbs=[("Queries", to.of("queries"))], is_kept=False)


def fields_of(asked: DataDiffRequest) -> Mapping[str, str]:
    """Return the fields of the form that asks the same again."""
    given: dict[str, object] = {
        "kind": asked.kind.value,
        "base": asked.base,
        "current": asked.current,
        "node": asked.node,
        "column": list_field(*asked.columns),
        "key": list_field(*asked.key),
        "where": asked.where,
        "k": asked.k,
        "bins": asked.bins,
        "limit": asked.limit,
        "base_sql": asked.base_sql,
        "current_sql": asked.current_sql,
    }
    return {name: str(value) for name, value in given.items() if value}


def _title(view: StoreView, job: QueryJob) -> str:
    unique_id = job.request.node
    node = _node(view, unique_id, (job.base, job.current)) if unique_id is not None else None
    return title_of_request(job.request, None if node is None else node_label(node))


@pages.action("/queries/{job}/cancel")
def cancel(request: Request) -> Redirect:
    """Cancel a job, and show its page; only leave it, and show the list, if another user started it too."""
    request.view.store.permissions.require_queries()
    queries = request.view.store.queries
    job = queries.job(request.parts["job"])
    is_cancelled = queries.leave(job, request.by)
    return Redirect(address_of(request, job) if is_cancelled else request.to.of("queries"))


@pages.action("/queries/{job}/lease")
def lease(request: Request) -> Data:
    """Note the state of a page that shows a job: open, in the background, or closed."""
    request.view.store.permissions.require_queries()
    page, state = request.form.get("page", ""), request.form.get("state", "")
    # Names of pages stay in memory with the job, so they must be short.
    if not PAGE.fullmatch(page) or state not in [one.value for one in PageState]:
        raise UsageError("The form names no page or no state of it", hint="fill in page and state")
    request.view.store.queries.hold(request.parts["job"], page, PageState(state))
    return Data({}, is_kept=False)


@pages.action("/queries/{job}/save")
def save(request: Request) -> Redirect:
    """Save the result of a job to the store, and show its page."""
    request.view.store.permissions.require_queries()
    request.view.store.permissions.require_writes()
    store = request.view.store
    job = store.queries.job(request.parts["job"], is_seen=True)
    result = job.result
    if result is None or isinstance(result, RowSample):
        raise NotFound(
            "This query has no result that can be saved", hint="results of comparisons can, for an hour"
        )
    with store.queries.saving(job) as is_first:
        if is_first:
            with store.writing() as adapter:
                # Another process may have migrated the store since the server opened it.
                refuse_newer(adapter, store.schema)
                save_data_diffs(
                    adapter,
                    [result],
                    base_run=job.base,
                    current_run=job.current,
                    taken_at=job.ended_at or job.asked_at,
                    schema=store.schema,
                )
    return Redirect(address_of(request, job))


RUNS_OFFERED = 200


@pages.page("/pr/{number}")
def of_pull_request(request: Request) -> Redirect:
    """Lead to the review of the newest run of a pull request."""
    view, number = request.view, request.parts["number"]
    runs = list_runs(view.adapter, schema=view.schema, limit=RUNS_OFFERED)
    for pair in suggested_pairs(runs, most=RUNS_OFFERED):
        if pair.current.pull_request == number:
            return Redirect(request.to.diff(pair.base.run_id, pair.current.run_id))
    raise NotFound(
        f"No pair of runs of pull request {number} is among the newest runs", hint="/diff lists pairs of runs"
    )


@pages.page("/diff")
def choose(request: Request) -> Page | Redirect:
    """Offer pairs of runs, and a form for two others."""
    view, query = request.view, request.query
    failure: RecceMetaError | None = None
    if query.get("base") and query.get("current"):
        try:
            # Ids in the address: it still shows the same diff when `latest` is another run.
            ids = [view.run(query[side], query.get("project")).run_id for side in ("base", "current")]
            return Redirect(request.to.diff(*ids))
        # Shown above the form with the typed text, instead of a page of its own.
        except (RunNotFound, SelectorError) as error:
            failure = error
    runs = list_runs(view.adapter, schema=view.schema, limit=RUNS_OFFERED)
    rows = [
        {
            "reason": pair.reason,
            "project": pair.current.project_name,
            "base": run_phrase(pair.base),
            "current": run_phrase(pair.current),
            "address": request.to.diff(pair.base.run_id, pair.current.run_id),
        }
        for pair in suggested_pairs(runs)
    ]
    pairs = Listing(
        "Suggested pairs",
        [
            ListColumn("reason", "pair", link=lambda row: str(row["address"])),
            ListColumn("project", "project"),
            ListColumn("base", "base"),
            ListColumn("current", "current"),
        ],
        rows,
        empty="No pair to suggest: a diff needs two runs of one project. recce-meta record records a run.",
    )
    offered = [(run.run_id, f"{run.project_name} · {run_phrase(run)}") for run in runs]
    values = {
        "pairs": pairs,
        "runs": offered,
        "base": query.get("base", ""),
        "current": query.get("current", ""),
        "projects": sorted({run.project_name for run in runs}),
        "project": query.get("project", ""),
        "failure": failure and presentable(failure.message),
    }
    return Page("diff_choice.html", "Diff of two runs", values, status=404 if failure else 200)
