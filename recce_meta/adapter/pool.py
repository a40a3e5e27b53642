"""Connection pool that runs statements of several threads concurrently."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from queue import LifoQueue
from threading import Lock
from types import TracebackType
from typing import TypeVar

from recce_meta.adapter.adapter import UnifiedSqlAdapter
from recce_meta.adapter.cancellation import WAKE_SECONDS
from recce_meta.adapter.connection import Session, Stream
from recce_meta.errors import QueryCancelled, QueryTimeout, UsageError, WarehouseError
from recce_meta.warehouses import OneMoment
from recce_meta.warehouses.driver import Policy

REPEAT_SECONDS = 0.2
"""Pause between requests to cancel; a request that arrives before its statement starts is lost."""
STOPPED_THERE = (
    "check the statement timeouts of the server and the role; an administrator may also have stopped it"
)

Given = TypeVar("Given")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _View:
    """What the statements of a pool see."""

    is_one_moment: bool
    name: str | None = None
    """Name of the snapshot that each transaction reads."""
    transaction: Session | None = None
    """The only transaction that sees the moment."""


class Pool:
    """Pool of *adapter* and its siblings, opened on demand.

    Its size is *threads*, by default the profile's `threads`. Statements stop at *deadline*, a value of
    `time.monotonic`. With *of_one_moment*, all statements see what the first one saw, if possible; a
    warehouse in which only one transaction can do that then has one connection by default. Closing the pool
    leaves *adapter* open.
    """

    def __init__(
        self,
        adapter: UnifiedSqlAdapter,
        threads: int | None = None,
        *,
        deadline: float | None = None,
        of_one_moment: bool = False,
    ) -> None:
        self._way = adapter.one_moment if of_one_moment else OneMoment.NEVER
        if threads is None:
            threads = 1 if self._way is OneMoment.ONE_TRANSACTION else adapter.threads
        if threads < 1:
            raise UsageError(f"threads must be at least 1, got {threads}", hint="pass a positive number")
        self.size = threads if adapter.is_shareable else 1
        self._adapters = [adapter]
        self._idle: LifoQueue[UnifiedSqlAdapter] = LifoQueue()
        self._idle.put(adapter)
        self.deadline = deadline
        self._lock, self._snapshot_lock = Lock(), Lock()
        self._is_cancelled = False
        self._held = ExitStack()
        self._holder: UnifiedSqlAdapter | None = None
        self._view: _View | None = None

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def connection(self) -> Iterator[UnifiedSqlAdapter]:
        """Yield a connection for exclusive use; wait if all are in use."""
        adapter = self._borrow()
        try:
            yield adapter
        finally:
            self._idle.put(adapter)

    def execute(
        self, sql: str, on_policy: Callable[[Policy], None] | None = None
    ) -> list[tuple[object, ...]]:
        """Return the rows of *sql*; raise QueryTimeout if the deadline passes before it ends.

        *on_policy* is called with each policy that hides rows or values from the role.
        """
        with self.connection() as adapter, self._limited(sql) as left:
            view = self._viewed(adapter)
            if view.transaction is not None:
                return view.transaction.answer(sql, left)
            rows = adapter.answer(sql, left, snapshot=view.name)
            if on_policy is not None:
                for policy in adapter.policies:
                    on_policy(policy._replace(role=adapter.role))
            return rows

    @contextmanager
    def stream(self, sql: str, batch_rows: int) -> Iterator[Stream]:
        """Yield the rows of *sql* in batches; they are of the same moment as those of `execute`.

        Raises the same errors, also from reading the stream.
        """
        with self.connection() as adapter, self._limited(sql) as left:
            view = self._viewed(adapter)
            opened = (
                adapter.stream(sql, batch_rows, left, snapshot=view.name)
                if view.transaction is None
                else view.transaction.stream(sql, batch_rows, left)
            )
            with opened as stream:
                yield stream

    @contextmanager
    def _limited(self, sql: str) -> Iterator[float | None]:
        """Yield the seconds that *sql* may take, and say why it was stopped."""
        left = self._left(sql)
        try:
            yield left
        except QueryTimeout as error:
            # Our deadline has not passed, so the server or an administrator stopped the statement.
            if left is None or self._left_seconds() > 0:
                raise _stopped_there(error, sql) from error
            raise _used_up(sql) from error
        except QueryCancelled as error:
            if self._is_cancelled:
                raise
            raise _stopped_there(error, sql) from error

    def describe(self, sql: str) -> list[tuple[str, str]]:
        """Return the name and type of each column of *sql*, without running it."""
        with self.connection() as adapter:
            self._left(sql)
            return adapter.describe(sql)

    def each(
        self,
        function: Callable[[Given], Answer],
        items: Sequence[Given],
        cancel: Callable[[], None] | None = None,
        *,
        size: int | None = None,
    ) -> list[Answer]:
        """Call *function* concurrently for *items*, and return the results in the same order.

        Any error, and Ctrl-C, stops the remaining statements in the warehouse. If *function* uses connections
        of other pools, *cancel* stops theirs too, and *size* is the number of all.
        """
        size = size or self.size
        # The caller's own thread is enough, and Ctrl-C reaches it directly.
        if len(items) < 2 or size == 1:
            return [function(item) for item in items]
        with ThreadPoolExecutor(min(size, len(items)), thread_name_prefix="recce_meta pool") as workers:
            futures: list[Future[Answer]] = []
            is_done = False
            try:
                for item in items:
                    futures.append(workers.submit(function, item))
                _wait(futures)
                is_done = True
            finally:
                if not is_done:
                    _stop(futures, cancel or self.cancel)
            return [future.result() for future in futures]

    def cancel(self) -> None:
        """Stop all running statements, and refuse new ones."""
        self._is_cancelled = True
        # Only copied under the lock, because cancelling takes seconds if a server is slow.
        with self._lock:
            adapters = [*self._adapters, *([self._holder] if self._holder is not None else [])]
        for adapter in adapters:
            with suppress(WarehouseError):  # the statement has just ended, or the connection is lost
                adapter.cancel()

    def close(self) -> None:
        """Close every connection except the first."""
        with self._lock:
            siblings, self._adapters = self._adapters[1:], self._adapters[:1]
            held, self._held, self._holder = self._held, ExitStack(), None
        with suppress(WarehouseError):  # the connection is lost
            held.close()
        for adapter in siblings:
            adapter.close()

    @property
    def sees_one_moment(self) -> bool:
        """True if all statements so far saw one moment; also true before the first one."""
        return self._view is None or self._view.is_one_moment

    @property
    def time_zone(self) -> str | None:
        """Time zone of the first session; None if it is unknown."""
        with suppress(WarehouseError):  # the connection is lost, after the last answer
            return self._adapters[0].time_zone
        return None

    def _viewed(self, adapter: UnifiedSqlAdapter) -> _View:
        """Return what all statements see; the first one, which *adapter* will run, decides.

        A connection of its own keeps a snapshot until the pool is closed, since a statement that fails ends
        its transaction.
        """
        with self._snapshot_lock:
            if self._view is None:
                self._view = self._taken(adapter)
            return self._view

    def _taken(self, adapter: UnifiedSqlAdapter) -> _View:
        if self._way is OneMoment.ALWAYS:
            return _View(is_one_moment=True)
        is_alone = self._way is OneMoment.ONE_TRANSACTION
        if self._way is OneMoment.NEVER or (is_alone and self.size > 1):
            return _View(is_one_moment=False)
        # First, so that a role that is limited to one connection can still run statements. Only the caller
        # uses this adapter, unlike the others.
        adapter.connect()
        with ExitStack() as opening:
            # A role may be limited to the connections that it has, and a standby may refuse.
            with suppress(WarehouseError):
                self._holder = opening.enter_context(closing(adapter.sibling()))
                session = opening.enter_context(self._holder.session())
                snapshot = session.take_snapshot()
                if snapshot is not None:
                    self._held = opening.pop_all()
                    return _View(snapshot.is_whole, snapshot.name, session if is_alone else None)
            self._holder = None
        return _View(is_one_moment=False)

    def _borrow(self) -> UnifiedSqlAdapter:
        with self._lock:
            # A sibling connects on first use, so the lock is short.
            if self._idle.empty() and len(self._adapters) < self.size:
                adapter = self._adapters[0].sibling()
                self._adapters.append(adapter)
                return adapter
        return self._idle.get()

    def _left(self, sql: str) -> float | None:
        """Return the seconds until the deadline; raise if it has passed or the pool is cancelled."""
        if self._is_cancelled:
            raise QueryCancelled("Query cancelled before it started", sql=sql)
        if self.deadline is None:
            return None
        left = self._left_seconds()
        if left <= 0:
            raise _used_up(sql)
        return left

    def _left_seconds(self) -> float:
        return float("inf") if self.deadline is None else self.deadline - time.monotonic()


def _wait(futures: Sequence[Future[Answer]]) -> None:
    """Wait until all *futures* have ended, or raise the error of the first that fails.

    The wait has a time limit and is repeated: Python may lose a signal that arrives just before a wait
    without one begins.
    """
    is_waiting = True
    while is_waiting:
        done, running = wait(futures, timeout=WAKE_SECONDS, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
        is_waiting = bool(running)


def _stop(futures: Sequence[Future[Answer]], cancel: Callable[[], None]) -> None:
    """Cancel pending *futures*, and repeat *cancel* until the running ones end."""
    for future in futures:
        future.cancel()
    cancel()
    while wait(futures, timeout=REPEAT_SECONDS).not_done:
        cancel()


def _stopped_there(error: WarehouseError, sql: str) -> QueryTimeout:
    """Return the error for a statement that the warehouse stopped without a request from us."""
    return QueryTimeout(
        f"Stopped by the warehouse: {error.message}", hint=STOPPED_THERE, code=error.code, sql=sql
    )


def _used_up(sql: str) -> QueryTimeout:
    return QueryTimeout("The time budget is used up", hint="allow more with --budget", sql=sql)
