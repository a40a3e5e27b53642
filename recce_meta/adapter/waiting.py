"""Waiting for other writers of a store: how long, and for whom."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from recce_meta.errors import StoreLocked, TransientFailure, WarehouseError

if TYPE_CHECKING:
    from recce_meta.adapter.adapter import UnifiedSqlAdapter

T = TypeVar("T")

TELL_SECONDS = 5.0
"""Time after which a writer reports for whom it waits."""
FIRST_PAUSE = 0.02
LONGEST_PAUSE = 1.0


def retrying(adapter: UnifiedSqlAdapter, work: Callable[[], T]) -> T:
    """Return the result of *work*; retry while another writer blocks the store.

    After a few seconds, reports for whom it waits. Raises StoreLocked after the adapter's `lock_timeout`.
    """
    started = time.monotonic()
    pause = FIRST_PAUSE
    is_reported = False
    while True:
        try:
            return work()
        except TransientFailure as error:
            waited = time.monotonic() - started
            if waited >= adapter.lock_wait.seconds:
                raise _locked(adapter, error) from error
            if waited >= TELL_SECONDS and not is_reported:
                is_reported = True
                adapter.lock_wait.report(_blocker(adapter) or error.message)
        # A random pause separates writers that collided.
        time.sleep(min(pause * random.uniform(0.5, 1.0), adapter.lock_wait.seconds))
        pause = min(LONGEST_PAUSE, 2 * pause)


def _locked(adapter: UnifiedSqlAdapter, error: TransientFailure) -> StoreLocked:
    """Return the error of a writer that waited too long."""
    found = writers(adapter)
    hint = found[0].remedy if found else "try again, or wait longer with --lock-timeout"
    message = f"The store in '{adapter.schema}' was blocked for {adapter.lock_wait.seconds:g} s"
    return StoreLocked(f"{message}: {found[0] if found else error.message}", hint=hint, code=error.code)


def _blocker(adapter: UnifiedSqlAdapter) -> str | None:
    """Return who writes to the store, if the warehouse knows."""
    return next((str(writer) for writer in writers(adapter)), None)


class Writer(NamedTuple):
    """Session of the server that writes to a store at this moment."""

    pid: int
    user: str | None
    address: str | None
    state: str | None
    seconds: float
    """Age of its transaction."""

    def __str__(self) -> str:
        who = f"session {self.pid} of {self.user or 'another role'}"
        place = f" at {self.address}" if self.address else ""
        state = f", {self.state}" if self.state else ""
        return f"{who}{place}{state}, has held the store for {self.seconds:.0f} s"

    @property
    def remedy(self) -> str:
        """Hint on what to do if the session hangs."""
        return f"if it hangs, end it with SELECT pg_terminate_backend({self.pid}); else try again"


def writers(adapter: UnifiedSqlAdapter) -> tuple[Writer, ...]:
    """Return the sessions that write to the store, the longest first; none if the warehouse cannot say."""
    sql = adapter.warehouse.writers_sql
    if sql is None:
        return ()
    table = f"{adapter.warehouse.quote_identifier(adapter.warehouse.folded(adapter.schema))}.store"
    with suppress(WarehouseError), adapter.session(atomic=False) as session:
        return tuple(Writer(*row) for row in session.query(sql, {"relation": table}))
    return ()
