"""Jobs and duties of a worker without DBOS: outcomes, leftovers of jobs, and failures of the state."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from recce_meta.errors import ConnectionFailed, UsageError
from recce_meta.models.run import Trigger
from recce_meta.repositories import worker as worker_module
from recce_meta.repositories.extraction import workflow
from recce_meta.repositories.extraction.workflow import (
    JOB_FILE,
    STAGES,
    Extractions,
    FolderGone,
    JobRun,
    Result,
    Retries,
    StageFunction,
    job_folder,
)
from recce_meta.repositories.state.connections import add_connection, remove_connection
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import get_job, request_job, start_job
from recce_meta.repositories.state.types import ExtractionJob, JobRequest, JobStatus, Stage
from recce_meta.repositories.state.workers import beat, list_workers
from recce_meta.repositories.worker import Dispatcher, Worker, WorkerSettings
from tests.support import states

RETRIES = Retries(delays=(), state_delays=(0, 0))


class Steps:
    """Steps of DBOS, which are run and not stored."""

    @staticmethod
    async def run_step_async(_: object, step: Callable[..., Awaitable[Any]], *given: object) -> Any:
        """Run *step*."""
        return await step(*given)


@pytest.fixture
def new_state(tmp_path: Path) -> Iterator[Callable[[], State]]:
    """Yield a function that opens a new state."""
    with ExitStack() as stack:
        numbers = iter(range(10))
        yield lambda: stack.enter_context(states.opened(f"sqlite:///{tmp_path / f'{next(numbers)}.db'}"))


def running_job(state: State, work: Path) -> tuple[str, Path]:
    """Start a job with a folder in *work*, and return its connection and the folder."""
    connection = add_connection(state, states.shop())
    job = request_job(
        state, connection.id, JobRequest(branch="main", trigger=Trigger.MANUAL, requested_by="test")
    ).job
    start_job(state, job.id, "elsewhere")
    folder = job_folder(work, job.id)
    workflow._make_folder(folder, state.id, job.id)
    return connection.id, folder


def test_only_folders_of_the_own_state_are_removed(new_state: Callable[[], State], tmp_path: Path) -> None:
    """Workers of two states share a work folder; a connection that one does not have is not over."""
    first, second, work = new_state(), new_state(), tmp_path / "work"
    connection, folder = running_job(first, work)
    own = Worker(first, {}, WorkerSettings(work=work))

    Worker(second, {}, WorkerSettings(work=work))._remove_leftovers()
    own._remove_leftovers()
    assert folder.exists()
    remove_connection(first, connection)
    own._remove_leftovers()
    assert not folder.exists()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\n\xff"])
def test_a_folder_without_a_readable_job_is_left(
    new_state: Callable[[], State], tmp_path: Path, content: bytes
) -> None:
    """The file with the job may be read at the moment in which it is written."""
    state, work = new_state(), tmp_path / "work"
    _, folder = running_job(state, work)
    (folder / JOB_FILE).write_bytes(content)

    Worker(state, {}, WorkerSettings(work=work))._remove_leftovers()

    assert folder.exists()


def test_the_file_of_a_job_is_written_once(new_state: Callable[[], State], tmp_path: Path) -> None:
    """Later stages of a job do not touch the file that other workers read."""
    state = new_state()
    _, folder = running_job(state, tmp_path)
    written = (folder / JOB_FILE).stat()

    workflow._make_folder(folder, state.id, "other")

    assert (folder / JOB_FILE).stat() == written
    assert [file.name for file in folder.iterdir()] == [JOB_FILE]


def run_job(
    state: State, work: Path, stages: Mapping[Stage, StageFunction], monkeypatch: pytest.MonkeyPatch
) -> ExtractionJob:
    """Run a job with *stages*, and with others that do nothing; return it when it is over."""

    async def nothing(_: JobRun) -> Result:
        return {}

    monkeypatch.setattr(workflow, "DBOS", Steps)
    connection = add_connection(state, states.shop())
    job = request_job(
        state, connection.id, JobRequest(branch="main", trigger=Trigger.MANUAL, requested_by="test")
    ).job
    every = dict.fromkeys(STAGES, nothing) | dict(stages)
    extractions = Extractions(state, every, worker="first", work=work, retries=RETRIES, slots=2)
    asyncio.run(extractions._run(job.id))
    return get_job(state, job.id)


def test_a_job_whose_checkout_is_lost_again_and_again_fails(
    new_state: Callable[[], State], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job without a run is not a success."""

    async def gone(_: JobRun) -> Result:
        raise FolderGone

    job = run_job(new_state(), tmp_path, {Stage.PARSE: gone}, monkeypatch)

    assert (job.status, job.failure, job.run_id) == (JobStatus.FAILED, "interrupted", None)
    assert job.error == "The checkout is missing in parse, after several clones"
    assert job.hint


def test_a_job_outlasts_a_short_outage_of_the_state(
    new_state: Callable[[], State], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each write between and after the stages is tried again."""
    write, writes = State.write, iter(range(1_000))

    @contextmanager
    def unsteady(state: State) -> Iterator[Connection]:
        with write(state) as session:
            in_job = threading.current_thread() is not threading.main_thread()
            # Not every third: the outcome takes three writes, which are tried again together.
            if in_job and next(writes) % 4 == 0:
                raise ConnectionFailed("the server restarts")
            yield session

    monkeypatch.setattr(State, "write", unsteady)
    job = run_job(new_state(), tmp_path, {}, monkeypatch)

    assert (job.status, job.attempts) == (JobStatus.SUCCESS, 1)
    assert next(writes) > 20


@pytest.mark.parametrize("error", [ConnectionFailed("the server restarts"), PermissionError("a folder")])
def test_a_failed_cleanup_does_not_change_the_outcome(
    new_state: Callable[[], State],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    """The run is recorded already, and later jobs remove what is left."""

    async def fail(_: JobRun) -> Result:
        raise error

    def remain(_: Path) -> None:
        raise OSError("a file of another user")

    monkeypatch.setattr(workflow, "remove_folder", remain)
    job = run_job(new_state(), tmp_path, {Stage.CLEAN_UP: fail}, monkeypatch)

    assert job.status is JobStatus.SUCCESS
    assert f"the cleanup of job {job.id} failed: {error}" in caplog.text
    assert f"the cleanup of job {job.id} failed: a file of another user" in caplog.text


def test_a_defect_of_one_duty_does_not_end_the_others(
    new_state: Callable[[], State],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A worker that keeps its heartbeat keeps its duties: no other worker would do them."""
    sweeps = iter(("a defect", "the end"))

    def sweep(found: Worker, _: object) -> bool:
        if next(sweeps) == "a defect":
            raise KeyError("a defect")
        found._is_stopping.set()
        return False

    def dispatch(_: object) -> None:
        raise RuntimeError("can't start new thread")

    worker = Worker(
        new_state(), {}, WorkerSettings(work=tmp_path, name="first", beat_seconds=0, tick_seconds=0)
    )
    worker._slot = worker_module._take_slot(tmp_path, "first")
    worker._extractions = Extractions(
        worker._state, {}, worker="first", work=tmp_path, retries=RETRIES, slots=2
    )
    monkeypatch.setattr(Worker, "_sweep", sweep)
    monkeypatch.setattr(Dispatcher, "dispatch", dispatch)

    asyncio.run(worker._attend())

    worker._slot.close()
    assert next(sweeps, None) is None
    assert "the worker's sweep failed: KeyError: 'a defect'" in caplog.text
    assert "the worker's queue failed: RuntimeError: can't start new thread" in caplog.text


def test_a_refused_name_stays_that_of_the_other_machine(
    new_state: Callable[[], State], tmp_path: Path
) -> None:
    """The heartbeat of the other machine remains, so that its jobs are not taken over."""
    state = new_state()
    beat(state, "first", host="elsewhere", pid=1)
    worker = Worker(state, {}, WorkerSettings(work=tmp_path, name="first"))

    with pytest.raises(UsageError, match="A worker named first runs on elsewhere"):
        worker.start()
    worker.stop()

    assert [one.host for one in list_workers(state)] == ["elsewhere"]
