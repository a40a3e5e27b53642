"""Runs a statement so that it can be stopped: in a thread of its own, while the caller's waits.

The caller's thread stays free to hear Ctrl-C and the clock; a driver that blocks would hear neither. A
request to cancel can come a moment before the statement has begun and be lost, so it is repeated until
the statement ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Thread
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
    """One call in a thread: its result, or what it raised."""

    def __init__(self, function: Callable[[], Result]) -> None:
        self._function = function
        self._results: list[Result] = []
        self._error: BaseException | None = None
        self.thread = Thread(target=self._run, name="recce_meta statement", daemon=True)

    def _run(self) -> None:
        try:
            self._results.append(self._function())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._error = error

    def outcome(self) -> Result:
        """The result; raises what the call raised."""
        if self._error is not None:
            raise self._error
        return self._results[0]


def run_stoppable(
    function: Callable[[], Result], on: Stoppable, *, timeout: float | None, patience: float, sql: str
) -> Result:
    """What *function* gives, unless it runs longer than *timeout*, or Ctrl-C is pressed.

    Where the server keeps the limit itself, *patience* is what it is given beyond the limit before it is
    asked from here. Ctrl-C stops the statement, too, and then passes on as KeyboardInterrupt.
    """
    call = _Call(function)
    started = time.monotonic()
    call.thread.start()
    try:
        _wait(call.thread, None if timeout is None else timeout + patience)
        if call.thread.is_alive():
            _stop(call.thread, on)
        return call.outcome()
    except KeyboardInterrupt:
        _stop(call.thread, on)
        raise
    except QueryCancelled as error:
        if timeout is not None and time.monotonic() - started >= timeout:
            raise QueryTimeout(
                f"Stopped after {timeout:g} s",
                hint="allow more time, or ask for less",
                code=error.code,
                sql=sql,
            ) from error
        raise
    finally:
        if call.thread.is_alive():
            on.abandon()


def _wait(thread: Thread, seconds: float | None) -> None:
    deadline = None if seconds is None else time.monotonic() + seconds
    while thread.is_alive():
        left = WAKE_SECONDS if deadline is None else min(WAKE_SECONDS, deadline - time.monotonic())
        if left <= 0:
            return
        thread.join(left)


def _stop(thread: Thread, on: Stoppable) -> None:
    """Ask for the end of what runs until it ends."""
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while thread.is_alive():
        if time.monotonic() > deadline:
            raise QueryTimeout(
                f"The statement does not stop, {GIVE_UP_SECONDS:g} s after it was asked to",
                hint="it may still run in the warehouse: look there for sessions of recce_meta",
            )
        _ask(on)
        thread.join(REPEAT_SECONDS)


def _ask(on: Stoppable) -> None:
    try:
        on.cancel()
    except WarehouseError:
        return  # the statement has just ended, or the request was lost: the caller looks, and asks again
