"""Jobs of uploads: the process that received one runs it at once, and no worker ever does."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from sqlalchemy import func, insert, select

from recce_meta.models.run import Trigger
from recce_meta.repositories.state.connections import note_outcome
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import finish_job, get_job, lock_connection
from recce_meta.repositories.state.tables import jobs, pull_requests
from recce_meta.repositories.state.tasks import add_follow_up
from recce_meta.repositories.state.types import ExtractionJob, JobOutcome, JobSource, JobStatus, head_label_of

LONGEST = timedelta(minutes=15)
"""Time after which an upload without an outcome belongs to a process that has died."""


def fail_stale_uploads(state: State) -> None:
    """End the uploads whose process has died as failed."""
    stale = (
        select(jobs.c.id)
        .where(jobs.c.trigger == Trigger.UPLOAD.value, jobs.c.status == JobStatus.RUNNING.value)
        .where(jobs.c.started_at < datetime.now(timezone.utc) - LONGEST)
    )
    with state.read() as session:
        found = session.scalars(stale).all()
    for job_id in found:
        fail_upload(state, job_id, "The server ended during the upload", "upload again", "unexpected")


def fail_upload(state: State, job_id: str, error: str, hint: str | None, failure: str) -> None:
    """Store the failure of an upload in its job and in its connection; the first outcome stays."""
    failed = finish_job(state, job_id, JobStatus.FAILED, JobOutcome(error=error, hint=hint, failure=failure))
    note_outcome(state, failed)
    follow_upload(state, failed)


def follow_upload(state: State, job: ExtractionJob) -> None:
    """Add the task that follows *job*, an upload that is over."""
    # CI may name a pull request that no forge has announced: then there is nothing to report to.
    if job.source is JobSource.BRANCH or _is_known(state, job.connection_id, job.pull_request):
        add_follow_up(state, job)


def _is_known(state: State, connection_id: str, number: int | None) -> bool:
    query = select(pull_requests.c.number).filter_by(connection_id=connection_id, number=number)
    with state.read() as session:
        return session.scalar(query) is not None


def begin_upload(
    state: State, connection_id: str, branch: str, *, requested_by: str, pull_request: int | None = None
) -> ExtractionJob:
    """Create a running job for an upload of *branch*, or of the head of *pull_request*, and return it.

    Raises UnknownNameError if the connection does not exist.
    """
    # Also here: a server without a worker has no sweep.
    fail_stale_uploads(state)
    label = branch if pull_request is None else head_label_of(pull_request)
    of_label = (jobs.c.connection_id == connection_id, jobs.c.branch == label)
    with state.write() as session:
        # Requests of other processes for a job of this connection wait, so that numbers differ.
        lock_connection(session, connection_id)
        number = (session.scalar(select(func.max(jobs.c.number)).where(*of_label)) or 0) + 1
        job_id = f"{connection_id}:{label}:{number}"
        source = JobSource.BRANCH if pull_request is None else JobSource.PULL_REQUEST
        session.execute(
            insert(jobs).values(
                id=job_id,
                connection_id=connection_id,
                branch=label,
                number=number,
                source=source.value,
                pull_request=pull_request,
                trigger=Trigger.UPLOAD.value,
                requested_by=requested_by,
                # Never pending: the dispatcher of a worker would enqueue it.
                status=JobStatus.RUNNING.value,
                is_forced=False,
                requested_at=state.now(),
                started_at=state.now(),
                attempts=1,
                events=0,
            )
        )
    return get_job(state, job_id)


def last_runs(state: State, connection_id: str, *, limit: int = 20) -> list[str]:
    """Return the ids of the runs that the last successful jobs of a connection recorded, the newest first."""
    query = (
        select(jobs.c.run_id)
        .where(jobs.c.connection_id == connection_id, jobs.c.status == JobStatus.SUCCESS.value)
        .where(jobs.c.run_id.is_not(None))
        .order_by(jobs.c.row.desc())
        .limit(limit)
    )
    with state.read() as session:
        return list(dict.fromkeys(session.scalars(query)))
