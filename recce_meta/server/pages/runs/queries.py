"""Addresses that start and show data diffs, and those that lead to the diff of two runs."""

from __future__ import annotations

import re
from typing import Any

from msgspec.structs import replace

from recce_meta.api.browse.diffs import suggested_pairs
from recce_meta.api.data.requests import DataDiffRequest, option_texts
from recce_meta.errors import UsageError
from recce_meta.repositories.state.audit import AuditAction, note_now
from recce_meta.server.access.problems import NotFound
from recce_meta.server.pages.runs.results import job_title, node_of, review_address
from recce_meta.server.site.handlers import Data, PageSet, Redirect, Request
from recce_meta.server.site.listing import ListColumn, Listing
from recce_meta.server.stores.queries import save_results
from recce_meta.server.stores.query_jobs import (
    JobState,
    PageState,
    QueryJob,
    job_tree,
    request_of,
)
from recce_meta.store.read import list_runs

pages = PageSet()

PAGE = re.compile(r"[A-Za-z0-9]{1,40}")
"""Name that a page in a browser gives itself."""
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
    if asked.node is not None and node_of(view, asked.node, (base, current)) is None:
        raise NotFound(f"Neither run has the node {asked.node}", hint="open the node from a list")
    if request.state is not None:
        # Before it runs: a query that the audit cannot take is not started.
        note_now(request.state, AuditAction.RUN_QUERY, view.store.name, after=_noted(asked))
    job = view.store.queries.start(asked, base, current, request.by)
    return Redirect(address_of(request, job))


def _noted(asked: DataDiffRequest) -> dict[str, Any]:
    """Return what the audit says of a query."""
    fields = ("node", "base_sql", "current_sql", "base", "current")
    given = {name: value for name in fields if (value := getattr(asked, name))}
    return {"kind": asked.kind.name, **given, **option_texts(asked)}


def address_of(request: Request, job: QueryJob, *parts: str) -> str:
    """Return the page of *job*."""
    return request.to.of("queries", job.id, *parts)


@pages.listing("/queries")
def jobs(request: Request) -> Listing:
    """List data diffs and queries, the latest first."""
    request.view.store.permissions.require_queries()
    view, to = request.view, request.to
    columns = [
        ListColumn(
            "name", "query", of=lambda job: job_title(view, job), link=lambda job: to.of("queries", job.id)
        ),
        ListColumn("state", "state", "tag", has_facets=True, tone=lambda job: _TONES.get(job.state, "quiet")),
        ListColumn("kind", "kind", has_facets=True, of=lambda job: job.request.kind.name),
        ListColumn("asked_at", "started", "time"),
        ListColumn(
            "started_by",
            "by",
            has_facets=True,
            of=lambda job: "; ".join(job.started_by),
            about="Address of the client, and its token, or the session of its browser after a login.",
        ),
        ListColumn("seconds", "seconds", "seconds", of=lambda job: round(job.elapsed, 2)),
        ListColumn("statements", "statements", "number", of=lambda job: len(job.statements)),
        ListColumn(
            "base", "base", "code", of=lambda job: job.base.run_id, link=lambda job: to.run(job.base.run_id)
        ),
        ListColumn(
            "current",
            "current",
            "code",
            of=lambda job: job.current.run_id,
            link=lambda job: to.run(job.current.run_id),
        ),
        ListColumn("id", "id", "code"),
    ]
    found = view.store.queries.jobs()
    return Listing.of(
        "Queries",
        columns,
        found,
        empty="No query was started since the start of the server. Pages of nodes and of diffs start them.",
        notes=["Results stay in memory for an hour, and are lost when the server ends."] if found else (),
        is_kept=False,
    )


@pages.data("/queries/{job}.json")
def job_data(request: Request) -> Data:
    """Return one job, and note that its reader is there."""
    request.view.store.permissions.require_queries()
    job = request.view.store.queries.job(request.parts["job"], is_seen=True)
    return Data(job_tree(job), is_kept=False)


@pages.page("/queries/{job}")
def job_page(request: Request) -> Redirect:
    """Lead to the review of the runs of a job, which shows its answer, and note that its reader is there."""
    request.view.store.permissions.require_queries()
    job = request.view.store.queries.job(request.parts["job"], is_seen=True)
    return Redirect(review_address(request.to, job))


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
    queries = request.view.store.queries
    job = queries.job(request.parts["job"], is_seen=True)
    if not job.results:
        raise NotFound(
            "This query has no result that can be saved", hint="results of comparisons can, for an hour"
        )
    save_results(request.view.store, queries, job)
    return Redirect(address_of(request, job))


RUNS_OFFERED = 200


@pages.page("/pr/{number}")
def of_pull_request(request: Request) -> Redirect:
    """Lead to the review of the newest run of a pull request."""
    view, number = request.view, request.parts["number"]
    runs = list_runs(view.adapter, limit=RUNS_OFFERED)
    for pair in suggested_pairs(runs, most=RUNS_OFFERED):
        if pair.current.pull_request == number:
            return Redirect(request.to.diff(pair.base.run_id, pair.current.run_id) + request.query.encoded())
    raise NotFound(
        f"No pair of runs of pull request {number} is among the newest runs", hint="/diff lists pairs of runs"
    )


@pages.page("/diff")
def choose(request: Request) -> Redirect:
    """Lead to the diff of the runs in the parameters; without them, to the choice on the start page."""
    query = request.query
    if not (query.get("base") and query.get("current")):
        return Redirect(f"{request.to.root}#compare")
    # Ids in the address: it still shows the same diff when `latest` is another run.
    ids = [request.view.run(query[side], query.get("project")).run_id for side in ("base", "current")]
    return Redirect(request.to.diff(*ids))
