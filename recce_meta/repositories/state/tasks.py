"""Tasks in the state: work that follows a job or an event, with leases, so that one worker at a time does it.

A task is added in the transaction of what it follows. Of tasks with the same kind and key, at most one waits
and at most one runs: a request while one runs adds a waiting task, which sees what has changed meanwhile. The
lease of a worker that died ends, and another worker begins the task again; so every task can be repeated.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, exists, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from recce_meta.errors import StoreError
from recce_meta.repositories.state.database import State, row_as, rows_as
from recce_meta.repositories.state.jobs import get_job
from recce_meta.repositories.state.tables import job_files, jobs, pull_requests, tasks
from recce_meta.repositories.state.types import (
    ExtractionJob,
    JobSource,
    JobStatus,
    PullRequestState,
    Task,
    TaskKind,
    TaskStatus,
)

_PENDING, _RUNNING = TaskStatus.PENDING.value, TaskStatus.RUNNING.value
_COLLISIONS = 20
"""Attempts to add a task that other transactions add and workers begin at the same moment."""


def add_task(
    state: State,
    session: Connection,
    kind: TaskKind,
    key: str,
    connection_id: str,
    payload: Mapping[str, Any] | None = None,
    *,
    delay: timedelta = timedelta(0),
) -> None:
    """Add a task in the transaction *session*, to be done after *delay*.

    If a task of this kind and key waits already, it gets the payload and the earlier of both times.
    """
    now = _now(state, session)
    due_at = now + delay
    is_same = and_(tasks.c.kind == kind.value, tasks.c.key == key, tasks.c.status == _PENDING)
    changes = {"payload": dict(payload or {}), "requested_at": now, "attempts": 0}
    for _ in range(_COLLISIONS):
        # The row is locked until the end of *session*: a worker that began the task before would not see
        # what the transaction changes.
        waiting = session.execute(select(tasks).where(is_same).with_for_update()).mappings().first()
        if waiting is not None:
            changes["due_at"] = min(waiting["due_at"], due_at)
            session.execute(update(tasks).where(tasks.c.row == waiting["row"]).values(changes))
            return
        row = {
            **changes,
            "kind": kind.value,
            "key": key,
            "connection_id": connection_id,
            "status": _PENDING,
            "due_at": due_at,
        }
        # Another transaction may have added the same task meanwhile; then its row is the waiting one.
        with suppress(IntegrityError), session.begin_nested():
            session.execute(insert(tasks).values(row))
            return
    raise StoreError(f"The task {kind.value} {key} collides with others", hint="try again")


def claim_task(
    state: State, worker: str, *, lease: timedelta, kinds: Collection[TaskKind] = tuple(TaskKind)
) -> Task | None:
    """Return the task that has been due for longest, which *worker* has for the time of *lease*.

    None if no task of *kinds* is due. A running task whose lease is over is due again.
    """
    if not _is_any_due(state, kinds):
        return None
    with state.write() as session:
        now = _now(state, session)
        query = _due(now, kinds).order_by(tasks.c.due_at, tasks.c.row).limit(1)
        locked = query.with_for_update(skip_locked=True, of=tasks)
        row = session.execute(locked).mappings().first()
        if row is None:
            return None
        changes = {
            "status": _RUNNING,
            "worker": worker,
            "lease_until": now + lease,
            "attempts": row["attempts"] + 1,
        }
        session.execute(update(tasks).where(tasks.c.row == row["row"]).values(changes))
        return row_as(session, select(tasks).where(tasks.c.row == row["row"]), Task)


def _is_any_due(state: State, kinds: Collection[TaskKind]) -> bool:
    """Return True if a task is due, without the lock that a transaction that writes takes in SQLite."""
    with state.read() as session:
        return session.execute(_due(_now(state, session), kinds).limit(1)).first() is not None


def _due(now: datetime, kinds: Collection[TaskKind]) -> Select[Any]:
    other = tasks.alias()
    is_busy = exists().where(
        other.c.kind == tasks.c.kind,
        other.c.key == tasks.c.key,
        other.c.status == _RUNNING,
        other.c.row != tasks.c.row,
    )
    due = or_(
        and_(tasks.c.status == _PENDING, tasks.c.due_at <= now, ~is_busy),
        and_(tasks.c.status == _RUNNING, tasks.c.lease_until < now),
    )
    return select(tasks).where(due, tasks.c.kind.in_([kind.value for kind in kinds]))


def renew_lease(state: State, task: Task, *, lease: timedelta) -> bool:
    """Extend the lease of *task*; False if its worker does not have it any more."""
    with state.write() as session:
        return _change(session, task, {"lease_until": _now(state, session) + lease})


def end_task(state: State, task: Task, *, error: str | None = None) -> None:
    """Store that *task* is done, or has failed for good with *error*."""
    status = TaskStatus.DONE if error is None else TaskStatus.FAILED
    with state.write() as session:
        now = _now(state, session)
        _change(session, task, {"status": status.value, "ended_at": now, "error": error})


def retry_task(state: State, task: Task, *, delay: timedelta, error: str) -> None:
    """Let *task* be done again after *delay*, because of *error*.

    A newer task of the same kind and key does its work, so this one then ends.
    """
    is_newer = and_(tasks.c.kind == task.kind.value, tasks.c.key == task.key, tasks.c.status == _PENDING)
    # Another transaction may add the newer task at the same moment.
    with suppress(IntegrityError), state.write() as session:
        if session.scalar(select(tasks.c.row).where(is_newer)) is None:
            due_at = _now(state, session) + delay
            changes = {"status": _PENDING, "due_at": due_at, "error": error, "lease_until": None}
            _change(session, task, changes)
            return
    with state.write() as session:
        ended = {"status": TaskStatus.DONE.value, "ended_at": _now(state, session), "error": error}
        _change(session, task, ended)


def list_tasks(
    state: State, *, connection_id: str | None = None, is_open: bool = True, limit: int = 1_000
) -> list[Task]:
    """Return tasks, the newest first: those that wait or run, or with *is_open* False those that ended."""
    query = select(tasks).where(tasks.c.status.in_((_PENDING, _RUNNING)) == is_open)
    if connection_id is not None:
        query = query.where(tasks.c.connection_id == connection_id)
    with state.read() as session:
        return rows_as(session, query.order_by(tasks.c.row.desc()).limit(limit), Task)


def forget_tasks(state: State, before: datetime) -> None:
    """Delete the tasks that ended before *before*."""
    with state.write() as session:
        session.execute(delete(tasks).where(tasks.c.ended_at < before))


def _now(state: State, session: Connection) -> datetime:
    now = session.scalar(select(state.now()))
    assert now is not None
    return now


def _change(session: Connection, task: Task, changes: Mapping[str, Any]) -> bool:
    """Change *task* if its worker still has this lease."""
    own = and_(tasks.c.row == task.row, tasks.c.worker == task.worker, tasks.c.attempts == task.attempts)
    statement = update(tasks).where(own, tasks.c.status == _RUNNING).values(**changes)
    return bool(session.execute(statement).rowcount)


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
