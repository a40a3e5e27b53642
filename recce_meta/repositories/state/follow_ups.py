"""What follows a job, as tasks: checks and notifications of a branch, the report of a pull request."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import get_job
from recce_meta.repositories.state.tables import job_files, jobs, pull_requests
from recce_meta.repositories.state.tasks import add_task
from recce_meta.repositories.types import ExtractionJob, JobSource, JobStatus, PullRequestState, TaskKind


def add_report(state: State, session: Connection, connection_id: str, number: int) -> None:
    """Add the task that compares the pull request *number* and reports the result."""
    key = f"{connection_id}:{number}"
    add_task(state, session, TaskKind.REPORT, key, connection_id, {"number": number})


def repeat_reports(state: State, connection_id: str) -> None:
    """Add a task for each open pull request of a connection whose last report has failed."""
    failed = select(pull_requests.c.number).where(
        pull_requests.c.connection_id == connection_id,
        pull_requests.c.state == PullRequestState.OPEN.value,
        pull_requests.c.error.is_not(None),
    )
    with state.write() as session:
        for number in session.scalars(failed.order_by(pull_requests.c.number)).all():
            add_report(state, session, connection_id, number)


def add_follow_up(state: State, job: ExtractionJob) -> None:
    """Add the task that follows *job*, which is over; nothing follows a cancelled one of a branch."""
    is_of_branch = job.source in (JobSource.BRANCH, JobSource.DATABASE)
    if job.status is JobStatus.CANCELLED and is_of_branch:
        return
    with state.write() as session:
        if is_of_branch:
            add_task(state, session, TaskKind.FOLLOW_UP, job.id, job.connection_id, {"job": job.id})
        else:
            add_report(state, session, job.connection_id, job.pull_request or 0)


def earlier_job(state: State, job: ExtractionJob, *statuses: JobStatus) -> ExtractionJob | None:
    """Return the last job of the branch of *job* before it that ended with one of *statuses*."""
    query = (
        select(jobs.c.id)
        .where(jobs.c.connection_id == job.connection_id, jobs.c.branch == job.branch)
        .where(jobs.c.number < job.number, jobs.c.status.in_([status.value for status in statuses]))
        .order_by(jobs.c.number.desc())
        .limit(1)
    )
    with state.read() as session:
        found = session.scalar(query)
    return None if found is None else get_job(state, found)


def forget_job_files(state: State, connection_id: str, number: int) -> None:
    """Delete the files of the jobs of a pull request."""
    own = select(jobs.c.id).filter_by(connection_id=connection_id, pull_request=number)
    with state.write() as session:
        session.execute(delete(job_files).where(job_files.c.job_id.in_(own)))
