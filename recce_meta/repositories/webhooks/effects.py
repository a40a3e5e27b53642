"""What a verified event causes: jobs, stale branches, and stored pull requests."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.errors import UnknownNameError
from recce_meta.models.run import Trigger
from recce_meta.repositories.forges.events import Event, Ignored, Ping, Push, shown
from recce_meta.repositories.state.connections import postpone_poll
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import request_cancel, request_job
from recce_meta.repositories.state.pull_requests import get_pull_request, note_pull_request
from recce_meta.repositories.state.types import (
    JobStatus,
    PullRequestEvent,
    PullRequestState,
    RepositoryConnection,
)
from recce_meta.repositories.state.webhooks import clear_stale, mark_stale, newest_job

REQUESTED_BY = "webhook"


class HookOutcome(str, Enum):
    """What became of a delivery."""

    QUEUED = "queued"
    """A job waits or runs for it."""
    NOTED = "noted"
    """The state has changed, and no job is needed."""
    IGNORED = "ignored"
    PING = "ping"


class HookEffect(Struct, frozen=True, kw_only=True):
    """What one event has caused."""

    outcome: HookOutcome
    reason: str | None = None
    """Why no job was requested."""
    job_id: str | None = None


def apply_event(state: State, connection: RepositoryConnection, event: Event, now: datetime) -> HookEffect:
    """Store what *event* means for *connection*, and request its jobs.

    Raises UnknownNameError if the connection was removed meanwhile.
    """
    if isinstance(event, Ping):
        return HookEffect(outcome=HookOutcome.PING)
    if isinstance(event, Ignored):
        return _ignored(event.reason)
    if connection.is_upload_only:
        return _ignored(f"the runs of {connection.name} only come from uploads")
    if connection.is_paused:
        return _ignored(f"{connection.name} is paused")
    if isinstance(event, Push):
        return _push(state, connection, event, now)
    return _pull_request(state, connection, event.event)


def _push(state: State, connection: RepositoryConnection, push: Push, now: datetime) -> HookEffect:
    branch = push.branch
    if branch not in connection.branches:
        return _ignored(f"the branch {shown(branch)} is not followed")
    if push.sha is None:
        for job_id in mark_stale(state, connection.id, branch):
            request_cancel(state, job_id)
        # Deliveries arrive in any order: a look finds out if the branch exists again.
        postpone_poll(state, [connection.id], now)
        return HookEffect(
            outcome=HookOutcome.NOTED, reason=f"the branch {branch} was deleted: its environment is stale"
        )
    clear_stale(state, connection.id, [branch])
    newest = newest_job(state, connection.id, branch)
    # By commit and not by the id of the delivery: one that is sent again after a failure must be served.
    if newest is not None and newest.commit_sha == push.sha:
        is_done, is_running = newest.status is JobStatus.SUCCESS, newest.status is JobStatus.RUNNING
        # The head is known, so the next look can wait.
        if (is_done or is_running) and connection.poll_minutes is not None:
            postpone_poll(state, [connection.id], now + timedelta(minutes=connection.poll_minutes))
        if is_done:
            return _ignored(f"the commit {push.sha[:10]} of {branch} was extracted before")
        if is_running:
            return HookEffect(outcome=HookOutcome.QUEUED, job_id=newest.id)
    # Not with this commit: the job takes the head, which may be newer.
    requested = request_job(state, connection.id, branch, trigger=Trigger.WEBHOOK, requested_by=REQUESTED_BY)
    return HookEffect(outcome=HookOutcome.QUEUED, job_id=requested.job.id)


def _pull_request(state: State, connection: RepositoryConnection, sent: PullRequestEvent) -> HookEffect:
    event = replace(sent, head_url=_on_same_host(sent.head_url, connection.repo_url))
    name, is_open = f"pull request {event.number}", event.state is PullRequestState.OPEN
    if is_open and not connection.watches_pull_requests:
        return _ignored(f"pull requests of {connection.name} are not compared")
    if event.base_branch not in connection.branches:
        if not _is_stored(state, connection, event.number):
            return _ignored(f"{name}: its base branch {shown(event.base_branch)} is not followed")
        # It has another base now, which nothing here is compared with.
        event, is_open = replace(event, state=PullRequestState.CLOSED) if is_open else event, False
    requested = note_pull_request(
        state, connection, event, trigger=Trigger.WEBHOOK, requested_by=REQUESTED_BY
    )
    if requested:
        return HookEffect(outcome=HookOutcome.QUEUED, job_id=requested[0].job.id)
    reason = f"{name} needs no other job" if is_open else f"{name} is no longer compared"
    return HookEffect(outcome=HookOutcome.NOTED, reason=reason)


def _is_stored(state: State, connection: RepositoryConnection, number: int) -> bool:
    try:
        return get_pull_request(state, connection.id, number) is not None
    except UnknownNameError:
        return False


def _on_same_host(head_url: str | None, repo_url: str) -> str | None:
    """Return the address of a fork; None for one on another host than the repository."""
    if head_url is None or urlsplit(head_url).netloc.lower() != urlsplit(repo_url).netloc.lower():
        return None
    return head_url


def _ignored(reason: str) -> HookEffect:
    return HookEffect(outcome=HookOutcome.IGNORED, reason=reason)
