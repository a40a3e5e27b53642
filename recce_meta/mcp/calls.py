"""Calls of tools that run in threads, and can be cancelled: by the client, or by the end of its input."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import partial, wraps
from typing import Any

import anyio
from anyio.to_thread import run_sync

REPEAT_SECONDS = 0.2
"""Pause between requests to cancel; a request that arrives before its statement starts is lost."""
_CALL: ContextVar[_ToolCall | None] = ContextVar("call", default=None)


class _ToolCall:
    """One call, with what stops its statements."""

    def __init__(self) -> None:
        self._cancels: list[Callable[[], None]] = []
        self._is_done = threading.Event()

    def run(self, tool: Callable[..., str], arguments: dict[str, Any]) -> str:
        """Run *tool* in this thread, whose context is that of this call alone."""
        _CALL.set(self)
        try:
            return tool(**arguments)
        finally:
            self._is_done.set()

    def cancel(self) -> None:
        """Stop the statements of the call until it ends."""
        while not self._is_done.wait(REPEAT_SECONDS):
            for cancel in tuple(self._cancels):
                cancel()

    @contextmanager
    def cancelling(self, cancel: Callable[[], None]) -> Iterator[None]:
        """Call *cancel* if the call is cancelled within the block."""
        self._cancels.append(cancel)
        try:
            yield
        finally:
            self._cancels.remove(cancel)


def cancellable(cancel: Callable[[], None]) -> AbstractContextManager[None]:
    """Return a context in which *cancel* is called if the current call is cancelled."""
    call = _CALL.get()
    return nullcontext() if call is None else call.cancelling(cancel)


def in_thread(tool: Callable[..., str]) -> Callable[..., Awaitable[str]]:
    """Return *tool* as a coroutine that leaves its thread as soon as it is cancelled."""

    @wraps(tool)
    async def call(**arguments: Any) -> str:
        running = _ToolCall()
        try:
            return await run_sync(partial(running.run, tool, arguments), abandon_on_cancel=True)
        except anyio.get_cancelled_exc_class():
            # The loop must not wait for a warehouse, and the process not for this thread.
            threading.Thread(target=running.cancel, name="recce_meta cancel", daemon=True).start()
            raise

    return call
