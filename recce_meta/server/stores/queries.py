"""Data diffs and queries that users of the pages start: a queue, statements that can be stopped, and results.

A job runs in a thread of its own. Its statements go to the warehouse over connections that only read; at most
N of them run at a time, in all jobs together. A job whose page is not asked for within HEARTBEAT_SECONDS, or
HIDDEN_SECONDS in the background, is cancelled: its reader has gone. Results stay in memory for a while, and
are lost when the server ends.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from typing import Any, Protocol, TypeAlias

import msgspec

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.comparison import Comparison
from recce_meta.api.data.execution import Around
from recce_meta.api.data.jobs import pairs_changed_by
from recce_meta.api.data.places import OfEnvironment, data_places, open_reader, open_sides
from recce_meta.api.data.requests import (
    AnyAnswer,
    DataDiffRequest,
    RequestRules,
    refuse_request,
)
from recce_meta.api.run_reader import RunReader
from recce_meta.api.runs import RunPair
from recce_meta.config.nodes import NodeGlobs
from recce_meta.data_diff.plan import Plan, Query
from recce_meta.errors import QueryCancelled, RecceMetaError, UsageError, WarehouseError, shorten
from recce_meta.models import NodeMetadata, RunMetadata
from recce_meta.models.change import RunDiff
from recce_meta.models.data_diff import AnyDataDiff, DataSide
from recce_meta.models.diff_kinds import ALL_NODES
from recce_meta.redaction import presentable
from recce_meta.server.access.problems import (
    NotAllowed,
    NotFound,
    RequestStopped,
    StopRequest,
    TooManyQueries,
)
from recce_meta.server.access.scopes import Permissions, is_named
from recce_meta.server.stores.query_jobs import JobState, PageState, QueryJob, RanStatement, result_tree
from recce_meta.store.data_diffs import save_data_diffs
from recce_meta.store.select import require_complete
from recce_meta.store.session import refuse_newer

_LOG = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 30.0
"""Time after which a job ends if its page was not asked for."""
HIDDEN_SECONDS = 150.0
"""Time for which a page in the background keeps a job: Chromium runs its timers once a minute."""
CLOSED = float("-inf")
"""Lease of a page that is closed."""
MOST_PAGES = 100
"""Number of pages that keep one job."""
WATCH_SECONDS = 0.2
"""Pause between looks at the jobs, and between requests to cancel a statement."""
ALL_SECONDS = 60.0
"""Time for the comparison of all nodes, small relations first."""
LONGEST_SECONDS = 3600.0
"""Time limit of a job."""
MOST_WAITING = 50
"""Number of jobs that wait; further ones are refused."""
MOST_JOBS = 200
"""Number of jobs in the list."""
MOST_RESULTS = 50
"""Number of results in memory."""
RESULT_BYTES = 32 * 2**20
"""Size of the results in memory, as JSON."""
RESULT_SECONDS = 3600.0
"""Time for which a result stays in memory."""
MOST_STATEMENTS = 200
"""Number of statements of a job whose SQL is shown."""
STATEMENT_CHARACTERS = 20_000
"""Length of a statement's SQL, above which its end is left out."""
STOP_SECONDS = 4.0
"""Time for which the end of the server waits for statements to end."""
NodeSides: TypeAlias = tuple[NodeMetadata | None, NodeMetadata | None]
"""Node in base and in current."""


def _no_target(_environment: str) -> str | None:
    return None


def _no_connection(_place: str) -> UnifiedSqlAdapter:
    raise UsageError("This server has no connection to other targets", hint="start it with recce-meta serve")


@dataclass(frozen=True)
class QuerySettings:
    """Settings of the queries of one store."""

    threads: int | None = None
    """Number of concurrent statements; None for that of the profile."""
    rules: RequestRules = field(default_factory=RequestRules)
    data_target: str | None = None
    """Target or URL of the data of both sides; None for the store's."""
    base_target: str | None = None
    """Target or URL of the data of base."""
    of_environment: OfEnvironment = _no_target
    connect: Callable[[str], UnifiedSqlAdapter] = _no_connection
    """Returns the adapter of a target or a URL."""


def _size(result: AnyAnswer | tuple[AnyDataDiff, ...]) -> int:
    """Return the size of *result* as JSON. Raises UsageError if it is too large for a page."""
    size = len(msgspec.json.encode(result_tree(result)))
    # A quarter leaves room for the results of others.
    if size > RESULT_BYTES // 4:
        raise UsageError("The result is too large for a page", hint="choose fewer columns or rows")
    return size


def _failure(job: QueryJob, error: RecceMetaError) -> str:
    """Return the message of *error* in one line, with the line of the user's query if it is known."""
    message = " ".join(error.message.split())
    given = job.request.current_sql
    if not (given and isinstance(error, WarehouseError) and error.line and error.sql):
        return message
    # The statement has the rendered query inside another one, so its numbers of lines are not the user's.
    text = error.sql.splitlines()[error.line - 1].strip()
    places = [place for place, line in enumerate(given.splitlines(), 1) if line.strip() == text]
    message = message.partition(" LINE ")[0]
    return (
        f"{message}, in line {places[0]} of the query: {text}"
        if len(places) == 1
        else f"{message}, in: {text}"
    )


class QueriedView(Protocol):
    """Store while a job is planned, see `stores.StoreView`."""

    @property
    def adapter(self) -> UnifiedSqlAdapter:
        """Connection that only reads."""

    def reader(self, run: RunMetadata) -> RunReader:
        """Return a reader of *run*."""

    def diff(self, base: RunMetadata, current: RunMetadata) -> RunDiff:
        """Return the changes from *base* to *current*."""


class QueriedStore(Protocol):
    """Store whose data jobs read, see `stores.Store`."""

    name: str
    permissions: Permissions

    def default_threads(self) -> int:
        """Return the number of concurrent statements of the profile."""

    def view(self, stop: StopRequest | None = None) -> AbstractContextManager[QueriedView]:
        """Return the store for the plan of a job."""

    def data(self) -> AbstractContextManager[UnifiedSqlAdapter]:
        """Return a new connection to the data, which only reads."""

    def writing(self) -> AbstractContextManager[UnifiedSqlAdapter]:
        """Return a connection that may write."""


class _Statements:
    """Statements of all jobs of a store: at most *threads* run, and each is noted in its job."""

    def __init__(self, threads: int, lock: threading.RLock, *, shows_sql: bool) -> None:
        self.threads = threads
        self._lock, self._shows_sql = lock, shows_sql
        self._slots = threading.BoundedSemaphore(threads)

    def note_size(self, job: QueryJob, placed: Sequence[NodeSides], comparison: Comparison) -> None:
        """Note the sizes of the relations that *job* reads, if the catalog of the warehouse has them.

        A query of the user has no node, and its relations are not known.
        """
        if not placed:
            return
        name, found = comparison.current.warehouse.name, []
        for side, node in (
            (side, node) for pair in placed for side, node in zip(DataSide, pair, strict=True)
        ):
            if node is None or not node.schema_name:
                continue
            with self._slot(job):
                sizes = comparison.runner.relation_bytes(side, [node.schema_name])
            # Catalogs and artifacts may differ in case.
            size = sizes.get((node.schema_name.casefold(), (node.identifier or node.name).casefold()))
            if size is not None:
                found.append((side.value, size))
        with self._lock:
            job.size = (
                ", ".join(f"{side} has {size:,} bytes" for side, size in found) + f" ({name}'s catalog)"
                if found
                else f"bytes not reported by {name}"
            )

    def counted(self, job: QueryJob, plan: Plan[AnyAnswer]) -> Plan[AnyAnswer]:
        """Run *plan*, and count the statements that it asks for."""
        answers: Any = None
        while True:
            try:
                batch = plan.send(answers)
            except StopIteration as done:
                found: AnyAnswer = done.value
                return found
            with self._lock:
                job.expected += len(batch)
            answers = yield batch

    @contextmanager
    def turn(self, job: QueryJob, query: Query) -> Iterator[Callable[[int], None]]:
        """Wait until fewer than N statements run, and note what *query* reads and how long it takes."""
        sql = None
        if self._shows_sql:
            sql = shorten(query.sql, STATEMENT_CHARACTERS)
        statement = RanStatement(query.about, query.side.value, sql)
        with self._lock:
            # The statement still counts, and only its text is left out: a job may have thousands.
            if len(job.statements) >= MOST_STATEMENTS:
                statement.sql = None
            job.statements.append(statement)
        # After the statement is listed, so that the page shows what waits.
        with self._slot(job):
            statement.began = time.monotonic()

            def note(rows: int) -> None:
                statement.rows = rows

            try:
                yield note
            finally:
                statement.seconds = time.monotonic() - statement.began

    @contextmanager
    def _slot(self, job: QueryJob) -> Iterator[None]:
        """Hold one of the N turns of statements. Raises QueryCancelled if *job* is cancelled meanwhile."""
        # Waits in steps, because a request to cancel cannot wake a semaphore.
        while not self._slots.acquire(timeout=WATCH_SECONDS):
            if job.reason is not None:
                raise QueryCancelled(job.reason)
        try:
            if job.reason is not None:
                raise QueryCancelled(job.reason)
            yield
        finally:
            self._slots.release()


class QueryManager:
    """Jobs of one store. Any number of threads may use it."""

    def __init__(self, store: QueriedStore, settings: QuerySettings | None = None) -> None:
        self._store, self.settings = store, settings or QuerySettings()
        self._lock = threading.RLock()
        self._jobs: dict[str, QueryJob] = {}
        self._waiting: deque[QueryJob] = deque()
        self._running: set[str] = set()
        self._statements: _Statements | None = None
        self._watcher: threading.Thread | None = None
        self._is_closed = False
        self.started = 0
        """Number of jobs that were started: pages that show jobs change with it."""

    @property
    def threads(self) -> int:
        """Number of concurrent statements."""
        with self._lock:
            # Not in `__init__`: a store that cannot be opened must not stop the server.
            if self._statements is None:
                threads = self.settings.threads or max(1, self._store.default_threads())
                is_private = self.settings.rules.privacy is not None
                self._statements = _Statements(threads, self._lock, shows_sql=not is_private)
            return self._statements.threads

    def start(self, request: DataDiffRequest, base: RunMetadata, current: RunMetadata, by: str) -> QueryJob:
        """Start the data diff of *request* for user *by*, or join the same one if it has not ended.

        Raises UsageError for a request that is refused, and TooManyQueries if too many jobs wait.
        """
        # Refused before it is queued, so that the form itself reports the reason.
        refuse_request(request, self.settings.rules.privacy)
        for run in (base, current):
            require_complete(run)
        most = self.threads
        with self._lock:
            if self._is_closed:
                raise TooManyQueries("The server ends", hint="start it again")
            # A form that is sent twice must not double the load on the warehouse.
            same = next(
                (
                    one
                    for one in self._jobs.values()
                    if not one.state.is_over and one.reason is None and one.request == request
                ),
                None,
            )
            if same is not None:
                same.leases[""] = time.monotonic() + HEARTBEAT_SECONDS
                if by not in same.started_by:
                    same.started_by.append(by)
                _LOG.info("Query %s of %s is also asked for by %s", same.id, self._store.name, by)
                return same
            # After the look for the same job, which adds nothing to the queue.
            if len(self._waiting) >= MOST_WAITING:
                raise TooManyQueries(
                    f"{MOST_WAITING} queries wait already", hint="try again when some of them have ended"
                )
            job = QueryJob(
                id=secrets.token_hex(8),
                store=self._store.name,
                request=request,
                base=base,
                current=current,
                started_by=[by],
                asked_at=datetime.now(timezone.utc),
                # The time until the browser has followed the redirect to the page of the job.
                leases={"": time.monotonic() + HEARTBEAT_SECONDS},
            )
            self._jobs[job.id] = job
            self.started += 1
            self._waiting.append(job)
            _LOG.info(
                # For administrators: who read which data, without SQL and values.
                "Query %s of %s started by %s: %s of %s, runs %s and %s",
                *(job.id, job.store, by, request.kind.name, presentable(request.node or "SQL")),
                *(presentable(base.run_id), presentable(current.run_id)),
            )
            self._next(most)
            self._watch()
        return job

    def job(self, job_id: str, *, is_seen: bool = False) -> QueryJob:
        """Return the job *job_id*; with *is_seen*, its reader is there. Raises NotFound."""
        with self._lock:
            self._forget()
            job = self._jobs.get(job_id)
            if job is None:
                raise NotFound(
                    "No query has this id", hint="the list of queries has those since the start of the server"
                )
            if is_seen:
                job.leases[""] = time.monotonic() + HEARTBEAT_SECONDS
            return job

    def hold(self, job_id: str, page: str, state: PageState) -> None:
        """Keep the job *job_id* for a while because *page* is in *state*; one that is closed stays closed.

        The browser may send the states of a page in any order while it closes.
        """
        job, now = self.job(job_id), time.monotonic()
        with self._lock:
            # Names of pages come from clients, so their number is limited.
            if job.leases.get(page) == CLOSED or (page not in job.leases and len(job.leases) > MOST_PAGES):
                return
            seconds = HIDDEN_SECONDS if state is PageState.HIDDEN else HEARTBEAT_SECONDS
            job.leases[page] = CLOSED if state is PageState.CLOSED else now + seconds

    def jobs(self) -> list[QueryJob]:
        """Return all jobs, the latest first."""
        with self._lock:
            self._forget()
            return list(reversed(self._jobs.values()))

    def leave(self, job: QueryJob, by: str) -> bool:
        """Cancel *job* for user *by*; only forget this user, and return False, if another started it too.

        Raises NotAllowed for a user who did not start it, and has a token or a session: another user waits.
        """
        with self._lock:
            if not job.state.is_over and by not in job.started_by and is_named(by):
                raise NotAllowed(
                    "Another user started this query",
                    hint="only its users cancel it; it also ends when its page is closed",
                )
            if not job.state.is_over and by in job.started_by and len(job.started_by) > 1:
                job.started_by.remove(by)
                _LOG.info("Query %s of %s is left by %s", job.id, job.store, by)
                return False
        self.cancel(job, f"cancelled by {by}")
        return True

    def cancel(self, job: QueryJob, reason: str) -> None:
        """Cancel *job* for *reason*; does nothing if it has ended."""
        with self._lock:
            if job.state.is_over or job.reason is not None:
                return
            job.reason = reason
            # No thread runs a queued job, so nothing else would end it.
            if job.state is JobState.QUEUED:
                self._waiting.remove(job)
                _end(job, JobState.CANCELLED, reason)
                return
            runner = job.runner
        # Outside the lock: cancelling asks the warehouse, and pages need the lock meanwhile.
        job.stop.ask()
        if runner is not None:
            runner.cancel()

    def close(self) -> None:
        """Cancel all jobs, and wait until their statements have ended."""
        with self._lock:
            self._is_closed = True
            jobs = [job for job in self._jobs.values() if not job.state.is_over]
        for job in jobs:
            self.cancel(job, "the server ended")
        until = time.monotonic() + STOP_SECONDS
        # A process that ends now would leave the statements running in the warehouse.
        while time.monotonic() < until and any(not job.state.is_over for job in jobs):
            time.sleep(WATCH_SECONDS / 4)

    @contextmanager
    def saving(self, job: QueryJob) -> Iterator[bool]:
        """Yield True if the block is to save the result of *job*; False if it is saved, or being saved.

        A block that ends without an error has saved it.
        """
        with self._lock:
            is_first = job.saved_at is None and not job.is_saving
            # Before the result is written, which may take seconds: a second click must not save it again.
            job.is_saving = job.is_saving or is_first
        is_saved = False
        try:
            yield is_first
            is_saved = is_first
        finally:
            with self._lock:
                if is_saved:
                    job.saved_at = datetime.now(timezone.utc)
                if is_first:
                    job.is_saving = False

    def _next(self, most: int) -> None:
        """Start jobs that wait while fewer than *most* run."""
        while len(self._running) < most and not self._is_closed:
            # A comparison of all nodes holds a connection of the pages, so one runs at a time.
            busy = any(self._jobs[one].request.kind is ALL_NODES for one in self._running)
            waits = (one for one in self._waiting if not (busy and one.request.kind is ALL_NODES))
            if (job := next(waits, None)) is None:
                return
            self._waiting.remove(job)
            job.state, job.began = JobState.RUNNING, time.monotonic()
            self._running.add(job.id)
            # A thread for each job, not a pool: Python waits for the threads of pools when it exits.
            threading.Thread(target=self._run, args=(job,), name=f"query {job.id}", daemon=True).start()

    def _watch(self) -> None:
        if self._watcher is None or not self._watcher.is_alive():
            self._watcher = threading.Thread(target=self._look, name="watch of queries", daemon=True)
            self._watcher.start()

    def _look(self) -> None:
        """Cancel jobs without a reader, and repeat requests to cancel, until no job is left."""
        while True:
            with self._lock:
                active = [job for job in self._jobs.values() if not job.state.is_over]
                # Under the lock, so that `_watch` finds either a thread that goes on or none.
                if not active:
                    self._watcher = None
                    return
            now = time.monotonic()
            for job in active:
                if job.reason is not None:
                    runner = job.runner
                    if runner is not None:  # a request that arrives before its statement begins is lost
                        runner.cancel()
                elif now > job.lease:
                    self.cancel(job, "its page was closed, or suspended in the background")
                elif job.began is not None and now - job.began > LONGEST_SECONDS:
                    self.cancel(job, f"it took longer than {LONGEST_SECONDS:g} s")
            time.sleep(WATCH_SECONDS)

    def _run(self, job: QueryJob) -> None:
        state, message, hint = JobState.FAILED, None, None
        try:
            result, size, notes = self._answer(job)
            with self._lock:
                job.result, job.result_bytes, job.notes = result, size, notes
            state = JobState.DONE
        except (QueryCancelled, RequestStopped) as error:
            # Stopped in the warehouse, by its own limits or an administrator.
            if job.reason is None:
                message, hint = error.message, error.hint
        except RecceMetaError as error:
            message, hint = _failure(job, error), error.hint
        except Exception as error:  # noqa: BLE001 - a job always ends, and its page says how
            _LOG.error(
                "Query %s failed: %s: %s",
                *(job.id, type(error).__name__, presentable(str(error))),
                exc_info=error if _LOG.isEnabledFor(logging.DEBUG) else None,
            )
            message, hint = "The server could not answer this query", "its log has the details"
        finally:
            with self._lock:
                job.runner = None
                self._running.discard(job.id)
                # A result that arrived before the request to cancel is shown all the same.
                if job.reason is not None and state is not JobState.DONE:
                    state, message, hint = JobState.CANCELLED, job.reason, None
                _end(job, state, message, hint)
                self._forget()
                self._next(self.threads)

    def _answer(self, job: QueryJob) -> tuple[AnyAnswer | tuple[AnyDataDiff, ...], int, tuple[str, ...]]:
        """Return the result of *job*, without values that are withheld, its size, and notes."""
        statements = self._statements
        assert statements is not None, "`threads` creates it before a job starts"
        with ExitStack() as opened:
            # Only for the plan: reading the data needs none of the connections of pages.
            with self._store.view(job.stop) as view:
                runs = RunPair(view.reader(job.base), view.reader(job.current))
                around = partial(statements.turn, job)
                comparison = _opened(job, runs, view.adapter, opened, self._store, self.settings, around)
                is_all = job.request.kind is ALL_NODES
                globs = self.settings.rules.globs
                diff = view.diff(job.base, job.current) if is_all else None
                found = _compare_all(job, comparison, diff, globs) if diff else ()
                planned = None if is_all else comparison.planned(job.request, self.settings.rules.project_dir)
                placed = runs.sides([job.request.node] if job.request.node else ())
            if planned is None:
                job.result = found
                if found and self._store.permissions.writes:
                    save_results(self._store, self, job)
                return found, _size(found), comparison.runner.notes
            with self._lock:
                job.runner, job.queries = comparison.runner, planned.sql
            if job.reason is not None:
                # A request to cancel before this point found no runner to stop.
                raise QueryCancelled(job.reason)
            statements.note_size(job, placed, comparison)
            result = comparison.answer(statements.counted(job, planned.plan()))
            notes = comparison.runner.notes
        return result, _size(result), notes

    def _forget(self) -> None:
        """Remove results and jobs that are too many, too large or too old; the oldest first."""
        over = [job for job in self._jobs.values() if job.state.is_over]
        kept = [job for job in over if job.result is not None]
        room, now = RESULT_BYTES, time.monotonic()
        # The latest first: their results stay, and the page of an older job reports that its result is gone.
        for number, job in enumerate(reversed(kept)):
            room -= job.result_bytes
            is_old = job.ended is not None and now - job.ended > RESULT_SECONDS
            if is_old or room < 0 or number >= MOST_RESULTS:
                job.result, job.is_forgotten = None, True
        for job in over[: max(0, len(self._jobs) - MOST_JOBS)]:
            del self._jobs[job.id]


def _end(job: QueryJob, state: JobState, message: str | None, hint: str | None = None) -> None:
    job.seconds, job.ended, job.ended_at = job.elapsed, time.monotonic(), datetime.now(timezone.utc)
    # Messages of warehouses may contain secrets and control characters.
    job.message = None if message is None else presentable(message)
    job.hint = None if hint is None else presentable(hint)
    job.state = state
    why = "" if job.reason is None else f" ({presentable(job.reason)})"
    _LOG.info("Query %s of %s: %s after %.2f s%s", job.id, job.store, state.value, job.seconds, why)


def _opened(
    job: QueryJob,
    runs: RunPair,
    adapter: UnifiedSqlAdapter,
    opened: ExitStack,
    data: QueriedStore,
    settings: QuerySettings,
    around: Around,
) -> Comparison:
    """Open the comparison of the data of both sides; *opened* closes it."""

    def target(place: str) -> UnifiedSqlAdapter:
        return open_reader(opened, settings.connect(place))

    def store() -> UnifiedSqlAdapter:
        return opened.enter_context(data.data())

    places = data_places(runs, settings.data_target, settings.base_target, settings.of_environment)
    current, base = open_sides(places, store, target)
    comparison = Comparison(
        store=lambda: adapter,
        current=current,
        base=base,
        threads=settings.threads,
        budget=ALL_SECONDS if job.request.kind is ALL_NODES else None,
        around=around,
        runs=runs,
        globs=settings.rules.globs,
        privacy=settings.rules.privacy,
    )
    return opened.enter_context(comparison)


def _compare_all(
    job: QueryJob, comparison: Comparison, diff: RunDiff, globs: NodeGlobs
) -> tuple[AnyDataDiff, ...]:
    """Return the results of all nodes that *diff* changes or affects.

    A job that is cancelled, or reaches the budget, has those that are done.
    """
    assert comparison.runs is not None, "a job names two runs"
    pairs = pairs_changed_by(diff, comparison.runs, globs)
    job.runner = comparison.runner

    def tell(done: int, of: int) -> None:
        job.compared = done, of

    return tuple(comparison.data_of(pairs, (), None, tell, is_partial=True))


def save_results(store: QueriedStore, queries: QueryManager, job: QueryJob) -> None:
    """Save the results of *job* to the store, unless that was done."""
    with queries.saving(job) as is_first:
        if is_first:
            with store.writing() as adapter:
                # Another process may have migrated the store since the server opened it.
                refuse_newer(adapter)
                save_data_diffs(
                    adapter,
                    job.results,
                    base_run=job.base,
                    current_run=job.current,
                    taken_at=job.ended_at or job.asked_at,
                )
