"""Lists of connections, and of the jobs, pull requests and webhook deliveries of one connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from recce_meta.errors import first_line
from recce_meta.report.addresses import Addresses
from recce_meta.repositories.service.answers import ActiveJob, ConnectionAnswer, JobAnswer
from recce_meta.repositories.state.pull_requests import list_pull_requests
from recce_meta.repositories.state.summaries import HookSummary, hook_summaries, open_pull_requests
from recce_meta.repositories.state.types import JobSource, PullRequest, Webhook, WebhookDelivery
from recce_meta.repositories.state.webhooks import list_deliveries
from recce_meta.server.pages.connections.freshness import (
    Age,
    age_html,
    current_jobs,
    freshness,
    sentence_html,
    sentence_text,
)
from recce_meta.server.pages.connections.routing import ROOT, ConnectionPages, ConnectionRequest, address_of
from recce_meta.server.site.listing import ListColumn, Listing, Row
from recce_meta.server.site.rendering import clipped

pages = ConnectionPages()

MOST_JOBS = 1000
"""Largest number of jobs of a list."""
MOST_PULL_REQUESTS = 1000
CRUMB = ("Connections", ROOT)
_TONES = {
    "active": "same",
    "success": "same",
    "queued": "same",
    "open": "same",
    "current": "same",
    "done": "same",
    "failed": "failed",
    "failure": "failed",
    "error": "failed",
    "extracting": "differs",
    "running": "differs",
    "stale": "differs",
    "disconnected": "one-sided",
    "cancelled": "one-sided",
    "merged": "one-sided",
    "not confirmed": "differs",
}


def status_tone(status: object) -> str:
    """Return the colour of a status, a member of an enum or its value."""
    return _TONES.get(str(getattr(status, "value", status)), "quiet")


def tone_of(name: str) -> Callable[[Row], str]:
    """Return a function from a row to the colour of the status in its column *name*."""
    return lambda row: status_tone(row[name])


def own_crumbs(found: ConnectionAnswer) -> tuple[tuple[str, str], ...]:
    """Return the pages above a page of the connection *found*."""
    return (CRUMB, (found.name, address_of(found.id)))


def age_cells(name: str, now: datetime) -> Callable[[Row], Markup]:
    """Return a function that shows the time in the column *name* of a row as its age."""
    return lambda row: age_html(Age(row[name], "ago"), now)


def one_line(name: str) -> Callable[[Row], Markup]:
    """Return a function that shows the first line of the text in the column *name* of a row."""
    return lambda row: Markup('<span class="one-line" title="{}">{}</span>').format(
        clipped(str(row[name]), 1_000), clipped(first_line(row[name]))
    )


# Connections


@pages.listing("")
def connections(request: ConnectionRequest) -> Listing:
    """List the connections with their freshness."""
    service, now = request.service, datetime.now(timezone.utc)
    found, jobs = service.list(), current_jobs(service.active())
    hooks, open_requests = hook_summaries(service.state), open_pull_requests(service.state)
    rows: list[Row] = [
        _connection_row(one, jobs.get(one.id), hooks.get(one.id), open_requests.get(one.id, 0), now)
        for one in found
    ]
    return Listing(
        "Connections",
        _connection_columns(now),
        rows,
        empty="No repository and no database is connected. Each commit of a repository becomes a run, "
        "and a database is scanned on a schedule.",
        template="connections.html",
        values={
            "new": f"{ROOT}/new",
            "new_database": f"{ROOT}/new-database",
            "databases": f"{ROOT}/databases" if any(one.database for one in found) else None,
            "admin": f"{ROOT}/admin",
            "is_admin": request.caller.is_admin,
            "is_active": bool(jobs),
            "now": now,
            "notes": worker_notes(request),
        },
        # Workers and other web processes change the state, which no version of a store shows.
        is_kept=False,
    )


def _connection_row(
    one: ConnectionAnswer,
    job: ActiveJob | None,
    hook: HookSummary | None,
    open_requests: int,
    now: datetime,
) -> Row:
    sentence = freshness(one, job, now)
    delivery = None if hook is None else hook.delivery
    return {
        "name": one.name,
        "freshness": sentence_text(sentence, now),
        "sentence": sentence_html(sentence, now),
        "status": one.status.value,
        "is_paused": one.is_paused,
        "error": one.error or one.forge_error,
        "pull_requests": open_requests if one.watches_pull_requests or open_requests else None,
        "last_delivery_at": None if delivery is None else delivery.received_at,
        "webhook": webhook_word(None if hook is None else hook.webhook),
        "delivery": delivery,
        "type": one.type,
        "repo_url": one.repo_url,
        "branch": one.branch,
        "subdirectory": one.subdirectory,
        "tier": None if one.tier is None else one.tier.value,
        "last_extraction_at": one.last_extraction_at,
        "last_commit_sha": one.last_commit_sha and one.last_commit_sha[:10],
        "next_check_at": one.next_check_at,
        "store": one.store,
        "environment": one.environment,
        "id": one.id,
    }


def webhook_word(webhook: Webhook | None) -> str | None:
    """Return the state of a webhook; None without one."""
    if webhook is None or webhook.is_active:
        return None if webhook is None else "active"
    return "failed" if webhook.error else "not confirmed"


def _connection_columns(now: datetime) -> list[ListColumn]:
    def delivery(row: Row) -> Markup:
        return Markup("{} {}").format(
            clipped(row["delivery"].event, 60), age_html(Age(row["last_delivery_at"], "ago"), now)
        )

    def own(row: Row, *parts: str) -> str:
        return address_of(row["id"], *parts)

    return [
        ListColumn("name", "connection", link=own),
        ListColumn("freshness", "freshness", body=lambda row: row["sentence"]),
        ListColumn("status", "status", "tag", has_facets=True, tone=tone_of("status")),
        ListColumn("is_paused", "paused", "flag", has_facets=True),
        ListColumn("error", "last error", body=one_line("error")),
        ListColumn(
            "pull_requests",
            "pull requests",
            "number",
            link=lambda row: own(row, "pull-requests"),
            about="Open pull requests of the repository; empty if the connection does not watch them.",
        ),
        ListColumn("last_delivery_at", "last event", "time", body=delivery),
        ListColumn("webhook", "webhook", has_facets=True),
        ListColumn("type", "type", has_facets=True),
        ListColumn("repo_url", "repository or database"),
        ListColumn("branch", "branch", has_facets=True),
        ListColumn("subdirectory", "folder"),
        ListColumn(
            "tier", "tier", has_facets=True, about="GOLD: dbt; SILVER: our reader; BRONZE: plain SQL."
        ),
        ListColumn("last_extraction_at", "extracted", "time"),
        ListColumn("last_commit_sha", "commit", "code"),
        ListColumn("next_check_at", "next check", "time"),
        ListColumn("store", "store", has_facets=True),
        ListColumn("environment", "environment", has_facets=True),
        ListColumn("id", "id", "code"),
    ]


def worker_notes(request: ConnectionRequest) -> Sequence[str]:
    """Return a note if no worker runs."""
    if request.service.has_worker():
        return ()
    return ("No worker runs: jobs wait until recce-meta worker, or serve without --web-only, is started.",)


# Jobs


@pages.listing("/{id}/jobs")
def jobs(request: ConnectionRequest) -> Listing:
    """List the jobs of a connection, newest first."""
    found = request.service.get(request.connection)
    return jobs_listing(request, found, request.service.extractions(found.id, limit=MOST_JOBS))


def jobs_listing(request: ConnectionRequest, found: ConnectionAnswer, jobs: Sequence[JobAnswer]) -> Listing:
    """Return *jobs* of the connection *found* as a list."""
    rows: list[Row] = [
        {
            "number": job.number,
            "branch": job.branch,
            "status": job.status.value,
            "trigger": job.trigger.value,
            "requested_by": job.requested_by,
            "requested_at": job.requested_at,
            "seconds": job_seconds(job),
            "source": job.source.value,
            "pull_request": job.pull_request,
            "tier": None if job.extraction_tier is None else job.extraction_tier.value,
            "isolation": None if job.isolation is None else job.isolation.value,
            "objects": job.figures.objects,
            "columns": job.figures.columns,
            "commit_sha": job.commit_sha and job.commit_sha[:10],
            "run_id": job.run_id,
            "error": job.error,
            "id": job.job_id,
        }
        for job in jobs
    ]
    to = stored_at(request, found)
    columns = [
        ListColumn("number", "job", "number", link=lambda row: address_of(found.id, "jobs", row["id"])),
        ListColumn("branch", "branch", has_facets=True),
        ListColumn("status", "status", "tag", has_facets=True, tone=tone_of("status")),
        ListColumn("trigger", "trigger", has_facets=True),
        ListColumn("requested_by", "by", has_facets=True),
        ListColumn("requested_at", "requested", "time"),
        ListColumn("seconds", "seconds", "seconds"),
        ListColumn("tier", "tier", has_facets=True),
        ListColumn("error", "error", body=one_line("error")),
        ListColumn(
            "run_id",
            "run",
            "code",
            link=lambda row: None if to is None else to.run(row["run_id"]),
            body=lambda row: Markup("<code>{}</code>").format(clipped(row["run_id"], 9)),
        ),
        ListColumn("commit_sha", "commit", "code"),
        ListColumn("objects", "objects", "number"),
        ListColumn("columns", "columns", "number"),
        ListColumn("isolation", "isolation", has_facets=True),
        ListColumn("source", "source", has_facets=True),
        ListColumn("pull_request", "pull request", body=lambda row: hashed(row["pull_request"])),
        ListColumn("id", "id", "code"),
    ]
    return Listing(
        f"Jobs of {found.name}",
        columns,
        rows,
        empty="No extraction was requested.",
        crumbs=own_crumbs(found),
        is_kept=False,
    )


def job_seconds(job: JobAnswer) -> float | None:
    """Return the time of *job* until its end, or until now."""
    if job.figures.seconds is not None or job.started_at is None:
        return job.figures.seconds
    return ((job.ended_at or datetime.now(timezone.utc)) - job.started_at).total_seconds()


def source_words(job: JobAnswer) -> str:
    """Return what *job* extracts."""
    if job.source is JobSource.PULL_REQUEST:
        return f"head of pull request {job.pull_request}"
    if job.source is JobSource.DATABASE:
        return f"{job.branch} of a database"
    if job.source is JobSource.MERGE_BASE:
        return f"merge base of pull request {job.pull_request}"
    return f"branch {job.branch}"


def stored_at(request: ConnectionRequest, found: ConnectionAnswer) -> Addresses | None:
    """Return the addresses of the store of *found*; None if this server does not open it."""
    # Another server may have the store: a link would lead nowhere.
    return Addresses(found.store) if found.store in request.site.stores else None


# Pull requests


@pages.listing("/{id}/pull-requests")
def pull_requests(request: ConnectionRequest) -> Listing:
    """List the pull requests of a connection, the last changed first."""
    found = request.repository()
    stored = list_pull_requests(request.service.state, found.id, limit=MOST_PULL_REQUESTS)
    return pull_requests_listing(request, found, stored)


def pull_requests_listing(
    request: ConnectionRequest, found: ConnectionAnswer, requests: Sequence[PullRequest]
) -> Listing:
    """Return the pull *requests* of the connection *found* as a list."""
    now, to = datetime.now(timezone.utc), stored_at(request, found)
    rows: list[Row] = [_pull_request_row(one, to) for one in requests]
    columns = [
        ListColumn(
            "number",
            "number",
            body=lambda row: hashed(row["number"]),
            link=lambda row: row["forge_address"],
            about="Leads to the pull request at its forge.",
        ),
        ListColumn("title", "title"),
        ListColumn("state", "state", "tag", has_facets=True, tone=tone_of("state")),
        ListColumn(
            "diff",
            "diff",
            body=lambda _: Markup("Show the diff"),
            link=lambda row: row["diff"],
            about="Leads to the diff of the last reported runs.",
        ),
        ListColumn("status", "commit status", "tag", has_facets=True, tone=tone_of("status")),
        ListColumn("comment", "comment", has_facets=True),
        ListColumn("reported_at", "last report", "time", body=age_cells("reported_at", now)),
        ListColumn("error", "error", body=one_line("error")),
        ListColumn("base_branch", "base", has_facets=True),
        ListColumn("head_branch", "head"),
        ListColumn("head_sha", "commit", "code"),
        ListColumn("is_fork", "fork", "flag", has_facets=True),
        ListColumn("updated_at", "changed", "time", body=age_cells("updated_at", now)),
        ListColumn(
            "head_job",
            "job",
            body=lambda _: Markup("Last job"),
            link=lambda row: address_of(found.id, "jobs", row["head_job"]),
        ),
        ListColumn("url", "address"),
    ]
    return Listing(
        f"Pull requests of {found.name}",
        columns,
        rows,
        empty=_no_pull_request(found),
        crumbs=own_crumbs(found),
        is_kept=False,
    )


def _pull_request_row(one: PullRequest, to: Addresses | None) -> Row:
    return {
        "number": one.number,
        "title": one.title,
        "state": one.state.value,
        "diff": None if to is None else report_address(one, to),
        "status": one.status_state,
        "comment": "written" if one.comment_id else None,
        "reported_at": one.reported_at,
        "error": one.error,
        "base_branch": one.base_branch,
        "head_branch": one.head_branch,
        "head_sha": one.head_sha and one.head_sha[:10],
        "is_fork": one.is_fork,
        "updated_at": one.updated_at,
        "head_job": one.head_job,
        "url": one.url,
        "forge_address": forge_address(one.url),
    }


def report_address(one: PullRequest, to: Addresses) -> str | None:
    """Return the diff of the runs that were last reported to a pull request; None without a report."""
    base, _, current = (one.reported or "").partition(" ")
    return to.diff(base, current) if base and current else None


def _no_pull_request(found: ConnectionAnswer) -> str:
    if not found.watches_pull_requests:
        return "Pull requests are not watched: the settings of the connection turn that on."
    return "No pull request was reported yet. One appears with its next event, or with the next check."


def forge_address(url: str | None) -> str | None:
    """Return *url* if a browser opens it as a page; a forge could send `javascript:`."""
    try:
        scheme = urlsplit(url or "").scheme.lower()
    except ValueError:
        return None
    return url if scheme in ("http", "https") else None


def hashed(number: int) -> Markup:
    """Return the number of a pull request as its forge shows it.

    >>> hashed(12345)
    Markup('#12345')
    """
    return Markup("#{}").format(number)


# Webhook deliveries


@pages.listing("/{id}/deliveries")
def deliveries(request: ConnectionRequest) -> Listing:
    """List the webhook deliveries of a connection, newest first."""
    found = request.repository()
    return deliveries_listing(found, list_deliveries(request.service.state, found.id))


def deliveries_listing(found: ConnectionAnswer, received: Sequence[WebhookDelivery]) -> Listing:
    """Return *received* deliveries of the connection *found* as a list."""
    now = datetime.now(timezone.utc)
    rows: list[Mapping[str, Any]] = [
        {
            "received_at": one.received_at,
            "event": one.event,
            "outcome": one.outcome,
            "reason": one.reason,
            "job_id": one.job_id,
            "delivery_id": one.delivery_id,
        }
        for one in received
    ]
    columns = [
        ListColumn("received_at", "received", "time", body=age_cells("received_at", now)),
        ListColumn("event", "event", has_facets=True),
        ListColumn("outcome", "outcome", "tag", has_facets=True, tone=tone_of("outcome")),
        ListColumn("reason", "reason"),
        ListColumn(
            "job_id",
            "job",
            body=lambda _: Markup("Job"),
            link=lambda row: address_of(found.id, "jobs", row["job_id"]),
        ),
        ListColumn("delivery_id", "delivery", "code"),
    ]
    return Listing(
        f"Deliveries to {found.name}",
        columns,
        rows,
        empty="No delivery has arrived yet.",
        crumbs=own_crumbs(found),
        is_kept=False,
    )
