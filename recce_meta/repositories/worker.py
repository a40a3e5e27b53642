"""Worker: a process, or a part of the server's, that runs jobs and keeps the queue of all workers in order.

Commands and routes only write rows of jobs, so that they need no DBOS and no request is lost. Every worker
enqueues the rows that are due; a job's id is the id of its workflow, so it is enqueued once.

Each worker has a name that is DBOS's executor id. A worker that restarts under its name resumes its jobs at
once. Each worker writes a heartbeat. The first of the live workers, by name, takes over jobs of workers
without a heartbeat, and polls the repositories.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import re
import socket
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, PortableWorkflowError
from dbos import error as dbos_errors
from msgspec import Struct
from sqlalchemy.exc import SQLAlchemyError

from recce_meta.errors import RecceMetaError, UnknownNameError, UsageError, first_line, quoted
from recce_meta.log_ids import logged_for
from recce_meta.models.run import Trigger
from recce_meta.redaction import presentable
from recce_meta.repositories.extraction.workflow import (
    JOB_FILE,
    QUEUE,
    VERSION,
    WORKFLOW,
    Extractions,
    Retries,
    StageFunction,
    remove_folder,
)
from recce_meta.repositories.follow_ups.runner import Handler, TaskRunner
from recce_meta.repositories.state.connections import note_outcome
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import active_jobs, finish_job, get_job
from recce_meta.repositories.state.tasks import add_follow_up, forget_tasks
from recce_meta.repositories.state.turns import Holder, Rank, Turn, Turns, finds_place, next_turn, read_turns
from recce_meta.repositories.state.types import ExtractionJob, JobOutcome, JobStatus, Stage, TaskKind
from recce_meta.repositories.state.uploads import fail_stale_uploads
from recce_meta.repositories.state.workers import (
    STALE_SECONDS,
    WorkerProcess,
    beat,
    forget_worker,
    list_workers,
    stale_workers,
)

_ENDED = ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED", "SUCCESS")
"""Statuses of workflows that never run again."""


class Dispatcher:
    """Steps that a worker repeats to move jobs into the queue, and to stop those that it must not run."""

    def __init__(
        self,
        state: State,
        extractions: Extractions,
        *,
        worker: str,
        spacing: float,
        count_slots: Callable[[], int],
    ) -> None:
        """*count_slots* returns how many jobs all workers have begun at most."""
        self._state = state
        self._count_slots = count_slots
        self._extractions = extractions
        self._worker = worker
        self._spacing = timedelta(seconds=spacing)
        self._enqueued: set[str] = set()

    def dispatch(self) -> None:
        """Enqueue the pending jobs that are due, and stop running ones that were cancelled or taken over."""
        running = self._extractions.running()  # before the jobs are read: each of these has its worker then
        jobs = {job.id: job for job in active_jobs(self._state)}
        self._enqueue_next(list(jobs.values()))
        # Without this the set would grow for as long as the worker runs.
        self._enqueued &= jobs.keys()
        for job_id in running:
            # `jobs` has only active ones: a removed job and one that is over end in different ways.
            found = jobs.get(job_id) or self._find(job_id)
            if found is None or found.status is JobStatus.CANCELLED:
                self._extractions.cancel(job_id)
            # Another worker runs the job now, or has ended it: this one must not store an outcome.
            elif found.status.is_over or found.worker != self._worker:
                self._extractions.abandon([job_id])

    def _enqueue_next(self, active: Sequence[ExtractionJob]) -> None:
        """Enqueue the pending jobs whose turn it is, as long as slots are free."""
        pending = [job for job in active if job.status is JobStatus.PENDING]
        fresh = [job for job in pending if job.id not in self._enqueued]
        if not fresh:
            return
        slots = self._count_slots()
        turns = read_turns(self._state)
        held = Counter(turns.running)
        # A job that is enqueued takes a place in a moment.
        held.update(turn.holder for turn in turns.waiting.values() if turn.job_id in self._enqueued)
        now = datetime.now(timezone.utc)
        # A job that has begun since `active` was read is no longer in `turns`.
        known = [job for job in fresh if job.id in turns.waiting]
        waiting = [turns.waiting[job.id] for job in known if self._is_due(job, turns, now)]
        recent, by_id = list(turns.recent), {job.id: job for job in fresh}
        while turn := _next(waiting, recent, held, slots):
            # Every worker does this; DBOS ignores a second workflow of the same id.
            enqueue(by_id[turn.job_id])
            self._enqueued.add(turn.job_id)
            waiting.remove(turn)
            recent.insert(0, turn._replace(at=now.timestamp()))
            held[turn.holder] += 1

    def _is_due(self, job: ExtractionJob, turns: Turns, now: datetime) -> bool:
        """Return True unless the branch's last job began a moment ago: many pushes give few jobs.

        A repository whose jobs exceed their limits waits longer each time, unless a person asks for the job.
        """
        until = turns.paused_until.get((job.connection_id, turns.waiting[job.id].rank is Rank.FORK))
        if until is not None and now < until and job.trigger is not Trigger.MANUAL:
            return False
        before = self._find(f"{job.connection_id}:{job.branch}:{job.number - 1}")
        if before is None or before.started_at is None:
            return True
        return now >= before.started_at + self._spacing

    def _find(self, job_id: str) -> ExtractionJob | None:
        with suppress(UnknownNameError):
            return get_job(self._state, job_id)
        return None


def _next(waiting: Sequence[Turn], recent: Sequence[Turn], held: Counter[Holder], slots: int) -> Turn | None:
    """Return the job that begins next if holders have *held* of the places in *slots*."""
    free = slots - held.total()
    forks = sum(count for (_, is_fork), count in held.items() if is_fork)
    may_begin = [
        turn
        for turn in waiting
        # Forks of many repositories leave half of all places, so that pushes do not wait for each other.
        if finds_place(held[turn.holder], free) and (turn.rank is not Rank.FORK or forks < slots // 2)
    ]
    return next_turn(may_begin, recent, free=free, slots=slots)


def enqueue(job: ExtractionJob) -> None:
    """Put the workflow of *job* into the queue, unless it was put there before."""
    DBOS.enqueue_workflow_with_options(
        {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": job.id,
            # DBOS accepts a workflow without this key, and never runs it.
            "queue_partition_key": f"{job.connection_id}:{job.branch}",
            # Workers only take jobs of their own version of the stages.
            "app_version": VERSION,
        },
        job.id,
    )


class TakeOver:
    """Search for jobs that no process runs, although DBOS has given them to one."""

    def __init__(self, extractions: Extractions, *, worker: str) -> None:
        self._extractions = extractions
        self._worker = worker
        self._idle: set[str] = set()

    def take_over(self, live: Collection[str] | None) -> list[str]:
        """Put jobs of workers that are not in *live* into the queue again, and return their ids.

        If *live* is None, another worker does that. The same is done for jobs of this worker that have not
        been running for two calls. Without the queue's name, DBOS would run a job at the same time as the
        next job of its branch.
        """
        running = DBOS.list_workflows(status="PENDING", queue_name=QUEUE, load_input=False, load_output=False)
        own = {one.workflow_id for one in running if one.executor_id == self._worker}
        idle = own - self._extractions.active()
        lost = [] if live is None else [one.workflow_id for one in running if one.executor_id not in live]
        # In two calls: a job that the queue has just claimed is idle until its first line runs.
        lost += idle & self._idle
        self._idle = idle
        for workflow_id in lost:
            DBOS.resume_workflow(workflow_id, queue_name=QUEUE)
        return lost


def give_up(state: State) -> None:
    """End the jobs whose workflow has failed for a reason of its own, such as a defect of a stage."""
    # Only these are asked for: DBOS's table has the workflows of a week.
    active = [job.id for job in active_jobs(state)]
    if not active:
        return
    ended = DBOS.list_workflows(workflow_ids=active, status=list(_ENDED), load_input=False)
    for workflow in ended:
        if not get_job(state, workflow.workflow_id).status.is_over:
            error = workflow.error
            name = error.name if isinstance(error, PortableWorkflowError) else workflow.status
            failed = finish_job(
                state,
                workflow.workflow_id,
                JobStatus.FAILED,
                JobOutcome(
                    error=presentable(f"The job ended unexpectedly: {name}: {first_line(error or '')}"),
                    hint="read the log of the worker, and extract again",
                    failure="unexpected",
                ),
            )
            note_outcome(state, failed)
            add_follow_up(state, failed)


def forget_workflows(before: datetime) -> None:
    """Delete DBOS's rows of workflows that were completed before *before*; jobs remain in our table."""
    # In pieces: one transaction over a week of workflows would hold up the queue.
    while ended := DBOS.list_workflows(
        completed_before=before.isoformat(), limit=500, load_input=False, load_output=False
    ):
        DBOS.delete_workflows([one.workflow_id for one in ended])


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# Far more than one machine runs; it only ends the search if the lock files cannot be locked at all.
_SLOTS = 1_000
IN_FLIGHT = 4
"""Jobs that have begun for each job that computes: the others wait for a server, or for their turn."""
_PATIENCE = 5.0
"""Seconds in which stopped stages and duties end; the process that has a worker ends within ten."""
_REMEMBERED = timedelta(days=7)
"""How long the rows of workflows and tasks that ended are kept."""

log = logging.getLogger(__name__)


class WorkerSettings(Struct, frozen=True, kw_only=True):
    """Settings of a worker."""

    work: Path
    """Folder for checkouts and caches; workers of one machine may share it, also those of several states."""
    name: str | None = None
    """Name, unique among all workers. Default: the host's name with the first free number."""
    jobs: int = 2
    """Number of jobs that each worker runs at once; the worker that started last decides for all."""
    retries: Retries = Retries()
    spacing_seconds: float = 30
    """Seconds between the starts of two jobs of a branch."""
    beat_seconds: float = 5
    stale_seconds: float = STALE_SECONDS
    """Seconds without a heartbeat after which other workers take over the jobs."""
    clean_seconds: float = 60
    """Seconds between two searches for what ended jobs have left on this machine."""
    tick_seconds: float = 0.5
    """Seconds between two looks at the table of jobs."""


class Worker:
    """One worker of this process. DBOS allows one at a time.

    *poll* is called again and again in the first of the live workers. *handlers* do tasks, in every worker.
    """

    def __init__(
        self,
        state: State,
        stages: Mapping[Stage, StageFunction],
        settings: WorkerSettings,
        *,
        poll: Callable[[], Awaitable[None]] | None = None,
        handlers: Mapping[TaskKind, Handler] | None = None,
    ) -> None:
        self._state = state
        self._stages = stages
        self._settings = settings
        self._poll = poll
        self._handlers = handlers or {}
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="recce-meta-worker")
        self._slot: _Slot | None = None
        self._has_name = False
        self._extractions: Extractions | None = None

    @property
    def name(self) -> str:
        """Name of the started worker."""
        assert self._slot is not None
        return self._slot.name

    def start(self) -> None:
        """Begin to run jobs, in threads of this process.

        Raises UsageError if a worker of this name runs already, WarehouseError if the state cannot be used.
        """
        settings = self._settings
        settings.work.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The lock excludes workers of this machine; `_check_name` those of other machines with this state.
        self._slot = _take_slot(settings.work, settings.name)
        self._check_name()
        self._has_name = True
        # Before DBOS starts: the other workers take jobs away from a name without a heartbeat.
        self._beat()
        self._extractions = Extractions(
            self._state,
            self._stages,
            worker=self.name,
            work=settings.work,
            retries=settings.retries,
            slots=settings.jobs,
        )
        # Without a handler of ours, DBOS logs to standard error.
        logging.getLogger("dbos").addHandler(logging.NullHandler())
        DBOS(config=_configuration(self._state, self.name))
        self._extractions.register()
        # Workflows have to be registered before: the launch resumes those of this executor.
        DBOS.launch()
        DBOS.register_queue(
            QUEUE,
            partition_concurrency=1,
            # The dispatcher counts; a job that waits for its store takes a place of DBOS, and none of these.
            worker_concurrency=settings.jobs * IN_FLIGHT * 2,
            polling_interval_sec=settings.tick_seconds,
            # The worker that started last decides, also one of an older version.
            on_conflict="always_update",
        )
        self._thread.start()

    def stop(self) -> None:
        """Kill the processes of running stages, and leave the jobs to other workers or the next start.

        After `_PATIENCE`, the call does not wait for stages and duties that are in the database of a store
        or in a request; the process then has to end.
        """
        self._is_stopping.set()
        deadline = time.monotonic() + _PATIENCE
        if self._extractions is not None:
            # Before DBOS is destroyed: the stages need its loop to kill their processes. A job that was
            # between two stages has begun the next one meanwhile.
            stopped: frozenset[str] = frozenset()
            while (running := self._extractions.running()) and time.monotonic() < deadline:
                self._extractions.abandon([*(running - stopped)])
                stopped |= running
                time.sleep(0.02)
        if self._thread.is_alive():
            self._thread.join(max(deadline - time.monotonic(), 0))
        has_ended = not (self._thread.is_alive() or (self._extractions and self._extractions.running()))
        # A test or a server can start another worker in this process, which registers the workflow again.
        DBOS.destroy(destroy_registry=True)
        if self._has_name and has_ended:
            with suppress(RecceMetaError):
                # Others then take over at once instead of after `stale_seconds`; the heartbeat ends anyway.
                # A stage that still writes must not meet its successor.
                forget_worker(self._state, self.name)
        if self._slot is not None:
            # Last, because a new worker of this name must not start while this one still writes.
            self._slot.close()

    def _check_name(self) -> None:
        """Raise UsageError if a worker of another machine has this name."""
        for worker in _live_workers(self._state, self._settings.stale_seconds):
            if worker.name == self.name and worker.host != socket.gethostname():
                raise UsageError(
                    f"A worker named {self.name} runs on {worker.host}",
                    hint="choose another name with --worker-name",
                )

    def _beat(self) -> None:
        beat(self._state, self.name, host=socket.gethostname(), pid=os.getpid())

    def _work(self) -> None:
        # A thread of its own: a slow query of the loop's duties must not make this worker look dead.
        beating = threading.Thread(target=self._keep_beating, name="recce-meta-heartbeat")
        beating.start()
        try:
            asyncio.run(self._attend())
        finally:
            self._is_stopping.set()  # without duties there is no heartbeat, and other workers take over
            beating.join()

    def _keep_beating(self) -> None:
        while not self._is_stopping.wait(self._settings.beat_seconds):
            with _reported("heartbeat"):
                self._beat()

    async def _attend(self) -> None:
        assert self._extractions is not None
        settings = self._settings

        def count_slots() -> int:
            live = _live_workers(self._state, settings.stale_seconds)
            return max(len(live), 1) * settings.jobs * IN_FLIGHT

        dispatcher = Dispatcher(
            self._state,
            self._extractions,
            worker=self.name,
            spacing=settings.spacing_seconds,
            count_slots=count_slots,
        )
        search = TakeOver(self._extractions, worker=self.name)
        tasks = TaskRunner(self._state, self._handlers, worker=self.name)
        polling: asyncio.Future[None] | None = None
        next_sweep = next_cleaning = 0.0
        while not self._is_stopping.is_set():
            with _reported("queue"):
                await asyncio.to_thread(dispatcher.dispatch)
            with _reported("tasks"):
                await tasks.begin_due()
            if time.monotonic() >= next_sweep:
                next_sweep = time.monotonic() + self._settings.beat_seconds
                with _reported("sweep"):
                    is_first = await asyncio.to_thread(self._sweep, search)
                    if is_first and self._poll is not None and (polling is None or polling.done()):
                        # Not awaited: a slow server must not hold up the queue.
                        polling = asyncio.ensure_future(self._polled())
            if time.monotonic() >= next_cleaning:
                next_cleaning = time.monotonic() + self._settings.clean_seconds
                with _reported("cleaning"):
                    await asyncio.to_thread(self._remove_leftovers)
            await asyncio.sleep(self._settings.tick_seconds)
        await tasks.stop()
        if polling is not None:
            polling.cancel()
            await asyncio.wait([polling])

    async def _polled(self) -> None:
        assert self._poll is not None
        with _reported("polling"):
            await self._poll()

    def _sweep(self, search: TakeOver) -> bool:
        """Take over lost jobs, and return True if this is the first of the live workers."""
        live = {worker.name for worker in _live_workers(self._state, self._settings.stale_seconds)}
        live.add(self.name)  # on a busy machine, the own heartbeat may be late
        # For a moment two workers may be the first, which is harmless: their duties may be done twice.
        is_first = min(live) == self.name
        for job_id in search.take_over(live if is_first else None):
            with logged_for(connection=job_id.partition(":")[0], job=job_id):
                log.warning("job %s is taken over from a worker that stopped", job_id)
        if is_first:
            give_up(self._state)
            fail_stale_uploads(self._state)
            forget_workflows(datetime.now(timezone.utc) - _REMEMBERED)
            forget_tasks(self._state, datetime.now(timezone.utc) - _REMEMBERED)
        return is_first

    def _remove_leftovers(self) -> None:
        """Remove folders, and kill processes, of jobs that this machine ran before and that are over.

        Jobs of other states are left to the workers of their state.
        """
        for folder in self._settings.work.glob("jobs/*"):
            with suppress(OSError, UnicodeDecodeError):  # the job ends, or begins, in another process
                state_id, _, job_id = (folder / JOB_FILE).read_text(encoding="utf-8").partition("\n")
                if state_id == self._state.id and self._is_over(job_id):
                    remove_folder(folder)

    def _is_over(self, job_id: str) -> bool:
        try:
            return get_job(self._state, job_id).status.is_over
        except UnknownNameError:
            return True


def _live_workers(state: State, seconds: float) -> list[WorkerProcess]:
    stale = {worker.name for worker in stale_workers(state, seconds)}
    return [worker for worker in list_workers(state) if worker.name not in stale]


@contextmanager
def _reported(what: str) -> Iterator[None]:
    """Log errors, so that the worker goes on when the database is back, and after a defect.

    A worker that ends one duty and keeps its heartbeat would keep all other workers from that duty.
    """
    try:
        yield
    except (RecceMetaError, SQLAlchemyError, dbos_errors.DBOSException) as error:
        log.warning("the worker's %s failed: %s", what, first_line(error))
    except Exception as error:
        log.error(
            "the worker's %s failed: %s: %s",
            what,
            type(error).__name__,
            presentable(first_line(error)),
            exc_info=error if log.isEnabledFor(logging.DEBUG) else None,
        )


class _Slot(NamedTuple):
    """Name of a worker, which the open lock file reserves on this machine."""

    name: str
    descriptor: int

    def close(self) -> None:
        """Release the name."""
        os.close(self.descriptor)


def _take_slot(work: Path, name: str | None) -> _Slot:
    """Return *name*, or the first free name of this host, locked until the process ends."""
    if name is not None and not _NAME.fullmatch(name):
        raise UsageError(
            f"Invalid name of a worker: {quoted(name)}", hint="use letters, digits, '.', '_', '-'"
        )
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname()).strip("-") or "worker"
    for candidate in [name] if name else (f"{host}-{slot}" for slot in range(1, _SLOTS)):
        # The file is never removed: another process could hold a lock on the removed one.
        descriptor = os.open(work / f"worker-{candidate}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            continue
        return _Slot(candidate, descriptor)
    raise UsageError(
        f"A worker named {name} runs on this machine already", hint="choose another name with --worker-name"
    )


def _configuration(state: State, name: str) -> DBOSConfig:
    """Return the configuration of DBOS, whose tables are in a second file, or a second schema."""
    common: DBOSConfig = {
        "name": "recce-meta",
        "application_version": VERSION,
        "executor_id": name,
        # The default is pickle, which would run code from the database and break when a class moves.
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "ERROR",
        # Polling of the table suffices here, and a listener would hold one more connection in each worker.
        "use_listen_notify": False,
    }
    if state.file is None:
        # DBOS shares the pool, but names its own schema; ours must not replace it.
        engine = state.engine.execution_options(schema_translate_map={})
        return {
            **common,
            "system_database_url": state.url.render_as_string(hide_password=False),
            "system_database_engine": engine,
            "dbos_system_schema": f"{state.schema}_jobs",
        }
    file = state.neighbour("jobs")
    with closing(sqlite3.connect(file)) as connection:
        # The mode stays in the file; without it, the readers of several workers block the writer.
        connection.execute("PRAGMA journal_mode = WAL")
    return {**common, "system_database_url": f"sqlite:///{file}"}
