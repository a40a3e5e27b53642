"""Limit of the requests of clients, counted in memory by each process."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from threading import Lock
from weakref import WeakValueDictionary

from recce_meta.server.problems import TooManyRequests

CONCURRENT_UPLOADS = 2
"""Uploads that are received and read concurrently: each child may need gigabytes of memory."""
CONCURRENT_SYNCS = 4
"""Syncs that are received and read concurrently: each may need hundreds of megabytes of memory."""
_KEYS = 1000
"""Number of keys whose requests are counted."""


class RateLimit:
    """Limit of the requests for each key within a time."""

    def __init__(self, subject: str, most: int, seconds: float) -> None:
        """Allow *most* requests about *subject* for each key within *seconds*."""
        self._subject, self._most, self._seconds = subject, most, seconds
        self._times: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = Lock()

    def count(self, key: str) -> None:
        """Count a request for *key*. Raises TooManyRequests, without counting it, above the limit."""
        now = time.monotonic()
        with self._lock:
            recent = [at for at in self._times.pop(key, ()) if now - at < self._seconds]
            is_over = len(recent) >= self._most
            # Refused requests do not count: a client that repeats too early is not locked out.
            self._times[key] = recent if is_over else [*recent, now]
            # The key that was used last is at the end, so the oldest is dropped.
            while len(self._times) > _KEYS:
                self._times.popitem(last=False)
        if is_over:
            # When the oldest request leaves the period, the next one is allowed.
            raise TooManyRequests(f"Too many {self._subject}", self._seconds - (now - recent[0]))

    def is_over(self, key: str) -> bool:
        """Return True if a request for *key* would be above the limit now; it is not counted."""
        now = time.monotonic()
        with self._lock:
            return sum(now - at < self._seconds for at in self._times.get(key, ())) >= self._most


class ConnectionLimits:
    """Limits of the requests about connections."""

    def __init__(self) -> None:
        self.tests = RateLimit("tests of connections", 10, 60.0)
        self.extractions = RateLimit("extractions of this connection", 20, 60.0)
        self.uploads = RateLimit("uploads of this connection", 10, 60.0)
        self.upload_slots = asyncio.Semaphore(CONCURRENT_UPLOADS)
        self.workspaces = RateLimit("requests that change workspaces", 60, 60.0)
        self.syncs = RateLimit("syncs of this workspace", 30, 60.0)
        self.sent_syncs = RateLimit("syncs", 120, 60.0)
        self.bundles = RateLimit("bundles", 120, 60.0)
        self.exchange_reads = RateLimit("requests of an exchange", 600, 60.0)
        self.sync_slots = asyncio.Semaphore(CONCURRENT_SYNCS)
        self._workspaces: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def sync_of(self, workspace_id: str) -> asyncio.Lock:
        """Return the lock of a sync of a workspace: each one counts what the one before has stored."""
        return self._workspaces.setdefault(workspace_id, asyncio.Lock())
