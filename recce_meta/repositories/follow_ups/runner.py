"""Runner of tasks: several at once in each worker, with leases, and with pauses after failures that heal."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError

from recce_meta.errors import (
    ConnectionFailed,
    RecceMetaError,
    StoreLocked,
    TransientFailure,
    WarehouseError,
    first_line,
)
from recce_meta.log_ids import logged_for
from recce_meta.redaction import presentable
from recce_meta.repositories.forges.base import ForgeFailure
from recce_meta.repositories.git.failures import GitFailure
from recce_meta.repositories.git.http import HttpFailure, HttpFailureKind
from recce_meta.repositories.notifications.messages import NotificationFailed
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.tasks import claim_task, end_task, renew_lease, retry_task
from recce_meta.repositories.state.types import Task, TaskKind
from recce_meta.telemetry import TASKS

Handler = Callable[[Task], Awaitable[None]]
"""Does a task, and may be called again for one that was done partly or completely.

A RecceMetaError ends the task, unless a later attempt may succeed.
"""

log = logging.getLogger(__name__)


class TaskSettings(Struct, frozen=True, kw_only=True):
    """Settings of a runner of tasks."""

    at_once: int = 4
    """Number of tasks that a worker does at the same time."""
    lease: timedelta = timedelta(seconds=120)
    """Time after which other workers take over a task of a worker that was killed."""
    delays: Sequence[float] = (10, 60, 300, 900)
    """Seconds before each further attempt; the last is repeated."""
    jitter: float = 0.2
    """Largest share by which a delay is lengthened."""
    patience: timedelta = timedelta(hours=24)
    """Sum of the delays after which a task is not tried again."""


class TaskDelayed(RecceMetaError):
    """A task that cannot be done yet; the next attempt is after *retry_after* seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TaskRefused(RecceMetaError):
    """A task that cannot be done until a person changes something, which is shown where that person looks."""


class TaskRunner:
    """Runner of the tasks that have one of *handlers*; *worker* is its name in leases."""

    def __init__(
        self,
        state: State,
        handlers: Mapping[TaskKind, Handler],
        *,
        worker: str,
        settings: TaskSettings | None = None,
    ) -> None:
        self._state = state
        self._handlers = handlers
        self._worker = worker
        self._settings = settings or TaskSettings()
        self._running: set[asyncio.Task[None]] = set()

    async def begin_due(self) -> None:
        """Begin the tasks that are due, as many as may run at once; do not wait for their ends."""
        self._running = {one for one in self._running if not one.done()}
        while self._handlers and len(self._running) < self._settings.at_once:
            task = await asyncio.to_thread(
                claim_task,
                self._state,
                self._worker,
                lease=self._settings.lease,
                kinds=tuple(self._handlers),
            )
            if task is None:
                return
            self._running.add(asyncio.ensure_future(self._do(task)))

    async def finish(self) -> None:
        """Wait for the ends of the tasks that run."""
        if self._running:
            await asyncio.wait(self._running)

    async def stop(self) -> None:
        """Cancel the tasks that run; other workers do them at once, or after the lease."""
        for one in self._running:
            one.cancel()
        await self.finish()

    async def _do(self, task: Task) -> None:
        """Do *task*, and store its outcome."""
        with logged_for(connection=task.connection_id):
            await self._outcome_stored(task)

    async def _outcome_stored(self, task: Task) -> None:
        work = asyncio.ensure_future(self._handlers[task.kind](task))
        renewal = asyncio.ensure_future(self._renew(task, work))
        try:
            await asyncio.wait([work])
        finally:
            renewal.cancel()
            if not work.done():
                await self._give_back(task, work)
        if work.cancelled():  # another worker has the lease
            return
        # Without a stored outcome, the task is done again after its lease.
        with _logged(task):
            await self._note(task, work.exception())

    async def _give_back(self, task: Task, work: asyncio.Future[None]) -> None:
        """Cancel *work*, and let another worker begin *task* at once."""
        work.cancel()
        await asyncio.wait([work])
        with _logged(task):
            if work.cancelled():
                retry_task(self._state, task, delay=timedelta(0), error="the worker was stopped")
            else:  # it ended at the last moment
                await self._note(task, work.exception())

    async def _renew(self, task: Task, work: asyncio.Future[None]) -> None:
        """Extend the lease while *work* runs, and cancel *work* if another worker has the task."""
        while True:
            await asyncio.sleep(self._settings.lease.total_seconds() / 4)
            with _logged(task):
                if not await asyncio.to_thread(renew_lease, self._state, task, lease=self._settings.lease):
                    work.cancel()
                    return

    async def _note(self, task: Task, error: BaseException | None) -> None:
        """Store that *task* is done, is done again later because of *error*, or has failed for good."""
        if error is None:
            TASKS.count(task.kind.value, "done")
            await asyncio.to_thread(end_task, self._state, task)
            return
        message = _message(error)
        if not can_retry(error) or self._waited(task.attempts) > self._settings.patience.total_seconds():
            # The handler has logged a refusal, once for all attempts and tasks.
            level = logging.DEBUG if isinstance(error, TaskRefused) else logging.WARNING
            log.log(level, "task %s %s failed: %s", task.kind.value, task.key, message)
            if not isinstance(error, RecceMetaError):
                log.debug("the defect of task %s %s", task.kind.value, task.key, exc_info=error)
            TASKS.count(task.kind.value, "failed")
            await asyncio.to_thread(end_task, self._state, task, error=message)
            return
        TASKS.count(task.kind.value, "retried")
        delay = self._delay(task.attempts, getattr(error, "retry_after", None))
        # The first failure is logged, not each attempt of an outage.
        level = logging.INFO if task.attempts == 1 else logging.DEBUG
        log.log(level, "task %s %s waits: %s", task.kind.value, task.key, message)
        await asyncio.to_thread(retry_task, self._state, task, delay=delay, error=message)

    def _delay(self, attempts: int, asked: float | None) -> timedelta:
        """Return the pause after as many *attempts*; a server may have *asked* for a longer one."""
        seconds = max(self._pause(attempts), asked or 0)
        # Tasks that failed together, such as in an outage of the forge, must not return together.
        return timedelta(seconds=seconds * (1 + random.random() * self._settings.jitter))

    def _pause(self, attempts: int) -> float:
        delays = self._settings.delays
        return delays[min(attempts, len(delays)) - 1]

    def _waited(self, attempts: int) -> float:
        """Return the seconds of all pauses before the attempt with the number *attempts*.

        Not the time since the request: a task may be requested long before it is due.
        """
        return sum(map(self._pause, range(1, attempts)))


def can_retry(error: BaseException) -> bool:
    """Return True if a later attempt of a task that raised *error* may succeed."""
    if isinstance(error, (ForgeFailure, GitFailure, NotificationFailed)):
        return error.can_retry
    if isinstance(error, HttpFailure):
        return error.kind is HttpFailureKind.NETWORK
    if isinstance(error, WarehouseError):
        return error.retriable or isinstance(error, (ConnectionFailed, StoreLocked, TransientFailure))
    return isinstance(error, (TaskDelayed, OSError, SQLAlchemyError))


def _message(error: BaseException) -> str:
    """Return a line about *error*, without secrets."""
    if isinstance(error, RecceMetaError):
        return " ".join(error.message.split())
    return f"{type(error).__name__}: {presentable(first_line(error))}"


@contextmanager
def _logged(task: Task) -> Iterator[None]:
    """Log a failure of the state within the block; the lease of *task* ends by itself."""
    try:
        yield
    except (RecceMetaError, SQLAlchemyError) as error:
        log.warning(
            "the outcome of task %s %s is not stored: %s", task.kind.value, task.key, first_line(error)
        )
