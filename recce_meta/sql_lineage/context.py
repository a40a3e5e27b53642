"""Context of one analysis: its deadline, its thread, and the state that all parts of the resolver share.

sqlglot's parser recurses with the nesting of the text, and some versions never return on some invalid texts.
It therefore runs on a worker thread with a large stack and a hard timeout if needed.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Generic, TypeVar

from sqlglot import parser

from recce_meta.errors import SqlNotAnalysed
from recce_meta.provisional import note_provisional
from recce_meta.sql_lineage.names import Folding, Tables
from recce_meta.sql_lineage.query import Query
from recce_meta.sql_lineage.references import ColumnReferences
from recce_meta.sql_lineage.scope import Ctes, Lookup, Scope
from recce_meta.warehouses.types import Sql

if TYPE_CHECKING:
    from collections.abc import Iterator

Resolve = Callable[[Sql, Ctes, "Scope | None"], Query]


class Deadline:
    """Deadline for one analysis; `check` raises once it has passed. No deadline if *timeout* is None."""

    def __init__(self, timeout: float | None) -> None:
        self.timeout = timeout
        self._end = None if timeout is None else time.monotonic() + timeout

    def check(self) -> None:
        """Raise SqlNotAnalysed if the deadline has passed."""
        if self._end is not None and time.monotonic() > self._end:
            raise self.error()

    def error(self) -> SqlNotAnalysed:
        """Return the error for a passed deadline."""
        note_provisional()
        return SqlNotAnalysed(f"no result within {self.timeout:g} s")

    @property
    def left(self) -> float | None:
        """Return the seconds left."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())


class Context:
    """Dialect rules, known tables, and the callback into the resolver for nested queries."""

    def __init__(self, dialect: str, tables: Tables, deadline: Deadline, sql: str) -> None:
        self.dialect = dialect
        self.may_choose = "columns" in sql.lower()
        """Whether *sql*, the text of the statements, may call `COLUMNS(…)`."""
        self.folding = Folding(dialect)
        self.tables = tables
        self.lookup = Lookup(dialect)
        self.deadline = deadline
        self.names = ColumnReferences()
        self.resolve: Resolve
        """Set by `resolve.Resolver`; resolves nested queries."""


IS_COMPILED = not (parser.__file__ or "").endswith(".py")
"""Whether sqlglot's parser is machine code, which another thread cannot interrupt."""

_Result = TypeVar("_Result")
_STACK = 512 * 1024 * 1024
"""Bytes; the system allocates only those that are used."""
_FRAMES = 200_000
_settings = threading.Lock()
"""Stack size and recursion limit belong to the whole process."""


class _WorkerAbandoned(BaseException):
    """Injected into an abandoned worker thread; a BaseException so `except Exception` does not catch it."""


class _Worker(threading.Thread, Generic[_Result]):
    """A thread that stores what its work returned or raised."""

    def __init__(self, work: Callable[[], _Result]) -> None:
        # A daemon, because an abandoned thread that never returns must not keep the process alive.
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
        """Return the result of the work. Raise SqlNotAnalysed if it comes too late."""
        self.join(deadline.left)
        if self.is_alive():
            _interrupt(self)
            raise deadline.error()
        if self._error is not None:
            raise self._error
        return self._results[0]


def _interrupt(thread: threading.Thread) -> None:
    """Make *thread* stop at its next Python instruction.

    Python drops what is raised in a finalizer or a callback of the garbage collector, and the thread would
    go on. So this waits, within a second, until the thread is in code that analyses. It is still there
    when it is interrupted, because threads change places only where Python also raises the exception.
    """
    for _ in range(100):
        frame = sys._current_frames().get(thread.ident or 0)
        if frame is None or frame.f_globals.get("__name__", "").startswith(("sqlglot", "recce_meta.")):
            break
        thread.join(0.01)
    # The C function takes an unsigned long. ctypes would pass a Python int as a shorter C int.
    identity = ctypes.c_ulong(thread.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(identity, ctypes.py_object(_WorkerAbandoned))


def run_on_deep_stack(work: Callable[[], _Result], deadline: Deadline) -> _Result:
    """Return the result of *work*, run with a deep stack."""
    # The lock is held until the work ends, because another thread would reset the recursion limit.
    with _settings, _deep():
        worker = _Worker(work)
        worker.start()
        return worker.result(deadline)


@contextmanager
def _deep() -> Iterator[None]:
    # A thread uses the stack size and limit at its start.
    frames, size = sys.getrecursionlimit(), threading.stack_size(_STACK)
    sys.setrecursionlimit(max(frames, _FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(frames)
        threading.stack_size(size)


def run_with_timeout(work: Callable[[], _Result], deadline: Deadline) -> _Result:
    """Return the result of *work*. Raise SqlNotAnalysed on a timeout if the work can be interrupted."""
    # Compiled code reaches no Python instruction at which a thread could be interrupted.
    if deadline.left is None or IS_COMPILED:
        return work()
    worker = _Worker(work)
    worker.start()
    return worker.result(deadline)
