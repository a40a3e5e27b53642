"""Figures of the state for monitoring: its queue, its tasks and its workers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct
from sqlalchemy import func, select

from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.tables import connections, jobs, tasks, workers
from recce_meta.repositories.state.workers import stale_workers
from recce_meta.repositories.types import JobStatus, TaskStatus

_ACTIVE = (JobStatus.PENDING.value, JobStatus.RUNNING.value)


class StateFigures(Struct, frozen=True, kw_only=True):
    """Figures of a state at one moment."""

    jobs: Mapping[tuple[str, str], int]
    """Number of jobs that wait or run, by status and stage; the stage of a job that waits is empty."""
    queue_seconds: float
    """Age of the oldest job that waits; 0 without any."""
    tasks: Mapping[tuple[str, str], int]
    """Number of tasks that are not done, by kind and status."""
    task_delay_seconds: float
    """Time since the first task that waits was due; 0 if none is late."""
    connections: int
    live_workers: int
    stale_workers: int


def read_figures(state: State, *, stale_seconds: float) -> StateFigures:
    """Return the figures of *state*; workers without a heartbeat for *stale_seconds* are stale.

    Raises WarehouseError if the database fails.
    """
    stale = len(stale_workers(state, stale_seconds))
    is_waiting, stage = jobs.c.status == JobStatus.PENDING.value, func.coalesce(jobs.c.stage, "")
    of_jobs = select(jobs.c.status, stage, func.count()).where(jobs.c.status.in_(_ACTIVE))
    of_tasks = select(tasks.c.kind, tasks.c.status, func.count()).where(
        tasks.c.status != TaskStatus.DONE.value
    )
    first_due = select(func.min(tasks.c.due_at)).where(tasks.c.status == TaskStatus.PENDING.value)
    with state.read() as session:
        # Read as a value, because the two databases subtract times in different ways.
        now = session.scalar(select(state.now()))
        assert now is not None
        oldest = session.scalar(select(func.min(jobs.c.requested_at)).where(is_waiting))
        found = session.execute(of_jobs.group_by(jobs.c.status, stage)).all()
        open_tasks = session.execute(of_tasks.group_by(tasks.c.kind, tasks.c.status)).all()
        return StateFigures(
            jobs={(status, name): count for status, name, count in found},
            queue_seconds=_age(now, oldest),
            tasks={(kind, status): count for kind, status, count in open_tasks},
            task_delay_seconds=_age(now, session.scalar(first_due)),
            connections=session.scalar(select(func.count()).select_from(connections)) or 0,
            live_workers=(session.scalar(select(func.count()).select_from(workers)) or 0) - stale,
            stale_workers=stale,
        )


def _age(now: datetime, then: datetime | None) -> float:
    return 0.0 if then is None else max((now - then).total_seconds(), 0.0)
