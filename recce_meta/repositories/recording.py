"""Recording of extracted runs in target stores, one run at a time for each store of a worker.

Another process may lock the file of a DuckDB store. Then the worker waits, and stops waiting if the job is
cancelled.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext, suppress
from functools import partial
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import ConfigurationError, DatabaseNotFound, StoreLocked, StoreNotFound, did_you_mean
from recce_meta.models import Project, RunMetadata
from recce_meta.models.lineage import Analyse, ColumnGraph, KnownColumns
from recce_meta.store.columns import columns_of
from recce_meta.store.read import run_by_id
from recce_meta.store.session import open_store
from recce_meta.store.write import Guard, RecordResult, record_run

_PIECE = 2.0
"""Seconds of waiting for a lock that cannot be interrupted."""
_NOT_OBJECTS = frozenset(["test", "unit_test", "operation"])
T = TypeVar("T")
AnalyseColumns = Callable[[KnownColumns], Coroutine[Any, Any, ColumnGraph]]
Idle = Callable[[], AbstractAsyncContextManager[None]]
"""Begins a block in which a job computes nothing."""
Claim = Callable[[UnifiedSqlAdapter], Guard]


def object_counts(project: Project) -> dict[str, int]:
    """Return the numbers of objects and of their dependencies; tests and hooks are not objects."""
    nodes = [node for node in project.nodes if node.resource_type not in _NOT_OBJECTS]
    return {"objects": len(nodes), "dependencies": sum(len(node.parents) for node in nodes)}


class Recording(Struct, frozen=True, kw_only=True):
    """A recorded run."""

    result: RecordResult
    columns: int
    """Number of columns of all nodes."""
    column_lineage: int
    """Number of edges between columns."""


class TargetStore(Protocol):
    """Store that runs are recorded in."""

    @property
    def connect(self) -> Callable[[], UnifiedSqlAdapter]:
        """Returns the adapter of the store."""


class TargetStores:
    """Stores of a worker by name. *lock_timeout* is how many seconds a job waits for a locked file."""

    def __init__(self, stores: Mapping[str, TargetStore], *, lock_timeout: float) -> None:
        self._stores = stores
        self._lock_timeout = lock_timeout
        self._locks: dict[str, asyncio.Lock] = {}

    async def find_run(self, name: str, run_id: str) -> RunMetadata | None:
        """Return a run of the store *name*; None if the store or the run does not exist, or it is locked.

        Never waits for a writer. Raises ConfigurationError for an unknown store, and errors of the store.
        """
        with suppress(StoreLocked):
            return await asyncio.to_thread(_with_adapter, self._store(name), partial(_find_run, run_id))
        return None

    async def record(
        self,
        name: str,
        project: Project,
        analyse: AnalyseColumns,
        claim: Claim,
        *,
        idle: Idle = nullcontext,
    ) -> Recording:
        """Record *project* in the store *name*, with its column lineage, which *analyse* computes.

        *claim* is called before with the adapter, and returns the guard of each transaction.
        Both may refuse by an exception. The waits for other writers are blocks of *idle*. Raises errors as
        `find_run` does.
        """
        analysis = _ColumnTask(asyncio.get_running_loop(), analyse)
        return await self._using(name, partial(_record, project, analysis, claim), analysis.stop, idle)

    async def read(
        self, name: str, work: Callable[[UnifiedSqlAdapter], T], stop: Callable[[], None] | None = None
    ) -> T:
        """Return the result of *work*, which only reads, with the adapter of the store *name*.

        Several may run at the same time, each in a thread. If the task is cancelled, *stop* is called until
        the thread ends. Raises errors as `find_run` does.
        """
        return await self._patiently(self._store(name), work, stop or _wait_for_the_end)

    def is_file(self, name: str) -> bool:
        """Return True if the store *name* is a database file. Raises ConfigurationError if it is unknown."""
        return self._store(name).connect().place.file_state() is not None

    async def use(
        self, name: str, work: Callable[[UnifiedSqlAdapter], T], stop: Callable[[], None] | None = None
    ) -> T:
        """Return the result of *work* as `read` does, for work that writes: one at a time for each store."""
        return await self._using(name, work, stop or _wait_for_the_end)

    async def _using(
        self,
        name: str,
        work: Callable[[UnifiedSqlAdapter], T],
        stop: Callable[[], None],
        idle: Idle = nullcontext,
    ) -> T:
        """Return the result of *work* in a thread; if the task is cancelled, call *stop* and wait for it."""
        store = self._store(name)
        # One at a time: concurrent writers of one store would make each other repeat their work.
        lock = self._locks.setdefault(name, asyncio.Lock())
        async with AsyncExitStack() as held:
            async with idle() if lock.locked() else nullcontext():
                await held.enter_async_context(lock)
            return await self._patiently(store, work, stop, idle)

    def _store(self, name: str) -> TargetStore:
        store = self._stores.get(name)
        if store is None:
            raise ConfigurationError(
                f"The store '{name}' of the connection is not one of this worker",
                hint=did_you_mean(name, [*self._stores]) or "start the worker with this store",
            )
        return store

    async def _patiently(
        self,
        store: TargetStore,
        work: Callable[[UnifiedSqlAdapter], T],
        stop: Callable[[], None],
        idle: Idle = nullcontext,
    ) -> T:
        """Return the result of *work*, after a wait if another process locks the file of *store*."""
        deadline = time.monotonic() + self._lock_timeout
        while True:
            running = asyncio.ensure_future(asyncio.to_thread(_with_adapter, store, work))
            try:
                # Without the shield the lock would be free while the thread still writes.
                return await asyncio.shield(running)
            except StoreLocked:
                if time.monotonic() > deadline:
                    raise
                async with idle():
                    await _until_free(store, deadline)
            except asyncio.CancelledError:
                # In a loop: the dispatcher cancels a job again and again until it has ended.
                while not running.done():
                    stop()
                    with suppress(asyncio.CancelledError):
                        await asyncio.wait([running])
                raise


def _wait_for_the_end() -> None:
    """Stop nothing: the work is short."""


class _ColumnTask:
    """Computation of columns on the loop of the worker, for a thread that records."""

    def __init__(self, loop: asyncio.AbstractEventLoop, analyse: AnalyseColumns) -> None:
        self._loop = loop
        self._analyse = analyse
        self._running: concurrent.futures.Future[ColumnGraph] | None = None
        self._is_stopped = False

    def __call__(self, known: KnownColumns) -> ColumnGraph:
        """Return the columns of the project, except for the analyses in *known*."""
        self._running = asyncio.run_coroutine_threadsafe(self._analyse(known), self._loop)
        if self._is_stopped:
            self._running.cancel()
        return self._running.result()

    def stop(self) -> None:
        """Cancel the computation, which then raises in its thread."""
        self._is_stopped = True
        if self._running is not None:
            self._running.cancel()


def _with_adapter(store: TargetStore, work: Callable[[UnifiedSqlAdapter], T]) -> T:
    # A short wait, repeated: between two attempts the job can be cancelled.
    with store.connect().sibling(lock_timeout=_PIECE) as adapter:
        return work(adapter)


async def _until_free(store: TargetStore, deadline: float) -> None:
    """Wait until no other process locks the file of *store*, up to *deadline*."""
    while time.monotonic() < deadline:
        try:
            await asyncio.to_thread(_with_adapter, store, partial(_find_run, ""))
        except StoreLocked:
            continue
        return


def _find_run(run_id: str, adapter: UnifiedSqlAdapter) -> RunMetadata | None:
    try:
        with open_store(adapter) as store:
            return run_by_id(store, run_id)
    except (StoreNotFound, DatabaseNotFound):
        return None


def has_run_of(adapter: UnifiedSqlAdapter, run_ids: Iterable[str], run: RunMetadata) -> bool:
    """Return True if the store has one of *run_ids* with the project and the environment of *run*."""
    try:
        with open_store(adapter) as store:
            found = (run_by_id(store, run_id) for run_id in run_ids)
            return any(
                (one.project_name, one.environment) == (run.project_name, run.environment)
                for one in found
                if one is not None
            )
    except (StoreNotFound, DatabaseNotFound):
        return False


def _record(project: Project, analyse: Analyse, claim: Claim, adapter: UnifiedSqlAdapter) -> Recording:
    guard = claim(adapter)
    # A commit is extracted again when a branch returns to it, or a pull request is reopened.
    result = record_run(adapter, project, analyse=analyse, id_of_contents=True, guard=guard)
    with open_store(adapter) as store:
        columns = columns_of(store, result.run)
    outputs = [output for node in columns.values() for output in node.outputs]
    return Recording(
        result=result,
        columns=len(outputs),
        column_lineage=sum(len(output.sources) for output in outputs),
    )
