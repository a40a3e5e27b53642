"""Runs a call to a server so that it ends: by Ctrl-C, by a limit, or because the network is dead.

The call runs on its own thread. The caller's thread stays free for Ctrl-C and the clock, which a blocking
driver would not notice. A request to cancel can arrive a moment before the statement begins and be lost, so
it is repeated. No thread waits for the answer to such a request, because the network may be dead as well.

A long statement and a dead network look alike on the connection itself. From time to time a new connection
shows whether the server still answers; a statement is given up only if several in a row get no answer.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from enum import Enum, auto
from threading import Event, Thread, current_thread
from typing import Generic, Protocol, TypeVar

from recce_meta.errors import ConnectionLost, QueryCancelled, QueryTimeout, WarehouseError

Result = TypeVar("Result")

WAKE_SECONDS = 0.1
"""How long Ctrl-C can go unheard where waiting for a thread shuts signals out (Windows)."""
REPEAT_SECONDS = 0.2
SILENCE_SECONDS = 1.5
"""How long a server may take to answer anything at all once a statement is to stop."""
REQUEST_SECONDS = 5.0
"""How long a server that answers may take to accept a request to cancel."""
GIVE_UP_SECONDS = 30.0
"""How long a statement may take to stop once the server has accepted the request."""
LOOK_SECONDS = 30.0
"""How long a call runs before a new connection is tried, and the pause after one that was answered."""
LOOK_PATIENCE_SECONDS = 10.0
LOOKS = 3
"""Number of new connections in a row without an answer after which the network counts as dead."""

NO_ANSWER = "no answer"
"""Code of the error of a call to a server that answered no new connection either."""
UNCONFIRMED = "the server did not confirm the request to stop: the statement may still run there"


class Stoppable(Protocol):
    """What a statement runs on."""

    @property
    def is_connected(self) -> bool:
        """Return False while the connection is being opened: nothing runs yet that could be cancelled."""

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
    """Thread of one call. A call within it needs no other one."""


class _Call(Generic[Result]):
    """One call in a thread: its result, or what it raised.

    It tells its end by an event: an interrupted `Thread.join` takes the thread for ended (CPython 3.10 to
    3.12, python/cpython#90882).
    """

    def __init__(self, function: Callable[[], Result]) -> None:
        self._function = function
        self._results: list[Result] = []
        self._error: BaseException | None = None
        self.ended = Event()
        _Caller(target=self._run, name="recce_meta statement", daemon=True).start()

    def _run(self) -> None:
        try:
            self._results.append(self._function())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._error = error
        finally:
            self.ended.set()

    def outcome(self) -> Result:
        """The result; raises what the call raised."""
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


def is_hurried() -> bool:
    """Return True while Ctrl-C is being handled: what is cleaned up then must not wait for a dead network."""
    return isinstance(sys.exc_info()[1], KeyboardInterrupt)


def run_stoppable(
    function: Callable[[], Result], on: Stoppable, *, timeout: float | None = None, patience: float = 0.0
) -> Result:
    """What *function* gives, unless it runs longer than *timeout* seconds, or Ctrl-C is pressed.

    Where the server keeps the limit itself, *patience* is what it is given beyond the limit before it is
    asked from here. Ctrl-C stops the statement, too, and then passes on as KeyboardInterrupt. Raises
    ConnectionLost if the server no longer answers.
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
        is_over = timeout is not None and time.monotonic() - started >= timeout
        if is_over and call.ended.is_set():
            raise QueryTimeout(
                f"Stopped after {timeout:g} s", hint="allow more time", code=error.code, sql=error.sql
            ) from error
        raise
    finally:
        if not call.ended.is_set():
            on.abandon()


def run_briefly(function: Callable[[], None], seconds: float) -> bool:
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
    """Looks at intervals whether the server of a long call still answers new connections."""

    def __init__(self, on: Stoppable) -> None:
        self._on = on
        hurried = is_hurried()
        self._next = time.monotonic() + (0 if hurried else LOOK_SECONDS)
        self._patience = SILENCE_SECONDS if hurried else LOOK_PATIENCE_SECONDS
        self._most = 1 if hurried else LOOKS
        self._look: _Call[bool] | None = None
        self._silences = 0

    def is_lost(self) -> bool:
        """Return True once several new connections in a row got no answer."""
        now = time.monotonic()
        if self._look is None:
            if now >= self._next and self._on.is_connected:
                self._look = _Call(lambda: self._on.answers(self._patience))
        elif self._look.ended.is_set():
            has_answered = self._look.outcome()
            self._silences = 0 if has_answered else self._silences + 1
            self._look = None
            self._next = now + (LOOK_SECONDS if has_answered else REPEAT_SECONDS)
        return self._silences >= self._most


def _wait(ended: Event, seconds: float | None, on: Stoppable) -> _End:
    """Wait for the end, up to *seconds*."""
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
    """Ask for the end until it comes. Return False if it does not come in time."""
    if ended.is_set() or not on.is_connected:
        return ended.is_set()
    began = time.monotonic()
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
        return False  # the statement has just ended, or the request was lost: it is sent again
    return True


def _lost(started: float) -> ConnectionLost:
    seconds = time.monotonic() - started
    return ConnectionLost(
        f"No answer from the server for {seconds:.0f} s, nor to {LOOKS} new connections",
        hint="check the network, then try again; a statement that changes data may have been carried out",
        code=NO_ANSWER,
    )


def _not_stopped(end: _End, on: Stoppable, started: float) -> WarehouseError:
    if end is _End.ASKED:
        message = "Stopped" if on.is_connected else "Stopped while connecting"
        return QueryCancelled(message, hint=UNCONFIRMED if on.is_connected else None)
    return QueryTimeout(
        f"The statement does not stop, {time.monotonic() - started:.0f} s after it began",
        hint="it may still run in the warehouse: look there for sessions of recce_meta",
    )
