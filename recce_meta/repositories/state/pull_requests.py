"""Pull requests in the state: an event of a forge becomes jobs of the head and of the merge base.

Events arrive in any order, repeated, and from several processes. The connection's row is locked while one is
stored, so each event sees what the one before has requested.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, insert, select, update

from recce_meta.errors import UnknownNameError
from recce_meta.models.run import Trigger
from recce_meta.repositories.state.database import State, row_as, rows_as
from recce_meta.repositories.state.jobs import Requested, add_job, cancel_jobs, lock_connection
from recce_meta.repositories.state.tables import jobs, pull_requests
from recce_meta.repositories.state.tasks import add_report, add_task
from recce_meta.repositories.state.types import (
    HEALING_FAILURES,
    ExtractionJob,
    JobRequest,
    JobSource,
    JobStatus,
    PullRequest,
    PullRequestEvent,
    PullRequestState,
    RepositoryConnection,
    TaskKind,
)

PRUNE_DELAY = timedelta(days=1)
"""Time after which the runs of a closed pull request are removed: it may be reopened."""
_REPORT_FIELDS = frozenset(
    "base_sha reported comment_id comment_digest status_sha status_state reported_at error pruned_at".split()
)
_DONE = (JobStatus.PENDING.value, JobStatus.RUNNING.value, JobStatus.SUCCESS.value)


def note_pull_request(
    state: State,
    connection: RepositoryConnection,
    event: PullRequestEvent,
    *,
    trigger: Trigger,
    requested_by: str,
    prune_delay: timedelta = PRUNE_DELAY,
) -> list[Requested]:
    """Store *event*, and return the jobs that an open pull request needs.

    A job is needed if the head or the base branch has changed, or if the last job failed or was cancelled. An
    event older than the stored one is ignored. A closed pull request has its jobs cancelled, and its runs are
    removed after *prune_delay*. Raises UnknownNameError if the connection does not exist.
    """
    is_open = event.state is PullRequestState.OPEN
    if is_open and (connection.is_upload_only or not connection.watches_pull_requests):
        return []
    with state.write() as session:
        lock_connection(session, connection.id)
        stored = _find(session, connection.id, event.number)
        if stored is not None and event.updated_at < stored.updated_at:
            return []
        values = _to_row(event)
        if stored is None:
            key = {"connection_id": connection.id, "number": event.number}
            session.execute(insert(pull_requests).values(key | values))
        else:
            _update(session, connection.id, event.number, values)
        if not is_open:
            _close(state, session, connection.id, event.number, stored, prune_delay)
            return []
        is_same = stored is not None and stored.state is PullRequestState.OPEN and _is_same(stored, event)
        if is_same and stored is not None and _has_jobs(session, stored, event, trigger):
            return []
        return _request(state, session, connection.id, event.number, trigger, requested_by)


def get_pull_request(state: State, connection_id: str, number: int) -> PullRequest:
    """Return a pull request. Raises UnknownNameError if it is not stored."""
    with state.read() as session:
        return _get(session, connection_id, number)


def list_pull_requests(
    state: State, connection_id: str | None = None, *, is_open: bool | None = None, limit: int = 1_000
) -> list[PullRequest]:
    """Return pull requests, the last changed first: of one connection or of all, open ones or closed ones."""
    query = select(pull_requests)
    if connection_id is not None:
        query = query.where(pull_requests.c.connection_id == connection_id)
    if is_open is not None:
        query = query.where((pull_requests.c.state == PullRequestState.OPEN.value) == is_open)
    query = query.order_by(pull_requests.c.updated_at.desc(), pull_requests.c.number.desc()).limit(limit)
    with state.read() as session:
        return rows_as(session, query, PullRequest)


def change_report(state: State, connection_id: str, number: int, **fields: object) -> PullRequest:
    """Change what was reported to a pull request, and return it.

    *fields* are `base_sha`, `reported`, `comment_id`, `comment_digest`, `status_sha`, `status_state`,
    `reported_at`, `error` and `pruned_at`. Raises UnknownNameError if it is not stored.
    """
    if unknown := fields.keys() - _REPORT_FIELDS:
        raise TypeError(f"fields of a report are expected, got {sorted(unknown)}")
    with state.write() as session:
        if fields:
            _update(session, connection_id, number, fields)
        return _get(session, connection_id, number)


def request_base_again(state: State, head: ExtractionJob, base: ExtractionJob) -> bool:
    """Request another job of the merge base of *base*, and compare *head* with it.

    Return False if the pull request has other jobs meanwhile, which are compared then.
    """
    number = head.pull_request
    assert number is not None
    with state.write() as session:
        lock_connection(session, head.connection_id)
        found = _find(session, head.connection_id, number)
        if found is None or (found.head_job, found.base_job) != (head.id, base.id):
            return False
        again = add_job(
            state,
            session,
            head.connection_id,
            JobRequest(
                branch=found.base_label,
                trigger=base.trigger,
                requested_by=base.requested_by,
                source=JobSource.MERGE_BASE,
                pull_request=number,
                wanted_sha=base.commit_sha,
            ),
        )
        # In the turn of the job that it replaces: nothing else is missing for the report.
        session.execute(update(jobs).filter_by(id=again.job.id).values(requested_at=base.requested_at))
        _update(session, head.connection_id, number, {"base_job": again.job.id})
    return True


def _close(
    state: State,
    session: Connection,
    connection_id: str,
    number: int,
    stored: PullRequest | None,
    prune_delay: timedelta,
) -> None:
    """Cancel the jobs of a pull request that *stored* has as open, and let its runs be removed later."""
    if stored is not None and stored.state is not PullRequestState.OPEN:
        return
    _update(session, connection_id, number, {"closed_at": state.now()})
    cancel_jobs(state, session, connection_id, number)
    # A pull request that was never open here has no runs.
    if stored is not None:
        key = f"{connection_id}:{number}"
        add_task(state, session, TaskKind.PRUNE, key, connection_id, {"number": number}, delay=prune_delay)


def _request(
    state: State,
    session: Connection,
    connection_id: str,
    number: int,
    trigger: Trigger,
    requested_by: str,
) -> list[Requested]:
    """Request the jobs of the head and of the merge base, and store their ids."""
    found = _get(session, connection_id, number)
    head, base = (
        add_job(
            state,
            session,
            connection_id,
            JobRequest(
                branch=label, trigger=trigger, requested_by=requested_by, source=source, pull_request=number
            ),
        )
        for label, source in (
            (found.head_label, JobSource.PULL_REQUEST),
            (found.base_label, JobSource.MERGE_BASE),
        )
    )
    changes = {"head_job": head.job.id, "base_job": base.job.id, "closed_at": None, "pruned_at": None}
    _update(session, connection_id, number, changes)
    # The commit is shown as pending at its forge.
    add_report(state, session, connection_id, number)
    return [head, base]


def _is_same(stored: PullRequest, event: PullRequestEvent) -> bool:
    """Return True if the compared commits of *event* are those of *stored*."""
    one, other = stored.head_sha, event.head_sha
    if stored.base_branch != event.base_branch:
        return False
    if one is None or other is None:
        # Without a commit, only the time shows that an event is repeated.
        return stored.updated_at == event.updated_at
    # Some answers of forges have shortened commits.
    return one.startswith(other) or other.startswith(one)


def _has_jobs(session: Connection, stored: PullRequest, event: PullRequestEvent, trigger: Trigger) -> bool:
    """Return True if the last jobs of *stored* extract, or have extracted, the commits of *event*.

    A poll requests a failed job again only if its failure may heal.
    """
    columns = jobs.c.id, jobs.c.status, jobs.c.failure, jobs.c.commit_sha
    query = select(*columns).where(jobs.c.id.in_([stored.head_job, stored.base_job]))
    found = {row.id: row for row in session.execute(query)}
    for job_id in (stored.head_job, stored.base_job):
        job = found.get(job_id or "")
        if job is None:
            return False
        is_final = job.failure is not None and job.failure not in HEALING_FAILURES
        if job.status not in _DONE and not (trigger is Trigger.POLL and is_final):
            return False
        # A forge may announce a head before its reference has changed; the job then has the former one.
        is_head = job_id == stored.head_job and event.head_sha is not None and job.commit_sha is not None
        if is_head and job.status in _DONE and not job.commit_sha.startswith(event.head_sha):
            return False
    return True


def _find(session: Connection, connection_id: str, number: int) -> PullRequest | None:
    query = select(pull_requests).filter_by(connection_id=connection_id, number=number)
    return row_as(session, query, PullRequest)


def _get(session: Connection, connection_id: str, number: int) -> PullRequest:
    found = _find(session, connection_id, number)
    if found is None:
        raise UnknownNameError("pull request", str(number), ())
    return found


def _update(session: Connection, connection_id: str, number: int, values: Mapping[str, object]) -> None:
    change = update(pull_requests).filter_by(connection_id=connection_id, number=number)
    session.execute(change.values(**values))


def _to_row(event: PullRequestEvent) -> dict[str, object]:
    row: dict[str, object] = msgspec.to_builtins(event, builtin_types=(datetime,))
    del row["number"]
    return row
