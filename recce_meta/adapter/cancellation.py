"""Runs a statement so that it can be stopped: in a thread of its own, while the caller's waits.

The caller's thread stays free to hear Ctrl-C and the clock; a driver that blocks would hear neither. A
request to cancel can come a moment before the statement has begun and be lost, so it is repeated until
the statement ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Generic, Protocol, TypeVar

from recce_meta.errors import QueryCancelled, QueryTimeout, WarehouseError

Result = TypeVar("Result")

WAKE_SECONDS = 0.1
"""How long Ctrl-C can go unheard where waiting for a thread shuts signals out (Windows)."""
REPEAT_SECONDS = 0.2
GIVE_UP_SECONDS = 30.0


class Stoppable(Protocol):
    """What a statement runs on."""

    def cancel(self) -> None:
        """Ask for the running statement to stop; harmless when none runs."""

    def abandon(self) -> None:
        """Never use this again: the statement on it could not be stopped."""


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
        Thread(target=self._run, name="recce_meta statement", daemon=True).start()

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


def run_stoppable(
    function: Callable[[], Result], on: Stoppable, *, timeout: float | None = None, patience: float = 0.0
) -> Result:
    """What *function* gives, unless it runs longer than *timeout* seconds, or Ctrl-C is pressed.

    Where the server keeps the limit itself, *patience* is what it is given beyond the limit before it is
    asked from here. Ctrl-C stops the statement, too, and then passes on as KeyboardInterrupt.
    """
    started = time.monotonic()
    call = _Call(function)
    try:
        if not _wait(call.ended, None if timeout is None else timeout + patience):
            _stop(call.ended, on)
        return call.outcome()
    except KeyboardInterrupt:
        _stop(call.ended, on)
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


def _wait(ended: Event, seconds: float | None) -> bool:
    """Whether the end has come within *seconds*."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while not ended.is_set():
        left = WAKE_SECONDS if deadline is None else min(WAKE_SECONDS, deadline - time.monotonic())
        if left <= 0:
            return False
        ended.wait(left)
    return True


def _stop(ended: Event, on: Stoppable) -> None:
    """Ask for the end until it comes."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while not ended.is_set():
        if time.monotonic() > deadline:
            raise QueryTimeout(
                f"The statement does not stop, {GIVE_UP_SECONDS:g} s after it was asked to",
                hint="it may still run in the warehouse: look there for sessions of recce_meta",
            )
        _ask(on)
        ended.wait(REPEAT_SECONDS)


def _ask(on: Stoppable) -> None:
    try:
        on.cancel()
    except WarehouseError:
        return  # the statement has just ended, or the request was lost: the caller looks, and asks again
