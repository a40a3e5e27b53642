"""Workers of the state: their heartbeats, the figures of all, and which process measures them."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from recce_meta._version import __version__
from recce_meta.repositories.state.database import State, rows_as
from recce_meta.repositories.state.tables import connections, jobs, tasks, workers
from recce_meta.repositories.state.types import JobStatus, TaskStatus

STALE_SECONDS = 30.0
"""Seconds without a heartbeat after which a worker is stale."""


class WorkerProcess(Struct, frozen=True, kw_only=True):
    """A process that runs jobs, and its last sign of life."""

    name: str
    """Stable name, by default host and slot: also the executor of its workflows."""
    host: str
    pid: int
    version: str
    """Version of recce_meta."""
    started_at: datetime
    seen_at: datetime


def beat(state: State, worker: str, *, host: str, pid: int) -> None:
    """Renew the heartbeat of a worker.

    A process that takes over the name of another one is a new start.
    """
    process = {"host": host, "pid": pid, "version": __version__}
    with state.write() as session:
        now = state.now()
        is_same = update(workers).filter_by(name=worker, host=host, pid=pid)
        # Update before insert: SQLAlchemy has no upsert that serves both databases.
        if session.execute(is_same.values(seen_at=now)).rowcount:
            return
        started = process | {"started_at": now, "seen_at": now}
        if session.execute(update(workers).filter_by(name=worker).values(started)).rowcount == 0:
            session.execute(insert(workers).values(started | {"name": worker}))


def list_workers(state: State) -> list[WorkerProcess]:
    """Return all workers, sorted by name."""
    with state.read() as session:
        return rows_as(session, select(workers).order_by(workers.c.name), WorkerProcess)


def stale_workers(state: State, seconds: float) -> list[WorkerProcess]:
    """Return the workers without a heartbeat in the last *seconds*, by the clock of the database."""
    with state.read() as session:
        # Read as a value, because the two databases subtract seconds in different ways.
        now = session.scalar(select(state.now()))
        assert now is not None
        query = select(workers).where(workers.c.seen_at < now - timedelta(seconds=seconds))
        return rows_as(session, query.order_by(workers.c.name), WorkerProcess)


def forget_worker(state: State, worker: str) -> None:
    """Remove a worker that ended, or whose jobs were taken over."""
    with state.write() as session:
        session.execute(delete(workers).where(workers.c.name == worker))


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
    tiers: Mapping[str, int]
    """Number of connections by the tier of their last run, without those that have none."""
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
    of_tiers = select(connections.c.tier, func.count()).group_by(connections.c.tier)
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
            tiers={tier: count for tier, count in session.execute(of_tiers) if tier},
            live_workers=(session.scalar(select(func.count()).select_from(workers)) or 0) - stale,
            stale_workers=stale,
        )


def _age(now: datetime, then: datetime | None) -> float:
    return 0.0 if then is None else max((now - then).total_seconds(), 0.0)


_METRICS_LOCK = 0x6D657472
"""First key of PostgreSQL's advisory lock; the second is that of the schema."""


class MetricsLease:
    """Lease of the process that shows the metrics of the state, so that a sum over processes is right.

    A process that has not asked for *seconds* releases it: its metrics are no longer read.
    """

    def __init__(self, state: State, *, seconds: float) -> None:
        self._state = state
        self._seconds = seconds
        self._lock = threading.Lock()
        self._held: Connection | sqlite3.Connection | None = None
        self._timer: threading.Timer | None = None

    def take(self) -> bool:
        """Return True if this process holds the lease, or has taken it now.

        Raises WarehouseError if the database fails.
        """
        with self._lock:
            if not self._is_held():
                self._held = self._taken_file() if self._state.is_sqlite else self._taken_lock()
            if self._timer is not None:
                self._timer.cancel()
            if self._held is not None:
                self._timer = threading.Timer(self._seconds, self.release)
                self._timer.daemon = True
                self._timer.start()
            return self._held is not None

    def release(self) -> None:
        """Let another process take the lease."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._drop()

    def _drop(self) -> None:
        held, self._held = self._held, None
        if isinstance(held, Connection):
            # Closed, not returned to the pool: the session would keep its lock.
            with suppress(DBAPIError):
                held.invalidate()
        if held is not None:
            held.close()

    def _is_held(self) -> bool:
        if isinstance(self._held, Connection):
            # The lock has ended with its session if the server was restarted.
            try:
                self._held.exec_driver_sql("SELECT 1")
            except DBAPIError:
                self._drop()
        return self._held is not None

    def _taken_file(self) -> sqlite3.Connection | None:
        # Threads take turns by the lock of this object.
        file = self._state.neighbour("metrics")
        connection = sqlite3.connect(file, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            connection.close()
            return None
        return connection

    def _taken_lock(self) -> Connection | None:
        lock = func.pg_try_advisory_lock(_METRICS_LOCK, func.hashtext(self._state.schema))
        with self._state.read() as probe:
            # Only within `read`, so that failures are those of the state.
            probe.exec_driver_sql("SELECT 1")
        connection = self._state.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if connection.scalar(select(lock)):
            return connection
        connection.close()
        return None
