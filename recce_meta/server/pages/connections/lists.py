"""Lists of connections, and of the jobs, pull requests and webhook deliveries of one connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, NamedTuple
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
    Sentence,
    age_html,
    current_jobs,
    freshness,
    sentence_html,
    sentence_text,
)
from recce_meta.server.pages.connections.routing import ROOT, ConnectionRequest, address_of
from recce_meta.server.site.handlers import PageSet
from recce_meta.server.site.listing import Kind, ListColumn, Listing
from recce_meta.server.site.rendering import clipped

pages = PageSet()

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
    # Read without dbt.
    "SILVER": "differs",
    "BRONZE": "differs",
    "disconnected": "one-sided",
    "cancelled": "one-sided",
    "merged": "one-sided",
    "not confirmed": "differs",
}


def status_tone(status: object) -> str:
    """Return the colour of a status, a member of an enum or its value."""
    return _TONES.get(str(getattr(status, "value", status)), "quiet")


def tag(
    name: str, title: str, *, of: Callable[[Any], Any] | None = None, facets: bool = True, about: str = ""
) -> ListColumn:
    """Return the column of a status, which has a colour."""
    column = ListColumn(name, title, "tag", has_facets=facets, about=about, of=of)
    return replace(column, tone=lambda one: status_tone(column.value(one)))


def own_crumbs(found: ConnectionAnswer) -> tuple[tuple[str, str], ...]:
    """Return the pages above a page of the connection *found*."""
    return (CRUMB, (found.name, address_of(found.id)))


def age(name: str, title: str, now: datetime, *, of: Callable[[Any], Any] | None = None) -> ListColumn:
    """Return the column of a time that is shown as its age."""
    column = ListColumn(name, title, "time", of=of)
    return replace(column, body=lambda one: age_html(Age(column.value(one), "ago"), now))


def line(name: str, title: str, *, of: Callable[[Any], Any] | None = None) -> ListColumn:
    """Return the column of a text of which the first line is shown."""
    column = ListColumn(name, title, of=of)

    def body(one: Any) -> Markup:
        text = column.value(one)
        return Markup('<span class="one-line" title="{}">{}</span>').format(
            clipped(str(text), 1_000), clipped(first_line(text))
        )

    return replace(column, body=body)


def short(name: str, title: str, width: int = 9, **given: Any) -> ListColumn:
    """Return the column of an id, of which the beginning is shown."""
    column = ListColumn(name, title, "code", **given)
    return replace(
        column, body=lambda one: Markup("<code>{}</code>").format(clipped(column.value(one), width))
    )


# Connections


class _Connected(NamedTuple):
    one: ConnectionAnswer
    job: ActiveJob | None
    hook: HookSummary | None
    open_requests: int

    @property
    def delivery(self) -> WebhookDelivery | None:
        return None if self.hook is None else self.hook.delivery

    @property
    def requests(self) -> int | None:
        return self.open_requests if self.one.watches_pull_requests or self.open_requests else None


@pages.listing("")
def connections(request: ConnectionRequest) -> Listing:
    """List the connections with their freshness."""
    service, now = request.service, datetime.now(timezone.utc)
    jobs = current_jobs(service.active())
    hooks, open_requests = hook_summaries(service.state), open_pull_requests(service.state)
    found = [
        _Connected(one, jobs.get(one.id), hooks.get(one.id), open_requests.get(one.id, 0))
        for one in service.list()
    ]
    return Listing.of(
        "Connections",
        _connection_columns(now),
        found,
        empty="No repository and no database is connected. Each commit of a repository becomes a run, "
        "and a database is scanned on a schedule.",
        template="connections.html",
        values={
            "new": f"{ROOT}/new",
            "new_database": f"{ROOT}/new-database",
            "databases": f"{ROOT}/databases" if any(each.one.database for each in found) else None,
            "admin": f"{ROOT}/admin",
            "is_admin": request.caller.is_admin,
            "is_active": bool(jobs),
            "now": now,
            "notes": worker_notes(request),
        },
        # Workers and other web processes change the state, which no version of a store shows.
        is_kept=False,
    )


def webhook_word(webhook: Webhook | None) -> str | None:
    """Return the state of a webhook; None without one."""
    if webhook is None or webhook.is_active:
        return None if webhook is None else "active"
    return "failed" if webhook.error else "not confirmed"


def _own(name: str, title: str, kind: Kind = "text", *, facets: bool = False, about: str = "") -> ListColumn:
    return ListColumn(
        name, title, kind, has_facets=facets, about=about, of=lambda each: getattr(each.one, name)
    )


def _connection_columns(now: datetime) -> list[ListColumn]:
    def sentence(each: _Connected) -> Sentence:
        return freshness(each.one, each.job, now)

    def delivery(each: _Connected) -> Markup:
        assert each.delivery is not None
        return Markup("{} {}").format(
            clipped(each.delivery.event, 60), age_html(Age(each.delivery.received_at, "ago"), now)
        )

    return [
        replace(_own("name", "connection"), link=lambda each: address_of(each.one.id)),
        ListColumn(
            "freshness",
            "freshness",
            of=lambda each: sentence_text(sentence(each), now),
            body=lambda each: sentence_html(sentence(each), now),
        ),
        tag("status", "status", of=lambda each: each.one.status),
        _own("is_paused", "paused", "flag", facets=True),
        line("error", "last error", of=lambda each: each.one.error or each.one.forge_error),
        ListColumn(
            "pull_requests",
            "pull requests",
            "number",
            of=lambda each: each.requests,
            link=lambda each: address_of(each.one.id, "pull-requests"),
            about="Open pull requests of the repository; empty if the connection does not watch them.",
        ),
        ListColumn(
            "last_delivery_at",
            "last event",
            "time",
            of=lambda each: each.delivery and each.delivery.received_at,
            body=delivery,
        ),
        ListColumn(
            "webhook",
            "webhook",
            has_facets=True,
            of=lambda each: webhook_word(each.hook and each.hook.webhook),
        ),
        _own("type", "type", facets=True),
        _own("repo_url", "repository or database"),
        _own("branch", "branch", facets=True),
        _own("subdirectory", "folder"),
        tag(
            "tier",
            "tier",
            of=lambda each: each.one.tier,
            about="GOLD: dbt; SILVER: our reader; BRONZE: plain SQL.",
        ),
        _own("last_extraction_at", "extracted", "time"),
        ListColumn("last_commit_sha", "commit", "code", of=lambda each: sha_of(each.one.last_commit_sha)),
        _own("next_check_at", "next check", "time"),
        _own("store", "store", facets=True),
        _own("environment", "environment", facets=True),
        _own("id", "id", "code"),
    ]


def sha_of(sha: str | None) -> str | None:
    """Return the beginning of a commit's id."""
    return sha and sha[:10]


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
    return jobs_listing(request, found, request.service.jobs_of(found.id).newest(limit=MOST_JOBS))


def jobs_listing(request: ConnectionRequest, found: ConnectionAnswer, jobs: Sequence[JobAnswer]) -> Listing:
    """Return *jobs* of the connection *found* as a list."""
    to = stored_at(request, found)
    columns = [
        ListColumn("number", "job", "number", link=lambda job: address_of(found.id, "jobs", job.job_id)),
        ListColumn("branch", "branch", has_facets=True),
        tag("status", "status"),
        ListColumn("trigger", "trigger", has_facets=True),
        ListColumn("requested_by", "by", has_facets=True),
        ListColumn("requested_at", "requested", "time"),
        ListColumn("seconds", "seconds", "seconds", of=job_seconds),
        tag("tier", "tier", of=lambda job: job.extraction_tier),
        line("error", "error"),
        short("run_id", "run", link=lambda job: None if to is None else to.run(job.run_id)),
        ListColumn("commit_sha", "commit", "code", of=lambda job: sha_of(job.commit_sha)),
        ListColumn("objects", "objects", "number", of=lambda job: job.figures.objects),
        ListColumn("columns", "columns", "number", of=lambda job: job.figures.columns),
        ListColumn("isolation", "isolation", has_facets=True),
        ListColumn("source", "source", has_facets=True),
        ListColumn("pull_request", "pull request", body=lambda job: hashed(job.pull_request)),
        ListColumn("id", "id", "code", of=lambda job: job.job_id),
    ]
    return Listing.of(
        f"Jobs of {found.name}",
        columns,
        jobs,
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
    columns = [
        ListColumn(
            "number",
            "number",
            body=lambda one: hashed(one.number),
            link=lambda one: forge_address(one.url),
            about="Leads to the pull request at its forge.",
        ),
        ListColumn("title", "title"),
        tag("state", "state"),
        ListColumn(
            "diff",
            "diff",
            of=lambda one: None if to is None else report_address(one, to),
            body=lambda _: Markup("Show the diff"),
            link=lambda one: None if to is None else report_address(one, to),
            about="Leads to the diff of the last reported runs.",
        ),
        tag("status", "commit status", of=lambda one: one.status_state),
        ListColumn(
            "comment", "comment", has_facets=True, of=lambda one: "written" if one.comment_id else None
        ),
        age("reported_at", "last report", now),
        line("error", "error"),
        ListColumn("base_branch", "base", has_facets=True),
        ListColumn("head_branch", "head"),
        ListColumn("head_sha", "commit", "code", of=lambda one: sha_of(one.head_sha)),
        ListColumn("is_fork", "fork", "flag", has_facets=True),
        age("updated_at", "changed", now),
        ListColumn(
            "head_job",
            "job",
            body=lambda _: Markup("Last job"),
            link=lambda one: address_of(found.id, "jobs", one.head_job),
        ),
        ListColumn("url", "address"),
    ]
    return Listing.of(
        f"Pull requests of {found.name}",
        columns,
        requests,
        empty=_no_pull_request(found),
        crumbs=own_crumbs(found),
        is_kept=False,
    )


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
    columns = [
        age("received_at", "received", now),
        ListColumn("event", "event", has_facets=True),
        tag("outcome", "outcome"),
        ListColumn("reason", "reason"),
        ListColumn(
            "job_id",
            "job",
            body=lambda _: Markup("Job"),
            link=lambda one: address_of(found.id, "jobs", one.job_id),
        ),
        ListColumn("delivery_id", "delivery", "code"),
    ]
    return Listing.of(
        f"Deliveries to {found.name}",
        columns,
        received,
        empty="No delivery has arrived yet.",
        crumbs=own_crumbs(found),
        is_kept=False,
    )
