"""Leases in the state that one process at a time holds; they end with their process."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from recce_meta.repositories.state.database import State

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
