"""Cancellation of blocking calls to a server: by Ctrl-C, by a time limit, or because the network is dead.

The call runs on its own thread. The caller's thread stays free for Ctrl-C and the clock, which a blocking
driver would not notice. A request to cancel can arrive a moment before the statement begins and be lost, so
it is repeated. No thread waits for the answer to such a request, because the network may be dead as well.

A long statement and a dead network look alike on the connection itself. From time to time a new connection
shows whether the server still answers; a statement is given up only if several in a row get no answer.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum, auto
from math import isfinite
from threading import Event, Thread, current_thread
from typing import Generic, Protocol, TypeVar

from recce_meta.errors import (
    ConnectionLost,
    QueryCancelled,
    QueryTimeout,
    TransientFailure,
    UsageError,
    WarehouseError,
)

Result = TypeVar("Result")

WAKE_SECONDS = 0.1
"""Longest delay of Ctrl-C: waiting for a thread blocks signals on Windows, and elsewhere loses one that
arrives just before the wait begins."""
REPEAT_SECONDS = 0.2
SILENCE_SECONDS = 1.5
"""How long a server may take to answer anything at all once a statement is to stop."""
REQUEST_SECONDS = 5.0
"""How long a server that answers may take to accept a request to cancel."""
GIVE_UP_SECONDS = 30.0
"""How long a statement may take to stop once the server has accepted the request."""
LOOK_SECONDS = 30.0
"""How long a call runs before a new connection is tried, and the pause after an answered connection."""
LOOK_PATIENCE_SECONDS = 10.0
LOOKS = 3
"""Number of new connections in a row without an answer after which the network counts as dead."""

SHORT_LOOK_SECONDS = 10.0
"""The same time in the block of `impatient`, so that a silent server counts as lost after about 40 s."""

NO_ANSWER = "no answer"
"""Error code of a call to a server that does not answer new connections either."""
UNCONFIRMED = "the server did not confirm the cancel request: the statement may still run there"


class Stoppable(Protocol):
    """Connection whose running statement can be stopped."""

    @property
    def is_connected(self) -> bool:
        """Return False while the connection is being opened: nothing can be cancelled yet."""

    @property
    def is_asked_to_stop(self) -> bool:
        """Return True if another thread has asked for the statement to stop."""

    def send_cancel(self) -> None:
        """Ask the server to stop the running statement; harmless when none runs."""

    def answers(self, seconds: float) -> bool:
        """Return False if the server does not answer a new connection within *seconds*."""

    def abandon(self) -> None:
        """Never use this again: the statement on it could not be stopped."""


class _Caller(Thread):
    """Thread of one call. A call within it needs no further thread."""


class _Call(Generic[Result]):
    """One call in a thread, with its result or error.

    An event marks its end: an interrupted `Thread.join` considers the thread ended (CPython 3.10 to 3.12,
    python/cpython#90882).
    """

    def __init__(self, function: Callable[[], Result]) -> None:
        self._function = function
        self._results: list[Result] = []
        self._error: BaseException | None = None
        self.ended = Event()
        # A thread that hangs in a dead network must not stop the process from ending.
        _Caller(target=self._run, name="recce_meta statement", daemon=True).start()

    def _run(self) -> None:
        try:
            self._results.append(self._function())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._error = error
        finally:
            self.ended.set()

    def outcome(self) -> Result:
        """Return the result of the call, or raise its error."""
        if self._error is not None:
            raise self._error
        return self._results[0]


class _End(Enum):
    """Reason why waiting for a call ended."""

    DONE = auto()
    LATE = auto()
    ASKED = auto()
    LOST = auto()


def is_within_call() -> bool:
    """Return True in the thread of a call."""
    return isinstance(current_thread(), _Caller)


_IS_IMPATIENT: ContextVar[bool] = ContextVar("a silent server counts as lost sooner", default=False)


@contextmanager
def impatient() -> Iterator[None]:
    """Give up a silent server sooner within the block: a job of the user waits for its end."""
    token = _IS_IMPATIENT.set(True)
    try:
        yield
    finally:
        _IS_IMPATIENT.reset(token)


def is_impatient() -> bool:
    """Return True in the block of `impatient`."""
    return _IS_IMPATIENT.get()


def is_hurried() -> bool:
    """Return True while Ctrl-C is being handled: clean-up must then not wait for a dead network."""
    return isinstance(sys.exc_info()[1], KeyboardInterrupt)


def run_stoppable(
    function: Callable[[], Result], on: Stoppable, *, timeout: float | None = None, patience: float = 0.0
) -> Result:
    """Return the result of *function*; stop it after *timeout* seconds or on Ctrl-C.

    If the server enforces the limit itself, it gets *patience* extra seconds before we cancel the statement.
    Ctrl-C stops the statement and is raised again as KeyboardInterrupt. Raises ConnectionLost if the server
    no longer answers.
    """
    if is_within_call():
        return function()  # stoppable as a whole
    started = time.monotonic()
    call = _Call(function)
    try:
        end = _wait(call.ended, None if timeout is None else timeout + patience, on)
        if end is _End.LOST:
            raise _lost(started)
        if end is not _End.DONE and not _stop(call.ended, on):
            raise _not_stopped(end, on, started)
        return call.outcome()
    except KeyboardInterrupt as interrupt:
        if not _stop(call.ended, on) and on.is_connected:
            interrupt.args = (UNCONFIRMED,)
        raise
    except (QueryCancelled, QueryTimeout) as error:
        # A limit of the server raises the same error as a cancel request: only the clock distinguishes them.
        is_over = timeout is not None and time.monotonic() - started >= timeout
        if is_over and call.ended.is_set():
            raise QueryTimeout(
                f"Query stopped after {timeout:g} s", hint="allow more time", code=error.code, sql=error.sql
            ) from error
        raise
    finally:
        # A call that still runs would share the connection with the next statement.
        if not call.ended.is_set():
            on.abandon()


def run_for_seconds(function: Callable[[], None], seconds: float) -> bool:
    """Return True if *function* ends within *seconds*; its thread is left alone if it does not."""
    if is_within_call():
        function()
        return True
    call = _Call(function)
    deadline = time.monotonic() + seconds
    while not call.ended.wait(WAKE_SECONDS):
        if time.monotonic() > deadline:
            return False
    call.outcome()
    return True


class _Watch:
    """Periodic check that the server of a long call still answers new connections."""

    def __init__(self, on: Stoppable) -> None:
        self._on = on
        hurried = is_hurried()
        self._pause = SHORT_LOOK_SECONDS if is_impatient() else LOOK_SECONDS
        self._next = time.monotonic() + (0 if hurried else self._pause)
        self._patience = SILENCE_SECONDS if hurried else LOOK_PATIENCE_SECONDS
        self._most = 1 if hurried else LOOKS
        self._look: _Call[bool] | None = None
        self._silences = 0

    def is_lost(self) -> bool:
        """Return True once several new connections in a row got no answer."""
        now = time.monotonic()
        # The new connection is tried on its own thread, so that Ctrl-C and the clock stay responsive.
        if self._look is None:
            if now >= self._next and self._on.is_connected:
                self._look = _Call(lambda: self._on.answers(self._patience))
        elif self._look.ended.is_set():
            has_answered = self._look.outcome()
            self._silences = 0 if has_answered else self._silences + 1
            self._look = None
            self._next = now + (self._pause if has_answered else REPEAT_SECONDS)
        return self._silences >= self._most


def _wait(ended: Event, seconds: float | None, on: Stoppable) -> _End:
    """Wait up to *seconds* for the call to end; return why waiting ended."""
    deadline = None if seconds is None else time.monotonic() + seconds
    watch = _Watch(on)
    while not ended.is_set():
        left = WAKE_SECONDS if deadline is None else min(WAKE_SECONDS, deadline - time.monotonic())
        if left <= 0:
            return _End.LATE
        if on.is_asked_to_stop:
            return _End.ASKED
        if watch.is_lost():
            return _End.LOST
        ended.wait(left)
    return _End.DONE


def _stop(ended: Event, on: Stoppable) -> bool:
    """Request cancellation until the call ends. Return False if it does not end in time."""
    if ended.is_set() or not on.is_connected:
        return ended.is_set()
    began = time.monotonic()
    # Both start at once: a server that answers may take longer to accept the request.
    look = _Call(lambda: on.answers(SILENCE_SECONDS))
    request = _Call(on.send_cancel)
    is_accepted = False
    while not ended.wait(REPEAT_SECONDS):
        if request.ended.is_set():
            is_accepted = is_accepted or _is_accepted(request)
            request = _Call(on.send_cancel)
        is_alive = is_accepted or (look.ended.is_set() and look.outcome())
        most = GIVE_UP_SECONDS if is_accepted else REQUEST_SECONDS if is_alive else SILENCE_SECONDS
        if time.monotonic() - began > most:
            return False
    return True


def _is_accepted(request: _Call[None]) -> bool:
    try:
        request.outcome()
    except WarehouseError:
        return False  # the statement has just ended, or the request was lost; the caller repeats it
    return True


def _lost(started: float) -> ConnectionLost:
    seconds = time.monotonic() - started
    return ConnectionLost(
        f"Connection lost: no answer for {seconds:.0f} s, and none to {LOOKS} new connections",
        hint="check the network and whether a statement that changes data was executed, then try again",
        code=NO_ANSWER,
    )


def _not_stopped(end: _End, on: Stoppable, started: float) -> WarehouseError:
    if end is _End.ASKED:
        message = "Query cancelled" if on.is_connected else "Connecting cancelled"
        return QueryCancelled(message, hint=UNCONFIRMED if on.is_connected else None)
    return QueryTimeout(
        f"Query did not stop {time.monotonic() - started:.0f} s after it started",
        hint="check the warehouse for running sessions of recce_meta",
    )


def refuse_odd_timeout(timeout: float | None) -> None:
    """Raise UsageError if *timeout* is neither None nor a number of seconds above 0."""
    if timeout is not None and not isfinite(timeout):
        raise UsageError(
            f"timeout must be a finite number of seconds, got {timeout}", hint="pass None for no limit"
        )
    if timeout is not None and timeout <= 0:
        raise UsageError(f"timeout must be greater than 0 seconds, got {timeout:g}")


ATTEMPTS = 4
RETRY_SECONDS = 30.0
"""Time after which a statement that waited for a lock is not tried again."""
LOCK_TIMEOUT = "55P03"
"""Code of PostgreSQL for a statement that waited too long for a lock."""
FIRST_PAUSE_SECONDS = 0.1
"""Doubled after each attempt, and randomly shortened by up to a half so that conflicting writers separate."""


def retry(
    work: Callable[[float | None], Result], *, only_reads: Callable[[], bool], timeout: float | None = None
) -> Result:
    """Return the result of *work*, retried up to `ATTEMPTS` times after a transient failure.

    *timeout* limits all attempts together; *work* receives the remaining seconds. *only_reads* is called if
    it is unknown whether the work was done.
    """
    started = time.monotonic()
    left = timeout
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return work(left)
        except (TransientFailure, ConnectionLost) as error:
            pause = FIRST_PAUSE_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)
            if timeout is not None:
                left = timeout - (time.monotonic() - started) - pause
            is_late = left is not None and left <= 0
            has_waited = error.code == LOCK_TIMEOUT and time.monotonic() - started > RETRY_SECONDS
            is_late = is_late or error.code == NO_ANSWER or has_waited
            if attempt == ATTEMPTS or is_late or not (error.retriable or only_reads()):
                raise
            time.sleep(pause)
    raise AssertionError("unreachable")
