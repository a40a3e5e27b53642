"""Pages of one connection and of one of its jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from recce_meta.errors import UnknownNameError
from recce_meta.report.addresses import Addresses, with_query
from recce_meta.report.labels import moment
from recce_meta.repositories.forges.registry import find_forge
from recce_meta.repositories.polling import UNLISTED
from recce_meta.repositories.service.answers import (
    ConnectionAnswer,
    ConnectionStatistics,
    JobAnswer,
    ProgressAnswer,
    StageAnswer,
)
from recce_meta.repositories.service.webhooks import WebhookAnswer
from recce_meta.repositories.state.pull_requests import get_pull_request, list_pull_requests
from recce_meta.repositories.state.types import DatabaseOptions, JobSource, JobStatus, project_of
from recce_meta.repositories.state.webhooks import get_webhook, list_deliveries
from recce_meta.server.access.scopes import CONNECTIONS as API
from recce_meta.server.pages.connections.freshness import (
    Age,
    age_html,
    current_jobs,
    freshness,
    sentence_html,
)
from recce_meta.server.pages.connections.lists import (
    CRUMB,
    deliveries_listing,
    job_seconds,
    jobs_listing,
    own_crumbs,
    pull_requests_listing,
    report_address,
    source_words,
    status_tone,
    stored_at,
    webhook_word,
    worker_notes,
)
from recce_meta.server.pages.connections.routing import (
    ConnectionRequest,
    address_of,
    require_admin,
)
from recce_meta.server.site.handlers import PageSet, Redirect
from recce_meta.server.site.rendering import Page

pages = PageSet()

JOBS_SHOWN = 10
"""Jobs on the page of a connection; the list has more."""
PULL_REQUESTS_SHOWN = 10
LOG_SHOWN = 500
"""Last lines of the log on the page of a job; the API has all."""
STATISTICS_DAYS = 30
USUAL_MINUTES, USUAL_SCAN_MINUTES = 15, 60
"""Intervals with which automatic refresh and automatic scans are turned on."""


@pages.page("/{id}")
def connection(request: ConnectionRequest) -> Page:
    """Show one connection: freshness, live progress, pull requests, webhook, history and settings."""
    service, now = request.service, datetime.now(timezone.utc)
    found = service.get(request.connection)
    own = service.jobs_of(found.id)
    progress = own.progress()
    is_active = progress is not None and not progress.status.is_over
    active = current_jobs([job for job in service.active() if job.connection_id == found.id])
    requests = list_pull_requests(service.state, found.id, limit=PULL_REQUESTS_SHOWN)
    columns = ("number", "title", "state", "base_branch", "diff", "status", "comment", "reported_at", "error")
    shown = ("number", "branch", "status", "trigger", "requested_at", "seconds", "tier", "run_id", "error")
    jobs = jobs_listing(request, found, own.newest(limit=JOBS_SHOWN))
    forge = find_forge(found.type)
    values = {
        "connection": found,
        "now": now,
        "tone": status_tone(found.status),
        "sentence": sentence_html(freshness(found, active.get(found.id), now), now),
        "progress": None if progress is None else progress_values(found, progress),
        "is_active": is_active,
        "pull_requests": pull_requests_listing(request, found, requests).narrowed(columns),
        "history": jobs.narrowed(shown),
        "statistics": _figures(own.statistics(days=STATISTICS_DAYS)),
        "days": STATISTICS_DAYS,
        "settings": _settings(found),
        "to_own": _addresses(found),
        "minutes": USUAL_MINUTES if found.database is None else USUAL_SCAN_MINUTES,
        "server": request.site.origin or "https://SERVER",
        "unlisted": UNLISTED,
        "permissions": "write comments and webhooks" if forge is None else forge.needed_rights,
        "is_admin": request.caller.is_admin,
        "notes": worker_notes(request),
        **webhook_values(request, found),
        **_run_addresses(request, found),
    }
    return Page("connection.html", found.name, values, crumbs=(CRUMB,), is_kept=False)


def _addresses(found: ConnectionAnswer) -> dict[str, str]:
    """Return the addresses of the pages and forms of a connection by name."""
    names = "edit database jobs pull-requests deliveries extract test remove automatic pause".split()
    own = {name.replace("-", "_"): address_of(found.id, name) for name in names}
    return {**own, "page": address_of(found.id), "webhook": address_of(found.id, "webhook")}


def _run_addresses(request: ConnectionRequest, found: ConnectionAnswer) -> dict[str, str | None]:
    """Return the addresses of the recorded runs, of the last one, and of its lineage graph."""
    to = stored_at(request, found)
    run_id = None if to is None else request.service.jobs_of(found.id).last_run()
    if to is None or run_id is None:
        return {"runs": None, "run": None, "lineage": None}
    return {
        "runs": to.runs(environment=found.environment),
        "run": to.run(run_id),
        "lineage": to.graph(run_id),
    }


def progress_values(found: ConnectionAnswer, progress: ProgressAnswer) -> dict[str, Any]:
    """Return the values of the template that shows the progress of a job."""
    running = next((one for one in progress.stages if one.status == "running"), None)
    stage = "" if running is None else f", {running.name.value.replace('_', ' ')}"
    return {
        "address": address_of(found.id, "jobs", progress.job_id),
        "cancel": address_of(found.id, "jobs", progress.job_id, "cancel"),
        "events": with_query(f"{API}/{found.id}/progress", job=progress.job_id),
        "branch": progress.branch,
        "status": progress.status.value,
        "percent": progress.percent,
        "words": f"{progress.status.value}{stage}, {progress.percent} %",
        "error": progress.error,
        "hint": progress.hint,
        "stages": stage_rows(progress.stages),
        "is_active": not progress.status.is_over,
    }


def stage_rows(stages: Sequence[StageAnswer]) -> list[dict[str, Any]]:
    """Return the stages of a job for the template."""
    return [
        {
            "key": stage.name.value,
            "name": stage.name.value.replace("_", " "),
            "status": stage.status,
            "tone": status_tone(stage.status),
            "seconds": stage.seconds,
            "message": stage.message,
        }
        for stage in stages
    ]


def _figures(found: ConnectionStatistics) -> list[tuple[str, str]]:
    """Return numbers and words about the jobs of a connection."""
    figures = [(f"{number:,}", status) for status, number in found.jobs.items() if number]
    figures += [
        (f"{one.median:,.1f} s", f"median of {one.stage.value.replace('_', ' ')}") for one in found.stages
    ]
    if found.seconds:
        figures.append((f"{found.seconds:,.0f} s", "of all jobs"))
    return figures


def _settings(found: ConnectionAnswer) -> list[tuple[str, object]]:
    """Return label and value of the settings of a connection; never a secret."""
    # The last characters are enough for its owner to recognise the token.
    token = f"stored, ends in {found.token_hint}" if found.has_token else None
    interval = "never" if found.poll_minutes is None else f"every {found.poll_minutes:g} minutes"
    if (own := found.database) is not None:
        return _database_settings(found, own, interval)
    pairs = [
        ("repository", found.repo_url),
        ("type", found.type),
        ("branches", ", ".join(found.branches)),
        ("folder", found.subdirectory),
        ("uploads only", "yes" if found.is_upload_only else None),
        ("token", token),
        ("variable with the token", found.token_env),
        ("GitHub App", found.github_app and found.github_app.app_id),
        ("store", found.store),
        ("environment", found.environment),
        ("automatic refresh", None if found.is_upload_only else interval),
        ("pull requests", "compared" if found.watches_pull_requests else "not compared"),
        ("commit status fails on", ", ".join(found.fail_on)),
        ("checks", "run after an extraction" if found.runs_checks else None),
        ("data of edits", "counted" if found.previews_data else None),
        ("adapter", found.adapter),
        ("target", found.profile.target),
        ("schema", found.profile.schema),
        ("database", found.profile.database),
        ("variables", ", ".join(found.variables)),
        ("dbt", found.required_dbt_version),
        ("isolation", found.isolation and found.isolation.value),
        ("trusted", "yes" if found.is_trusted else None),
        ("requires dbt", "yes" if found.requires_dbt else None),
        ("added", f"{moment(found.created_at)} by {found.created_by}"),
        ("id", found.id),
    ]
    return [(label, value) for label, value in pairs if value]


def _database_settings(
    found: ConnectionAnswer, own: DatabaseOptions, interval: str
) -> list[tuple[str, object]]:
    """Return label and value of the settings of a database."""
    quality = own.quality_minutes
    pairs = [
        ("database", found.repo_url),
        ("URL", "stored" if own.has_url else None),
        ("project", project_of(found)),
        ("schemas", ", ".join(own.schemas)),
        ("include", ", ".join(own.include)),
        ("exclude", ", ".join(own.exclude)),
        ("store", found.store),
        ("environment", found.environment),
        ("scans", interval),
        ("measurements of quality", "never" if quality is None else f"every {quality:g} minutes"),
        ("a measurement fails on", ", ".join(found.fail_on)),
        ("added", f"{moment(found.created_at)} by {found.created_by}"),
        ("id", found.id),
    ]
    return [(label, value) for label, value in pairs if value]


@pages.page("/{id}/jobs/{job}")
def job(request: ConnectionRequest) -> Page:
    """Show one job: stages, outcome and log; the page updates itself until the job ends."""
    found, now = request.service.get(request.connection), datetime.now(timezone.utc)
    own = request.service.jobs_of(found.id)
    details = own.details(request.parts["job"])
    one = details.job
    progress = own.progress(one.job_id)
    assert progress is not None  # a job that exists has a progress
    to = stored_at(request, found)
    values = {
        "job": one,
        "now": now,
        "heading": f"Job {one.number} of {one.branch} {_PHRASES[one.status]}",
        "seconds": job_seconds(one),
        "age": age_html(Age(one.started_at or one.requested_at, "for" if one.started_at else "ago"), now),
        "is_active": not one.status.is_over,
        "progress": progress_values(found, progress),
        # The end of the log: it has the error, and a page that updates itself must stay small.
        "log": details.log[-LOG_SHOWN:],
        "hidden": max(0, len(details.log) - LOG_SHOWN),
        "most": LOG_SHOWN,
        "facts": _job_facts(one),
        "run": to.run(one.run_id) if to is not None and one.run_id is not None else None,
        "diff": _diff_of(request, found, one, to),
        "address": address_of(found.id, "jobs", one.job_id),
        "is_admin": request.caller.is_admin,
        "again": _again(found, one),
    }
    title = f"Job {one.number} of {found.name}"
    return Page("job.html", title, values, crumbs=own_crumbs(found), is_kept=False)


def _again(found: ConnectionAnswer, job: JobAnswer) -> str | None:
    """Return the address that asks for *job* once more; None if it succeeded or cannot be asked for."""
    has_failed = job.status in (JobStatus.FAILED, JobStatus.CANCELLED)
    # The heads of pull requests are asked for by pushes and checks.
    is_asked_for = job.source in (JobSource.BRANCH, JobSource.DATABASE) and job.branch in found.branches
    return (
        address_of(found.id, "extract") if has_failed and is_asked_for and not found.is_upload_only else None
    )


def _diff_of(
    request: ConnectionRequest, found: ConnectionAnswer, job: JobAnswer, to: Addresses | None
) -> str | None:
    """Return the diff of the pull request of *job*, if it was reported."""
    if job.pull_request is None or to is None:
        return None
    try:
        stored = get_pull_request(request.service.state, found.id, job.pull_request)
    except UnknownNameError:
        return None
    return report_address(stored, to)


_PHRASES = {
    JobStatus.PENDING: "waits for a worker",
    JobStatus.RUNNING: "is running",
    JobStatus.SUCCESS: "succeeded",
    JobStatus.FAILED: "failed",
    JobStatus.CANCELLED: "was cancelled",
}


def _job_facts(job: JobAnswer) -> list[tuple[str, object]]:
    """Return label and value of what is known of *job*."""
    figures = job.figures
    pairs: list[tuple[str, object]] = [
        ("source", source_words(job)),
        ("commit", job.commit_sha),
        ("trigger", f"{job.trigger.value}, by {job.requested_by}"),
        ("requested", moment(job.requested_at)),
        ("worker", job.worker),
        ("attempts", job.attempts),
        ("tier", job.extraction_tier and job.extraction_tier.value),
        ("lower tier because", job.fallback),
        ("isolation", job.isolation and job.isolation.value),
        ("dbt", job.dbt_version),
        ("objects", figures.objects),
        ("columns", figures.columns),
        ("dependencies", figures.dependencies),
        ("column lineage", figures.column_lineage),
        ("issues", figures.issues),
        ("processor seconds", figures.cpu_seconds and f"{figures.cpu_seconds:,.1f}"),
        ("peak memory", figures.peak_memory and f"{figures.peak_memory / 2**20:,.0f} MB"),
        ("fetched", figures.fetched and f"{figures.fetched / 2**20:,.1f} MB"),
        ("id", job.job_id),
    ]
    # A figure of zero is a fact, unlike a missing one.
    return [(label, value) for label, value in pairs if value is not None and value != ""]


DELIVERIES_SHOWN = 5


def webhook_values(request: ConnectionRequest, found: ConnectionAnswer) -> Mapping[str, Any]:
    """Return the values of the section on the webhook of *found*."""
    webhook = get_webhook(request.service.state, found.id)
    received = list_deliveries(request.service.state, found.id, limit=DELIVERIES_SHOWN)
    word = webhook_word(webhook)
    columns = ("received_at", "event", "outcome", "reason", "job_id")
    return {
        "webhook": webhook,
        "webhook_word": word,
        "webhook_tone": status_tone(word),
        "is_polled": found.poll_minutes is not None,
        "has_forge": find_forge(found.type) is not None and not found.is_upload_only,
        "deliveries": deliveries_listing(found, received).narrowed(columns),
    }


@pages.page("/{id}/webhook")
def webhook(request: ConnectionRequest) -> Page:
    """Show the webhook of a connection, and the form that sets it up."""
    require_admin(request)
    found = request.repository()
    return _page(request, found, request.service.webhook(found.id))


@pages.action("/{id}/webhook")
async def set_up(request: ConnectionRequest) -> Page | Redirect:
    """Set up the webhook of a connection; without success, show the steps for a person."""
    require_admin(request)
    found = await asyncio.to_thread(request.service.get, request.connection)
    answer = await request.service.set_up_webhook(found.id, is_rotated="is_rotated" in request.form)
    if answer.manual is None:
        return Redirect(address_of(found.id, "webhook"))
    return await asyncio.to_thread(_page, request, found, answer)


def _page(request: ConnectionRequest, found: ConnectionAnswer, answer: WebhookAnswer) -> Page:
    values = {
        **webhook_values(request, found),
        "answer": answer,
        "address": address_of(found.id),
        "own": address_of(found.id, "webhook"),
        "all_deliveries": address_of(found.id, "deliveries"),
    }
    title = f"Webhook of {found.name}"
    return Page("webhook.html", title, values, crumbs=own_crumbs(found), is_kept=False)
