"""Workers in the state: each renews its heartbeat, and the jobs of one that stopped are taken over."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from sqlalchemy import delete, insert, select, update

from recce_meta._version import __version__
from recce_meta.repositories.state.database import State, values_of
from recce_meta.repositories.state.tables import workers

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
        rows = session.execute(select(workers).order_by(workers.c.name)).mappings()
        return [msgspec.convert(values_of(row), WorkerProcess) for row in rows]


def stale_workers(state: State, seconds: float) -> list[WorkerProcess]:
    """Return the workers without a heartbeat in the last *seconds*, by the clock of the database."""
    with state.read() as session:
        # Read as a value, because the two databases subtract seconds in different ways.
        now = session.scalar(select(state.now()))
        assert now is not None
        query = select(workers).where(workers.c.seen_at < now - timedelta(seconds=seconds))
        rows = session.execute(query.order_by(workers.c.name)).mappings()
        return [msgspec.convert(values_of(row), WorkerProcess) for row in rows]


def forget_worker(state: State, worker: str) -> None:
    """Remove a worker that ended, or whose jobs were taken over."""
    with state.write() as session:
        session.execute(delete(workers).where(workers.c.name == worker))
