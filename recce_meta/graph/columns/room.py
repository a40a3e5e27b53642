"""Room to work in: a deep stack for what recurses, and an end for what cannot be asked to stop.

sqlglot's parser recurses with the text that it reads, and some versions never come back from some broken
texts. So it may run in a thread of its own, with a large stack, that is told to end when the time is over.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

from sqlglot import parser

from recce_meta.graph.columns.context import Deadline

if TYPE_CHECKING:
    from collections.abc import Iterator

IS_COMPILED = not (parser.__file__ or "").endswith(".py")
"""Whether sqlglot's parser is machine code, which no other thread can interrupt."""

_Result = TypeVar("_Result")
_STACK = 512 * 1024 * 1024
"""Bytes; only those that are used are taken from the system."""
_FRAMES = 200_000
_settings = threading.Lock()
"""Stack size and recursion limit belong to the whole process."""


class _TimeIsOver(BaseException):
    """Raised inside a thread that nobody waits for any more; no `except Exception` can hold it up."""


class _Worker(threading.Thread, Generic[_Result]):
    """A thread that keeps what its work returned or raised."""

    def __init__(self, work: Callable[[], _Result]) -> None:
        super().__init__(name="SQL", daemon=True)
        self._work = work
        self._results: list[_Result] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            self._error = error

    def result(self, deadline: Deadline) -> _Result:
        """What the work returned, or SqlNotAnalysed where that comes too late."""
        self.join(deadline.left)
        if self.is_alive():
            _end(self)
            raise deadline.error()
        if self._error is not None:
            raise self._error
        return self._results[0]


def _end(thread: threading.Thread) -> None:
    """Have *thread* end at the next instruction of Python that it comes to."""
    identity = ctypes.c_ulong(thread.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, ctypes.py_object(_TimeIsOver))


def on_deep_stack(work: Callable[[], _Result], deadline: Deadline) -> _Result:
    """What *work* returns, done where recursion has room."""
    with _settings, _deep():
        worker = _Worker(work)
        worker.start()
        return worker.result(deadline)


@contextmanager
def _deep() -> Iterator[None]:
    # A thread takes the size and the limit that hold when it starts.
    frames, size = sys.getrecursionlimit(), threading.stack_size(_STACK)
    sys.setrecursionlimit(max(frames, _FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(frames)
        threading.stack_size(size)


def in_time(work: Callable[[], _Result], deadline: Deadline) -> _Result:
    """What *work* returns; SqlNotAnalysed where it does not by the deadline, and can be interrupted."""
    if deadline.left is None or IS_COMPILED:
        return work()
    worker = _Worker(work)
    worker.start()
    return worker.result(deadline)
