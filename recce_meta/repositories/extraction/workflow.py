"""Durable workflow of a job: DBOS runs its stages in order, and another worker resumes them.

A stage returns a small JSON object, which DBOS stores: ids, paths and counts, never a manifest. A stage that
ran is not run again when the job is resumed. The stage that was interrupted runs again from its start, after
the processes that it left behind are killed.

Our own table of jobs decides which jobs exist, whether one is cancelled, and which worker runs it. Failures
and cancellation are outcomes of a stage, not exceptions, so every job ends with `clean_up`.
"""

from __future__ import annotations

import asyncio
import logging
import random
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from dbos import DBOS
from msgspec import Struct, convert
from msgspec.structs import asdict, replace
from sqlalchemy.exc import SQLAlchemyError

from recce_meta.errors import (
    ConnectionFailed,
    RecceMetaError,
    UnknownNameError,
    WarehouseError,
    first_line,
)
from recce_meta.log_ids import logged_for
from recce_meta.repositories.extraction.dbt.environments import EnvironmentFailed
from recce_meta.repositories.extraction.dbt.outcome import DbtFailed, is_full_disk
from recce_meta.repositories.extraction.isolation.sandbox import NoSandbox
from recce_meta.repositories.git.failures import GitFailure
from recce_meta.repositories.processes import kill_left
from recce_meta.repositories.recording import Idle
from recce_meta.repositories.state.connections import get_connection, note_outcome
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import add_event, finish_job, note_work, set_stage, start_job
from recce_meta.repositories.state.pull_requests import get_pull_request
from recce_meta.repositories.state.tasks import add_follow_up
from recce_meta.repositories.state.turns import Slots, rank_of
from recce_meta.repositories.state.types import (
    DbtFailure,
    ExtractionJob,
    JobFigures,
    JobOutcome,
    JobSource,
    JobStatus,
    PullRequest,
    RepositoryConnection,
    Stage,
)
from recce_meta.telemetry import JOBS
from recce_meta.telemetry import STAGES as STAGES_SECONDS

Given = ParamSpec("Given")
Value = TypeVar("Value")

QUEUE = "extractions"
WORKFLOW = "extract"
VERSION = "1"
"""DBOS's `application_version`: changes only if the stages change, because it strands jobs of the old one."""
STAGES = (Stage.RESOLVE, Stage.CLONE, Stage.DEPENDENCIES, Stage.PARSE, Stage.EXTRACT, Stage.STORE)
"""Stages before `clean_up`, which always runs."""
_COMPUTING = frozenset(STAGES[2:])
"""Stages that need a slot; those before wait for the server of the repository."""
PID_SUFFIX = ".pid"
JOB_FILE = "job"
"""File in a job's folder with the ids of its state and of the job, a line for each."""
EVENT_LENGTH = 1_000
INTERRUPTED = "interrupted"
"""Kind of the failure of a job that its worker did not end; others are those of `failure_of`."""

log = logging.getLogger(__name__)

Result = Mapping[str, Any]
"""What a stage returns: a JSON object. `ends` is true if the later stages have nothing to do, `next` is the
stage to go on with, `is_skipped` is true if this one had nothing to do, `message` is a line for the log."""


class StageFailed(RecceMetaError):
    """Failure of a stage; *kind* names its cause, such as `no_project`."""

    def __init__(self, message: str, *, hint: str | None = None, kind: str, can_retry: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.can_retry = can_retry or kind == DbtFailure.DISK.value


class FailureCause(Struct, frozen=True, kw_only=True):
    """What a job stores of the cause of an error, and whether a later attempt may succeed."""

    kind: str
    can_retry: bool = False
    retry_after: float | None = None
    """Seconds that a server asks to wait for."""


def failure_of(error: RecceMetaError, stage: Stage) -> FailureCause:
    """Return the cause of *error*, which ended *stage*."""
    if isinstance(error, GitFailure):
        return FailureCause(kind=error.kind.value, can_retry=error.can_retry, retry_after=error.retry_after)
    if isinstance(error, StageFailed):
        return FailureCause(kind=error.kind, can_retry=error.can_retry)
    if isinstance(error, DbtFailed):
        return FailureCause(kind=error.failure.value, can_retry=error.can_retry)
    if isinstance(error, EnvironmentFailed):
        return FailureCause(kind=DbtFailure.ENVIRONMENT.value, can_retry=error.can_retry)
    if isinstance(error, NoSandbox):
        return FailureCause(kind="sandbox")
    if isinstance(error, WarehouseError):
        return FailureCause(kind="store", can_retry=error.retriable or isinstance(error, ConnectionFailed))
    return FailureCause(kind=stage.value)


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Raise StageFailed if the disk is full; it says nothing about the commit, and may have room later."""
    try:
        yield
    except OSError as error:
        if not is_full_disk(str(error)):
            raise
        raise StageFailed(
            "The disk of the work folder is full",
            hint="free space, or choose another work folder",
            kind=DbtFailure.DISK.value,
        ) from error


class FolderGone(Exception):
    """The job needs another checkout: an earlier stage ran on another machine, or with other settings."""


class Retries(Struct, frozen=True, kw_only=True):
    """Waiting times between attempts of a stage whose failure may heal."""

    delays: Sequence[float] = (5, 30, 120)
    """Seconds before each further attempt."""
    jitter: float = 0.2
    """Largest share by which a delay is lengthened."""
    state_delays: Sequence[float] = (1, 2, 5, 10, 20, 40, 40)
    """Seconds before each further attempt to read or write the state, such as during its restart."""
    longest: float = 600
    """Seconds that are waited at most if a server asks for more."""
    resumptions: int = 10
    """Number of times that a job is begun, or interrupted while it works, before it fails: it may kill its
    workers."""
    detours: int = 5
    """Number of times that a job goes back to `clone`."""


class JobRun(Struct, frozen=True, kw_only=True):
    """What a stage is given."""

    job: ExtractionJob
    connection: RepositoryConnection
    folder: Path
    """Folder of the job on this machine, removed by `clean_up`."""
    results: Mapping[str, Result]
    """Results of the stages before, by name."""
    log: Callable[[str], Awaitable[None]]
    """Adds a line to the log of the job."""
    pull_request: PullRequest | None = None
    """Pull request of the job."""
    figures: dict[str, float] = {}
    """What the programs of the stage took in all attempts."""
    idle: Idle = nullcontext
    """Leaves the slot of the job to other jobs within its block."""

    @property
    def branch(self) -> str:
        """Branch of the run; a job of a pull request resolves it with its commit."""
        branch: str = self.results.get(Stage.RESOLVE.value, {}).get("branch", self.job.branch)
        return branch

    @property
    def is_of_fork(self) -> bool:
        """True if the files come from another repository: they get no secret, and leave nothing in caches."""
        is_head = self.job.source is JobSource.PULL_REQUEST
        return is_head and self.pull_request is not None and self.pull_request.is_fork

    def count(self, cpu_seconds: float, peak_memory: int, *, fetched: int = 0) -> None:
        """Add what a program took to the figures of the stage."""
        self.figures["cpu_seconds"] = self.figures.get("cpu_seconds", 0) + cpu_seconds
        self.figures["peak_memory"] = max(self.figures.get("peak_memory", 0), peak_memory)
        self.figures["fetched"] = self.figures.get("fetched", 0) + fetched

    def pid_file(self, name: str) -> Path:
        """Return the file for the id of the process *name*, which a resumed job kills."""
        return self.folder / f"{name}{PID_SUFFIX}"


StageFunction = Callable[[JobRun], Awaitable[Result]]


class StageOutcome(Struct, frozen=True, kw_only=True):
    """StageOutcome of one stage, as DBOS stores it."""

    status: str
    """`done`, `skipped`, `failed`, `cancelled`, or `gone` if the job has to go back to `clone`."""
    result: dict[str, Any] = {}
    error: str | None = None
    hint: str | None = None
    failure: str | None = None


_CANCELLED = StageOutcome(status="cancelled")


def _lost(stage: Stage) -> StageOutcome:
    """Return the outcome of a job whose checkout is missing again after each clone."""
    return StageOutcome(
        status="failed",
        error=f"The checkout is missing in {stage.value}, after several clones",
        hint="check that no other program removes files of the work folder",
        failure=INTERRUPTED,
    )


def job_folder(work: Path, job_id: str) -> Path:
    """Return the folder of the job in *work*; a branch may have characters that a file name cannot have."""
    return work / "jobs" / sha256(job_id.encode()).hexdigest()[:16]


class Extractions:
    """Workflow of all jobs that this process runs, with the running stage of each."""

    def __init__(
        self,
        state: State,
        stages: Mapping[Stage, StageFunction],
        *,
        worker: str,
        work: Path,
        retries: Retries,
        slots: int,
    ) -> None:
        """*stages* has a function for each stage; that of `clean_up` is optional, and removes containers.

        *slots* is the number of stages that compute at the same time.
        """
        self._slots = Slots(slots)
        self._state = state
        self._stages = stages
        self._worker = worker
        self._work = work
        self._retries = retries
        self._running: dict[str, tuple[asyncio.AbstractEventLoop, asyncio.Task[Result]]] = {}
        # A counter: after a takeover by the same worker, two executions of one workflow can overlap.
        self._active: Counter[str] = Counter()
        self._cancelled: set[str] = set()

    def register(self) -> None:
        """Make the workflow known to DBOS; call it before `DBOS.launch`."""
        # Our own `attempts` bound the recoveries: DBOS would end the workflow without `clean_up`.
        DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)(self._workflow())

    def running(self) -> frozenset[str]:
        """Return the ids of jobs with a running stage in this process."""
        return frozenset(self._running)

    def active(self) -> frozenset[str]:
        """Return the ids of jobs with a workflow in this process, also between two stages."""
        return frozenset(+self._active)

    def cancel(self, job_id: str) -> None:
        """Stop the running stage of the job, with its processes; the job then ends as cancelled."""
        self._cancelled.add(job_id)
        self._stop(job_id)

    def abandon(self, job_ids: Sequence[str] | None = None) -> None:
        """Stop the running stages, all by default, with their processes, and leave their jobs as they are.

        The process ends, or another worker has taken the jobs over.
        """
        for job_id in list(self._running) if job_ids is None else job_ids:
            self._stop(job_id)

    def _stop(self, job_id: str) -> None:
        if found := self._running.get(job_id):
            loop, task = found
            with suppress(RuntimeError):  # the loop has ended
                # The dispatcher calls this from a thread, but only the loop's own thread may cancel a task.
                loop.call_soon_threadsafe(task.cancel)

    def _workflow(self) -> Callable[[str], Awaitable[str]]:
        async def extract(job_id: str) -> str:
            self._active[job_id] += 1
            try:
                with logged_for(connection=job_id.partition(":")[0], job=job_id):
                    return await self._run(job_id)
            finally:
                self._active[job_id] -= 1

        return extract

    async def _run(self, job_id: str) -> str:
        """Run the stages of the job; what DBOS has stored of an earlier attempt is not run again."""
        with suppress(UnknownNameError):
            # Outside of a step: each execution of the workflow has to count as an attempt.
            await self._with_state(start_job, job_id, self._worker)
        results: dict[str, Result] = {}
        outcome = StageOutcome(status="done")
        position = detours = 0
        while position < len(STAGES):
            stage = STAGES[position]
            # DBOS may break off a preemptible step; `clean_up` has to run to its end.
            stored = await DBOS.run_step_async(
                {"name": stage.value, "preemptible": True}, self._stage, job_id, stage.value, results
            )
            outcome = StageOutcome(**stored)
            if outcome.status == "gone":
                if detours < self._retries.detours:
                    detours += 1
                    # After RESOLVE: the job keeps its commit, also if the branch has moved meanwhile.
                    position = STAGES.index(Stage.CLONE)
                    continue
                outcome = _lost(stage)
            results[stage.value] = outcome.result
            if outcome.status not in ("done", "skipped") or outcome.result.get("ends"):
                break
            after = outcome.result.get("next")
            position = position + 1 if after is None else STAGES.index(Stage(after))
        await DBOS.run_step_async(
            {"name": Stage.CLEAN_UP.value}, self._clean_up, job_id, asdict(outcome), results
        )
        return outcome.status

    async def _stage(self, job_id: str, name: str, results: Mapping[str, Result]) -> dict[str, Any]:
        stage, began = Stage(name), time.monotonic()
        try:
            outcome = await self._attempt(job_id, stage, results)
            STAGES_SECONDS.observe(time.monotonic() - began, name, outcome.status)
            message = outcome.error or str(outcome.result.get("message") or "")
            await self._add_event(job_id, stage, outcome.status, message)
        except UnknownNameError:  # the connection was removed with its jobs
            outcome = _CANCELLED
        return asdict(outcome)

    async def _attempt(self, job_id: str, stage: Stage, results: Mapping[str, Result]) -> StageOutcome:
        # Two executions in one folder would kill each other's processes and overwrite each other's files.
        await self._stop_older(job_id)
        commit = _merged(results).get("commit_sha")
        job = await self._with_state(set_stage, job_id, stage, commit_sha=commit)
        if job.status.is_over:
            return _CANCELLED
        if job.attempts > self._retries.resumptions:
            return StageOutcome(
                status="failed",
                error=f"The job was interrupted {job.attempts - 1} times, the last time in {stage.value}",
                hint="check the memory of the worker and its log",
                failure=INTERRUPTED,
            )
        await asyncio.to_thread(kill_all_left, job_folder(self._work, job_id))
        await self._add_event(job_id, stage, "started", "")
        run = await self._job_run(job, stage, results)
        task = asyncio.ensure_future(self._in_turn(stage, run))
        self._running[job_id] = (asyncio.get_running_loop(), task)
        try:
            result = dict(await task)
            return StageOutcome(status="skipped" if result.get("is_skipped") else "done", result=result)
        except RecceMetaError as error:
            failure = failure_of(error, stage).kind
            found = {"figures": run.figures}
            return StageOutcome(
                status="failed", result=found, error=error.message, hint=error.hint, failure=failure
            )
        except FolderGone:
            return StageOutcome(status="gone")
        except asyncio.CancelledError:
            # Only a cancelled job ends here: raised again, the error leaves an abandoned job to be resumed.
            if task.cancelled() and job_id in self._cancelled:
                return _CANCELLED
            raise
        finally:
            # A newer execution may have put its own task here meanwhile.
            if self._running.get(job_id, (None, None))[1] is task:
                del self._running[job_id]

    async def _job_run(self, job: ExtractionJob, stage: Stage, results: Mapping[str, Result]) -> JobRun:
        async def log(message: str) -> None:
            await self._add_event(job.id, stage, "log", message)

        pull_request = None
        if job.pull_request is not None:
            pull_request = await self._with_state(get_pull_request, job.connection_id, job.pull_request)
        return JobRun(
            job=job,
            pull_request=pull_request,
            connection=await self._with_state(get_connection, job.connection_id),
            folder=job_folder(self._work, job.id),
            results=results,
            log=log,
        )

    async def _stop_older(self, job_id: str) -> None:
        """Stop the stage of an execution that was taken over, by this worker again."""
        if found := self._running.get(job_id):
            found[1].cancel()
            await asyncio.wait([found[1]])

    async def _in_turn(self, stage: Stage, run: JobRun) -> Result:
        """Run the stage, in a slot if it computes."""
        # The database of a connection computes, and not this machine.
        if stage not in _COMPUTING or run.connection.database is not None:
            return await self._working(stage, run, nullcontext)
        rank = rank_of(run.job.source, is_fork=run.pull_request is not None and run.pull_request.is_fork)
        async with self._slots.taken(run.job.id, rank, run.connection.repo_url) as slot:
            return await self._working(stage, run, slot.given_back)

    async def _working(self, stage: Stage, run: JobRun, waiting: Idle) -> Result:
        """Run the stage; an interruption counts as one of the job, except in a block of *waiting*."""

        @asynccontextmanager
        async def idle() -> AsyncIterator[None]:
            await self._with_state(note_work, run.job.id, False)
            async with waiting():
                yield
            await self._with_state(note_work, run.job.id, True)

        await self._with_state(note_work, run.job.id, True)
        return await self._healing(stage, replace(run, idle=idle))

    async def _healing(self, stage: Stage, run: JobRun) -> Result:
        """Run the stage, again after a delay if its failure may heal."""
        for delay in (*self._retries.delays, None):
            try:
                # The copies share the dictionary `figures`, so that all attempts add to the same sums.
                with _disk_errors():
                    await asyncio.to_thread(_make_folder, run.folder, self._state.id, run.job.id)
                    return await self._stages[stage](run)
            except RecceMetaError as error:
                failure = failure_of(error, stage)
                if delay is None or not failure.can_retry:
                    raise
                if failure.retry_after is not None:
                    delay = min(max(delay, failure.retry_after), self._retries.longest)
                # Jobs that failed together, such as in an outage of the forge, must not return together.
                seconds = delay * (1 + random.random() * self._retries.jitter)
                await run.log(f"{error.message}; trying again in {seconds:.0f} s")
                async with run.idle():
                    await asyncio.sleep(seconds)
        raise AssertionError("the last attempt returns or raises")

    async def _clean_up(
        self, job_id: str, stored: dict[str, Any], results: Mapping[str, Result]
    ) -> dict[str, Any]:
        # The outcome is stored in any case: the run of a job may be recorded already.
        with _logged(job_id), suppress(UnknownNameError):  # the connection was removed with its jobs
            job = await self._with_state(set_stage, job_id, Stage.CLEAN_UP)
            if (remove := self._stages.get(Stage.CLEAN_UP)) is not None:
                await remove(await self._job_run(job, Stage.CLEAN_UP, results))
        # Before the outcome is stored, so that a job that is over has left no files and no processes.
        with _logged(job_id):
            await asyncio.to_thread(remove_folder, job_folder(self._work, job_id))
        self._cancelled.discard(job_id)
        with suppress(UnknownNameError):
            await self._with_state(finish, job_id, StageOutcome(**stored), results)
        return {}

    async def _add_event(self, job_id: str, stage: Stage, status: str, message: str) -> None:
        # Lines of a program are many.
        level = logging.DEBUG if status == "log" else logging.INFO
        log.log(level, "%s %s%s", stage.value, status, message and f": {message}")
        # A program can print lines of any length, and each line is a row that pages load.
        await self._with_state(add_event, job_id, stage, status, message[:EVENT_LENGTH])

    async def _with_state(
        self, act: Callable[Concatenate[State, Given], Value], *given: Given.args, **named: Given.kwargs
    ) -> Value:
        """Return what *act* returns; call it again after a delay if the database of the state fails."""
        for delay in (*self._retries.state_delays, None):
            try:
                return await asyncio.to_thread(act, self._state, *given, **named)
            except WarehouseError as error:
                if delay is None:
                    raise
                log.warning("%s; trying again in %g s", first_line(error), delay)
                await asyncio.sleep(delay)
        raise AssertionError("the last attempt returns or raises")


@contextmanager
def _logged(job_id: str) -> Iterator[None]:
    """Log a failure to clean up; later jobs and the cleaning of the worker remove what is left."""
    try:
        yield
    except (RecceMetaError, OSError, SQLAlchemyError) as error:
        log.warning("the cleanup of job %s failed: %s", job_id, first_line(error))


def _make_folder(folder: Path, state_id: str, job_id: str) -> None:
    """Make the folder of the job, unless an earlier stage has made it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / JOB_FILE
    if not file.exists():
        # Workers read the file at any moment, and remove folders of jobs that are over.
        written = file.with_suffix(".new")
        written.write_text(f"{state_id}\n{job_id}", encoding="utf-8")
        written.replace(file)


def kill_all_left(folder: Path) -> None:
    """Kill the processes that an earlier attempt of the job of *folder* left on this machine."""
    for pid_file in folder.glob(f"*{PID_SUFFIX}"):
        kill_left(pid_file)


def remove_folder(folder: Path) -> None:
    """Kill the processes that the job of *folder* left, and remove the folder.

    It stays for a later cleaning if a process cannot be killed.
    """
    kill_all_left(folder)
    if any(folder.glob(f"*{PID_SUFFIX}")):
        return
    with suppress(FileNotFoundError):
        shutil.rmtree(folder)


def _merged(results: Mapping[str, Result]) -> dict[str, Any]:
    """Return the members of all results; those of later stages win."""
    # Stages are in the order of their first run, which a detour to `clone` does not change.
    return {name: value for result in results.values() for name, value in result.items()}


_STATUSES = {"failed": JobStatus.FAILED, "cancelled": JobStatus.CANCELLED}


def finish(state: State, job_id: str, outcome: StageOutcome, results: Mapping[str, Result]) -> None:
    """Store the outcome of the job, with what its stages found, in the job and in its connection."""
    found = _merged(results)
    found.pop("figures", None)
    figures = [result["figures"] for result in results.values() if "figures" in result]
    job = finish_job(
        state,
        job_id,
        _STATUSES.get(outcome.status, JobStatus.SUCCESS),
        replace(
            convert(found, JobOutcome),
            error=outcome.error,
            hint=outcome.hint,
            failure=outcome.failure or found.get("failure"),
            figures=JobFigures(
                cpu_seconds=sum(one.get("cpu_seconds", 0) for one in figures),
                peak_memory=max((one.get("peak_memory", 0) for one in figures), default=0),
                fetched=sum(one.get("fetched", 0) for one in figures),
                **found.get("counts", {}),
            ),
        ),
    )
    if job.started_at is not None and job.ended_at is not None:
        JOBS.observe((job.ended_at - job.started_at).total_seconds(), job.status.value)
    note_outcome(state, job, manifest_version=found.get("manifest_version"))
    add_follow_up(state, job)
