"""Requests to stop the statements of a page or a job, and errors of pages that are not answered."""

from __future__ import annotations

import threading
from contextlib import suppress

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import RecceMetaError, WarehouseError

REPEAT_SECONDS = 0.1
"""Pause between requests to cancel."""


class StoreBusy(RecceMetaError):
    """All connections to the store, or what a request needs beyond one, are in use."""


class RequestStopped(RecceMetaError):
    """The reader has gone, or the server ends."""


class StopRequest:
    """Request to stop the statements of one page, because its reader has gone or the server ends."""

    def __init__(self) -> None:
        self.is_asked = False
        self.is_late = False
        """True if the time limit has passed."""
        self._wake = threading.Event()
        self._over = threading.Event()

    def ask(self) -> None:
        """Stop the running statement, and every later one."""
        # Before the event: the thread whose statement is then cancelled reads it as the cause.
        self.is_asked = True
        self._wake.set()

    def end(self) -> None:
        """Note that the page is complete."""
        # Before the wake-up: a request to cancel now could stop the connection's next statement.
        self._over.set()
        self._wake.set()

    def watch(self, adapter: UnifiedSqlAdapter, seconds: float) -> None:
        """Wait for the end of the page; stop statements of *adapter* on request, or after *seconds*."""
        self.is_late = not self._wake.wait(seconds)
        # Repeated: a request that arrives before its statement starts is lost, and a page has several.
        while not self._over.is_set():
            # The statement may have ended, or the connection may be lost.
            with suppress(WarehouseError):
                adapter.cancel()
            self._over.wait(REPEAT_SECONDS)
