"""Several statements at once: a few connections to one database, lent to whoever asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import contextmanager, suppress
from queue import LifoQueue
from threading import Lock
from types import TracebackType
from typing import TypeVar

from recce_meta.adapter.adapter import UnifiedSqlAdapter
from recce_meta.errors import QueryCancelled, QueryTimeout, UsageError, WarehouseError

REPEAT_SECONDS = 0.2
"""How soon a request to stop is made again: it is lost where it comes before the statement has begun."""
STOPPED_THERE = "a limit of the server or the role, or its administrator, has ended the statement"

Given = TypeVar("Given")
Answer = TypeVar("Answer")


class Pool:
    """Up to *threads* connections like *adapter*'s, which is one of them; opened when they are needed.

    There are as many as the profile's `threads` says, unless *threads* does. Statements stop at *deadline*, a
    reading of `time.monotonic`. The adapter stays its owner's to close.
    """

    def __init__(
        self, adapter: UnifiedSqlAdapter, threads: int | None = None, *, deadline: float | None = None
    ) -> None:
        threads = adapter.threads if threads is None else threads
        if threads < 1:
            raise UsageError(f"{threads} threads cannot run anything", hint="give at least 1")
        self.size = threads if adapter.is_shareable else 1
        self._adapters = [adapter]
        self._idle: LifoQueue[UnifiedSqlAdapter] = LifoQueue()
        self._idle.put(adapter)
        self._deadline = deadline
        self._lock = Lock()
        self._is_cancelled = False

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def connection(self) -> Iterator[UnifiedSqlAdapter]:
        """One of the connections, nobody else's within the block; waits for one where all are lent."""
        adapter = self._borrow()
        try:
            yield adapter
        finally:
            self._idle.put(adapter)

    def execute(self, sql: str) -> list[tuple[object, ...]]:
        """The rows of *sql*; raises QueryTimeout where the deadline has passed or passes meanwhile."""
        with self.connection() as adapter:
            left = self._left(sql)
            try:
                return adapter.answer(sql, left)
            except QueryTimeout as error:
                if left is None or self._left_seconds() > 0:
                    raise _stopped_there(error, sql) from error
                raise _used_up(sql) from error
            except QueryCancelled as error:
                if self._is_cancelled:
                    raise
                raise _stopped_there(error, sql) from error

    def describe(self, sql: str) -> list[tuple[str, str]]:
        """The name and type of each column that *sql* would give."""
        with self.connection() as adapter:
            self._left(sql)
            return adapter.describe(sql)

    def each(
        self,
        function: Callable[[Given], Answer],
        items: Sequence[Given],
        cancel: Callable[[], None] | None = None,
    ) -> list[Answer]:
        """*function* of each of *items*, as many at once as there are connections, in their order.

        Whatever one raises, and Ctrl-C, stops the others in the warehouse; by *cancel*, where *function* uses
        other connections than these.
        """
        if len(items) < 2 or self.size == 1:
            return [function(item) for item in items]
        with ThreadPoolExecutor(min(self.size, len(items)), thread_name_prefix="recce_meta pool") as workers:
            futures = [workers.submit(function, item) for item in items]
            is_done = False
            try:
                for future in as_completed(futures):
                    future.result()
                is_done = True
            finally:
                if not is_done:
                    _stop(futures, cancel or self.cancel)
            return [future.result() for future in futures]

    def cancel(self) -> None:
        """Stop whatever runs, and let nothing more begin."""
        self._is_cancelled = True
        with self._lock:
            adapters = list(self._adapters)
        for adapter in adapters:
            with suppress(WarehouseError):  # what it ran has just ended, or it is lost
                adapter.cancel()

    def close(self) -> None:
        """Close every connection but the first."""
        with self._lock:
            siblings, self._adapters = self._adapters[1:], self._adapters[:1]
        for adapter in siblings:
            adapter.close()

    def _borrow(self) -> UnifiedSqlAdapter:
        with self._lock:
            if self._idle.empty() and len(self._adapters) < self.size:
                adapter = self._adapters[0].sibling()
                self._adapters.append(adapter)
                return adapter
        return self._idle.get()

    def _left(self, sql: str) -> float | None:
        """The seconds that *sql* may take."""
        if self._is_cancelled:
            raise QueryCancelled("Stopped before it began", sql=sql)
        if self._deadline is None:
            return None
        left = self._left_seconds()
        if left <= 0:
            raise _used_up(sql)
        return left

    def _left_seconds(self) -> float:
        return float("inf") if self._deadline is None else self._deadline - time.monotonic()


def _stop(futures: Sequence[Future[Answer]], cancel: Callable[[], None]) -> None:
    """Let none of *futures* begin, and ask for the end of those that have until it comes."""
    for future in futures:
        future.cancel()
    cancel()
    while wait(futures, timeout=REPEAT_SECONDS).not_done:
        cancel()


def _stopped_there(error: WarehouseError, sql: str) -> QueryTimeout:
    """Of this statement alone: nobody here has asked for it."""
    return QueryTimeout(
        f"Stopped by the warehouse: {error.message}", hint=STOPPED_THERE, code=error.code, sql=sql
    )


def _used_up(sql: str) -> QueryTimeout:
    return QueryTimeout("The time budget is used up", hint="allow more with --budget", sql=sql)
