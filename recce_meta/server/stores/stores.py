"""Stores that the server reads: connections, private copies of database files, and caches.

A server is read over a pool of read-only connections. A database file is never kept open, because a reader
would exclude writers: the server copies the file when it has changed, and reads the copy. One thread copies;
meanwhile the others read the previous copy.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from typing import NamedTuple, TypeVar

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.pool import Pool
from recce_meta.api.browse.diffs import SuggestedPair, suggested_pairs
from recce_meta.api.browse.overview import StoreOverview, store_overview
from recce_meta.api.browse.search import (
    SearchIndex,
    load_index,
)
from recce_meta.api.caches import LruCache, memory_of
from recce_meta.api.diff import diff, diff_key
from recce_meta.api.kept_diffs import KeptDiffs
from recce_meta.api.run_reader import StoredRunReader
from recce_meta.errors import (
    QueryCancelled,
    QueryTimeout,
    RecceMetaError,
    RunNotFound,
    StoreError,
    StoreLocked,
    UsageError,
)
from recce_meta.models import LineageEdge, NodeMetadata, RunDiff, RunMetadata
from recce_meta.report.addresses import Addresses
from recce_meta.server.access.problems import RequestStopped, StopRequest, StoreBusy
from recce_meta.server.access.scopes import READ_ONLY, Permissions
from recce_meta.server.stores.queries import QueryManager, QuerySettings
from recce_meta.store.change_counter import change_counter
from recce_meta.store.read import list_runs
from recce_meta.store.select import resolve_run
from recce_meta.temporary import temporary_folder

log = logging.getLogger(__name__)

CONNECTIONS = 8
"""Largest number of connections to one store."""
FILE_CONNECTIONS = 4
"""Largest number of connections to a copy of a database file, which this process reads itself."""
SECONDS = 30.0
"""Time limit of a request on the store."""
BUSY_SECONDS = 10.0
"""Time to wait for a connection."""
COPY_PAUSE = 4.0
"""Pause after a copy, as a multiple of its duration, for files that change all the time."""
KNOWN_SECONDS = 1.0
"""Time for which the change counter of a store on a server is not asked again."""
STATE_SECONDS = 0.2
"""Time for which the state of a database file is not asked again for pages in memory."""
RUNS_LOOKED_AT = 200
"""Number of the newest runs in which pairs to prepare are searched for."""
PREPARING_SECONDS = 30.0
"""Time after which no further pair is prepared."""
GRAPHS = 8
"""Number of graphs whose names and edges stay in memory."""
RUN_BYTES = 4 * 2**20
"""Size of the resolved selectors that stay in memory, about a thousand."""
RESULT_BYTES = 24 * 2**20
"""Size of the diffs, impacts and other results that stay in memory."""
PLACE_BYTES = 8 * 2**20
"""Size of the positions of nodes in graphs that stay in memory, even if the store changes."""


Value = TypeVar("Value")


class Graph(NamedTuple):
    """Nodes and edges of a run, which never change."""

    names: Mapping[str, NodeMetadata]
    """Nodes by unique id, as in `StoredRunReader.names`: without code, columns and config."""
    edges: tuple[LineageEdge, ...]
    children: Mapping[str, tuple[str, ...]]
    parents: Mapping[str, tuple[str, ...]]


@dataclass
class _Generation:
    """Connections to one state of a store: the server's, or one copy of a file."""

    pool: Pool
    version: Hashable
    """State of the copied file; None for a server."""
    read_at: datetime | None
    """Time of the copy; None for a server, which is always current."""
    opened: ExitStack
    source: UnifiedSqlAdapter
    """Adapter of the server, or of the copy; it is not connected."""
    users: int = 0
    is_retired: bool = False
    slots: threading.BoundedSemaphore = field(init=False)
    """One slot for each connection of the pool."""

    def __post_init__(self) -> None:
        self.slots = threading.BoundedSemaphore(self.pool.size)

    def retire(self) -> bool:
        """Let the last user close this; return True if there is none."""
        self.is_retired = True
        return not self.users

    def close(self) -> None:
        """Close the connections, and remove the copy."""
        self.pool.close()
        self.opened.close()


class _Failure(NamedTuple):
    """Last failure to open the store, which requests that waited for it share."""

    at: float
    error: RecceMetaError


class Store:
    """One store; any number of threads may use it."""

    def __init__(
        self,
        name: str,
        connect: Callable[[], UnifiedSqlAdapter],
        *,
        connections: int = CONNECTIONS,
        seconds: float = SECONDS,
        permissions: Permissions = READ_ONLY,
        settings: QuerySettings | None = None,
    ) -> None:
        """Create the store called *name*, of the adapter that *connect* returns.

        *connections* limits the concurrent statements, and *seconds* the time of each request.
        *permissions* has what users may do in addition to reading it.
        """
        self.name, self.seconds = name, seconds
        self.permissions = permissions
        self._connect = connect
        self._connections = connections
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        """Held by the thread that connects or copies; others use the previous generation meanwhile."""
        self._generation: _Generation | None = None
        self._source: UnifiedSqlAdapter | None = None
        self._failure: _Failure | None = None
        self._known: tuple[float, Hashable] = (0.0, None)
        self._next_copy = 0.0
        self._stops: set[StopRequest] = set()
        self._asking = threading.Lock()
        self.indexing = threading.Lock()
        """Held by the thread that builds an index for the search."""
        self.graphs = LruCache(GRAPHS)
        self.runs = LruCache(RUN_BYTES, memory_of)
        self.results = LruCache(RESULT_BYTES, memory_of)
        self.places = LruCache(PLACE_BYTES, memory_of)
        self.diffs = KeptDiffs(saves=permissions.writes)
        self.on_change: Callable[[], None] | None = None
        """Called when a request finds the store changed."""
        self._seen: Hashable = None
        self.queries = QueryManager(self, settings)
        """Data diffs and queries that users start."""

    @contextmanager
    def view(self, stop: StopRequest | None = None) -> Iterator[StoreView]:
        """Yield the store for one request; statements end after the time limit, and when *stop* is asked.

        Raises StoreNotFound without a store, StoreOutdated for an older one, StoreBusy if all connections
        stay in use, QueryTimeout after the time limit, RequestStopped after *stop*, and the errors of
        connecting.
        """
        generation = self._enter()
        # The generation is held for the whole request: its copy must not be removed meanwhile.
        try:
            # The pool itself would wait without a limit.
            if not generation.slots.acquire(timeout=BUSY_SECONDS):
                raise StoreBusy("All connections to the store are in use", hint="try again in a moment")
            try:
                with generation.pool.connection() as adapter, self._limited(adapter, stop or StopRequest()):
                    version = self._version(generation, adapter)
                    if self.on_change is not None and version != self._seen:
                        self._seen = version
                        self.on_change()
                    yield StoreView(self, adapter, generation.read_at, version)
            finally:
                generation.slots.release()
        finally:
            self._leave(generation)

    def answered(self, ask: Callable[[StoreView], Value], stop: StopRequest | None = None) -> Value:
        """Return what *ask* returns for the store; a run that the copy of a file lacks is read from the file.

        Raises as `view` does, and what *ask* raises.
        """
        try:
            with self.view(stop) as view:
                return ask(view)
        except RunNotFound:
            # Copies pause while a file changes all the time, but a link to a new run is followed at once.
            if view.version == self._opened_source().place.file_state() or view.read_at is None:
                raise
            self._next_copy = 0.0
            with self.view(stop) as view:
                return ask(view)

    @contextmanager
    def data(self) -> Iterator[UnifiedSqlAdapter]:
        """Yield a new connection to the data in the store's database, for queries of users: it only reads.

        Of a database file, it reads the private copy, so that it never excludes a writer.
        """
        with ExitStack() as opened:
            generation = self._enter()
            try:
                adapter = generation.source
                if generation.version is not None:
                    # A link: the data outlive the generation that copied them, and nothing is copied again.
                    adapter = adapter.linked(opened.enter_context(temporary_folder()))
            finally:
                self._leave(generation)
            # Not from the pool: queries of users may take an hour, and pages need its connections.
            yield opened.enter_context(adapter.guarded())

    def default_threads(self) -> int:
        """Return the number of concurrent statements of the profile."""
        return self._opened_source().threads

    @contextmanager
    def writing(self) -> Iterator[UnifiedSqlAdapter]:
        """Yield a connection that may write; the pages that are requested afterwards show what it wrote.

        Raises StoreLocked if another process keeps a database file locked.
        """
        source = self._opened_source()
        # A connection of its own, because those of the pool only read.
        with source.sibling(lock_timeout=BUSY_SECONDS) as adapter:
            yield adapter
        # The author of a review must see it on the next page, so nothing that is remembered counts.
        self._known, self._next_copy = (0.0, None), 0.0
        # Copied by the writer at once; if another thread copies for long, the next page copies again.
        if source.place.file_state() is not None and self._opening.acquire(timeout=BUSY_SECONDS):
            try:
                self._leave(self._refreshed(source, time.monotonic()))
            finally:
                self._opening.release()

    def connections(self) -> tuple[int, int]:
        """Return the number of connections that requests use, and their limit."""
        if (generation := self._generation) is None:
            return 0, self._connections
        return min(generation.users, generation.pool.size), generation.pool.size

    def known_version(self) -> Hashable | None:
        """Return the change counter without asking the store; None if it was not asked a moment ago."""
        generation, (asked, version) = self._generation, self._known
        if generation is None or version is None:
            return None
        # The state of a file costs a call of the system, the counter of a server a statement.
        seconds = KNOWN_SECONDS if generation.version is None else STATE_SECONDS
        return version if time.monotonic() - asked <= seconds else None

    def stop(self) -> None:
        """Stop all running statements."""
        with self._lock:
            running = list(self._stops)
        for one in running:
            one.ask()

    def close(self) -> None:
        """Close all connections, and remove the copy of a file, once its last request ends."""
        self.queries.close()
        with self._lock:
            generation, self._generation = self._generation, None
            source, self._source = self._source, None
            is_unused = generation is not None and generation.retire()
        if generation is not None and is_unused:
            generation.close()
        if source is not None:
            source.close()

    def _enter(self) -> _Generation:
        """Return the current generation, which stays open until `_leave`."""
        began = time.monotonic()
        source = self._opened_source()
        state = source.place.file_state()
        with self._lock:
            generation = self._generation
            if generation is not None:
                # A file that changes all the time would otherwise be copied for every page.
                is_fresh = generation.version == state or began < self._next_copy
                if is_fresh or not self._opening.acquire(blocking=False):
                    if generation.version is not None:
                        # For `known_version`, which answers pages in memory without this lock.
                        self._known = (began, generation.version)
                    generation.users += 1
                    return generation
        # The first requests have no previous copy to read, so they wait for the thread that makes it.
        if generation is None and not self._opening.acquire(timeout=BUSY_SECONDS):
            raise StoreBusy("The store does not answer", hint="try again in a moment")
        try:
            return self._refreshed(source, began)
        finally:
            self._opening.release()

    def _opened_source(self) -> UnifiedSqlAdapter:
        with self._lock:
            if self._source is None:
                try:
                    self._source = self._connect()
                except UsageError as error:  # the server was started with it: no address is wrong
                    raise StoreError(error.message, hint=error.hint) from error
            return self._source

    def _refreshed(self, source: UnifiedSqlAdapter, began: float) -> _Generation:
        """Return a generation for the present state; the last one if a process writes to the file."""
        last = self._generation
        state = source.place.file_state()
        # The thread that held the lock before may have opened this state.
        if last is None or last.version != state:
            # Requests that waited for a failure share it: each would otherwise wait for its own time limit.
            if last is None and self._failure is not None and self._failure.at >= began:
                raise self._failure.error
            try:
                self._install(self._open(source, state, may_wait=last is None))
            except StoreLocked as error:
                # A previous copy is older, but better than an error while a process writes.
                if last is None:
                    self._failure = _Failure(time.monotonic(), error)
                    raise
            except RecceMetaError as error:
                self._failure = _Failure(time.monotonic(), error)
                raise
        with self._lock:
            found = self._generation
            assert found is not None
            found.users += 1
            return found

    def _open(self, source: UnifiedSqlAdapter, state: Hashable, *, may_wait: bool) -> _Generation:
        """Return a new generation; with *may_wait*, a file that a process writes to is tried again."""
        with ExitStack() as opened:
            if state is None:
                # A server: its connections see every write, so one generation lasts.
                base, adapter, read_at = source, source.reader(source.schema), None
            else:
                folder = opened.enter_context(temporary_folder())
                began, read_at = time.monotonic(), datetime.now(timezone.utc)
                copy = source.snapshot(folder, BUSY_SECONDS / 2 if may_wait else 0.0)
                self._next_copy = time.monotonic() + COPY_PAUSE * (time.monotonic() - began)
                base, adapter = copy, copy.reader(copy.schema)
            # If the first query fails, the connection and the copy must not stay behind.
            opened.callback(adapter.close)
            with self._limited(adapter, StopRequest()):
                # Raises without a store of the right version: such a generation is never installed.
                change_counter(adapter)
            # The state is older than the copy: a write between them only causes another copy.
            threads = self._connections if state is None else min(self._connections, FILE_CONNECTIONS)
            return _Generation(Pool(adapter, threads), state, read_at, opened.pop_all(), base)

    def _install(self, made: _Generation) -> None:
        with self._lock:
            last, self._generation = self._generation, made
            self._known = (0.0, None)
            is_unused = last is not None and last.retire()
        # Their keys have the previous version, so they would only use up memory.
        self.results.clear()
        if last is not None and is_unused:
            last.close()

    def _leave(self, generation: _Generation) -> None:
        with self._lock:
            generation.users -= 1
            is_last = generation.is_retired and not generation.users
        if is_last:
            generation.close()

    def _version(self, generation: _Generation, adapter: UnifiedSqlAdapter) -> Hashable:
        """Return the change counter of the store: the state of a file, or the time of the last write."""
        if generation.version is not None:
            return generation.version
        known = self.known_version()
        if known is None:
            # One statement answers all requests that need the counter now.
            with self._asking:
                known = self.known_version()
                if known is None:
                    # The age counts from before the statement: a write during it may be missing.
                    asked, known = time.monotonic(), change_counter(adapter)
                    self._known = (asked, known)
        return known

    @contextmanager
    def _limited(self, adapter: UnifiedSqlAdapter, stop: StopRequest) -> Iterator[None]:
        """Stop the statements of *adapter* after the time limit, and when *stop* is asked."""
        with self._lock:
            self._stops.add(stop)
        watching = threading.Thread(target=stop.watch, args=(adapter, self.seconds), daemon=True)
        watching.start()
        try:
            yield
        except QueryCancelled as error:
            # A driver raises one error for all causes of a cancelled statement.
            if stop.is_asked:
                raise RequestStopped("The request was stopped", hint="try again") from error
            if stop.is_late:
                raise QueryTimeout(
                    f"The store did not answer within {self.seconds:g} seconds",
                    hint="narrow the question, or try again",
                ) from error
            raise
        finally:
            stop.end()
            watching.join()  # a late request to cancel must not reach the next user of the connection
            with self._lock:
                self._stops.discard(stop)


@dataclass(frozen=True)
class StoreView:
    """A store during one request: a connection that only reads, and what is cached."""

    store: Store
    adapter: UnifiedSqlAdapter
    read_at: datetime | None
    """Time of the copy of a database file; None for a server, which is always current."""
    version: Hashable
    """Change counter: it differs after every write to the store."""
    to: Addresses = field(init=False)
    """Addresses of the store's pages."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "to", Addresses(self.store.name))

    def connect(self) -> UnifiedSqlAdapter:
        """Return `adapter`, for functions of `api` that connect on demand."""
        return self.adapter

    def run(self, selector: str, project: str | None = None) -> RunMetadata:
        """Return the run that *selector* names. Raises RunNotFound or SelectorError."""
        return self.store.runs.get_or_build(
            (self.version, selector, project),
            lambda: resolve_run(self.adapter, selector, project=project),
        )

    def reader(self, run: RunMetadata) -> StoredRunReader:
        """Return a reader of *run* whose names and edges are those of `graph`."""
        return _ViewReader(self, run)

    def graph(self, run: RunMetadata) -> Graph:
        """Return nodes and edges of *run*, from the cache if they are there."""
        # By the graph's id, which is a digest: runs of unchanged code share one entry.
        return self.store.graphs.get_or_build(run.graph_id, lambda: self._graph(run))

    def _graph(self, run: RunMetadata) -> Graph:
        reader = StoredRunReader(self.adapter, run)
        return graph_of(reader.names, reader.edges, self.store.graphs.values())

    def overview(self) -> StoreOverview:
        """Return the latest run of each environment, from the cache if it is there."""
        return self.cached(("overview",), lambda: store_overview(self.adapter))

    def diff(self, base: RunMetadata, current: RunMetadata) -> RunDiff:
        """Return the changes from *base* to *current*, kept also while the store changes.

        Raises UsageError if both are the same run, or runs of different projects.
        """
        if base.run_id == current.run_id:
            raise UsageError(
                f"Base and current are the same run: {base.run_id}",
                hint="name another run with base or current",
            )
        found = diff(self.connect, base, current, kept=self.store.diffs)
        if self.store.diffs.is_worth_saving:
            with suppress(StoreLocked), self.store.writing() as adapter:
                self.store.diffs.save(adapter)
        return found

    def has_diff(self, base: RunMetadata, current: RunMetadata) -> bool:
        """Return True if the changes from *base* to *current* are in memory."""
        return self.store.diffs.has(diff_key(base, current), self.adapter)

    def cached(self, key: Hashable, build: Callable[[], Value]) -> Value:
        """Return the result of *build*, kept until the store changes."""
        return self.store.results.get_or_build((self.version, key), build)


class _ViewReader(StoredRunReader):
    """Reader of a run that takes names and edges from the graph of a view, when they are first used."""

    def __init__(self, view: StoreView, run: RunMetadata) -> None:
        super().__init__(view.adapter, run)
        self._view = view

    @cached_property
    def names(self) -> Mapping[str, NodeMetadata]:
        return self._view.graph(self.run).names

    @cached_property
    def edges(self) -> Sequence[LineageEdge]:
        return self._view.graph(self.run).edges


def graph_of(
    names: Mapping[str, NodeMetadata], edges: Iterable[LineageEdge], others: Iterable[Graph] = ()
) -> Graph:
    """Return the graph of *names* and *edges*, which shares the objects that equal those of one of *others*.

    Graphs of a project differ little from run to run, so all graphs after the first take little memory.
    """
    # The most similar graph, not the latest: a store may have several projects.
    last = max(others, key=lambda one: len(one.names.keys() & names.keys()), default=_NO_GRAPH)
    shared = {
        unique_id: old if old == node else node
        for unique_id, node in names.items()
        for old in (last.names.get(unique_id),)
    }
    # One string for each id, although edges name it many times.
    ids = {unique_id: node.unique_id for unique_id, node in shared.items()}
    children: dict[str, list[str]] = {}
    parents: dict[str, list[str]] = {}
    known = {edge: edge for edge in last.edges}
    kept = tuple(known.get(edge, edge) for edge in edges)
    for edge in kept:
        parent, node = ids.get(edge.parent_id, edge.parent_id), ids.get(edge.node_id, edge.node_id)
        children.setdefault(parent, []).append(node)
        parents.setdefault(node, []).append(parent)
    return Graph(
        {ids[unique_id]: node for unique_id, node in shared.items()},
        kept,
        {node: _same(tuple(sorted(found)), last.children.get(node)) for node, found in children.items()},
        {node: _same(tuple(sorted(found)), last.parents.get(node)) for node, found in parents.items()},
    )


_NO_GRAPH = Graph({}, (), {}, {})


def _same(ids: tuple[str, ...], others: tuple[str, ...] | None) -> tuple[str, ...]:
    return others if others == ids and others is not None else ids


def prepare_diffs(store: Store) -> None:
    """Compute the diffs that the start page offers before a reader asks, and read the graphs of the newest.

    The newest pair of each project is first; the others follow until `PREPARING_SECONDS` have passed.
    """
    end = time.monotonic() + PREPARING_SECONDS
    try:
        with store.view() as view:
            pairs = suggested_pairs(list_runs(view.adapter, limit=RUNS_LOOKED_AT))
            newest: dict[str, SuggestedPair] = {}
            for pair in pairs:
                newest.setdefault(pair.current.project_name, pair)
            for pair in newest.values():
                view.diff(pair.base, pair.current)
                for run in (pair.base, pair.current):
                    view.graph(run)
            for pair in pairs:
                if time.monotonic() < end:
                    view.diff(pair.base, pair.current)
    except RecceMetaError as error:
        # The page of the diff reports it to its reader.
        log.debug("The newest diffs of %s are not prepared: %s", store.name, error.message)


INDEX_BYTES = 32 * 2**20
"""Size of all indexes in memory; an index that is larger is read for each search."""
_INDEXES = LruCache(INDEX_BYTES)
"""Indexes by the id of the graph, which is a digest of its contents: stores share them."""


def cached_index(view: StoreView) -> Callable[[RunMetadata], SearchIndex]:
    """Return a function for `search` that keeps the index of each graph in memory."""

    def index_of(run: RunMetadata) -> SearchIndex:
        found: SearchIndex | None = _INDEXES.get(run.graph_id)
        if found is None:
            # One index of a store at a time: each is built from all names and columns of a run in memory.
            with view.store.indexing:
                found = _INDEXES.get(run.graph_id)
                if found is None:
                    found = load_index(view.adapter, run)
                    _INDEXES.put(run.graph_id, found, found.size)
        return found

    return index_of
