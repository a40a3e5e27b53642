"""Jobs survive their workers: kill -9 in each stage, restart and takeover, on SQLite and PostgreSQL.

The suite runs a part of the matrix; RECCE_META_WHOLE_MATRIX=1 runs all of it.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise, product
from pathlib import Path

import pytest

from recce_meta.repositories.extraction.workflow import STAGES
from recce_meta.repositories.state.connections import get_connection, remove_connection
from recce_meta.repositories.state.jobs import events_after, get_job, list_jobs, request_cancel
from recce_meta.repositories.state.types import JobStatus, Stage
from recce_meta.repositories.state.workers import list_workers
from tests.contract.repositories.fleet import Fleet, fleet_on
from tests.proofs import sampled

pytestmark = pytest.mark.extensive

MATRIX = list(product(("sqlite", "postgres"), ("restart", "takeover"), STAGES))
PART = [
    ("sqlite", "restart", Stage.PARSE),
    ("sqlite", "takeover", Stage.STORE),
    ("postgres", "restart", Stage.RESOLVE),
    ("postgres", "takeover", Stage.CLONE),
    ("postgres", "takeover", Stage.EXTRACT),
]
Fleets = Callable[[str], Fleet]


@pytest.fixture
def fleets(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Fleets]:
    """Yield a function that returns a fleet with a state in `sqlite` or `postgres`."""
    with ExitStack() as opened:
        yield lambda kind: opened.enter_context(
            fleet_on(request.getfixturevalue("postgres_url") if kind == "postgres" else None, tmp_path)
        )


def begun(fleet: Fleet, stage: Stage) -> Callable[[], bool]:
    return lambda: f"{stage.value} begins" in fleet.log and bool(fleet.processes())


@pytest.mark.parametrize(("kind", "way", "stage"), sampled(MATRIX, PART))
def test_a_killed_worker(fleets: Fleets, kind: str, way: str, stage: Stage) -> None:
    """kill -9 of the worker in a stage: the job finishes once, and nothing is left."""
    fleet = fleets(kind)
    job_id = fleet.request(fleet.connect()).job.id
    worker = fleet.start("first", seconds={stage.value: 600})
    fleet.wait_for(begun(fleet, stage), "the stage")
    other = fleet.start("second", seconds={stage.value: 0.1}) if way == "takeover" else None
    worker.kill()
    worker.wait()
    if other is None:
        fleet.start("first", seconds={stage.value: 0.1})
    job = fleet.finished(job_id)
    assert (job.status, job.attempts, job.worker) == (
        JobStatus.SUCCESS, 2, "first" if way == "restart" else "second"
    )  # fmt: skip
    for one in STAGES:
        assert fleet.log.count(f"{job_id} {one.value} begins") == 1 + (one is stage)
        assert fleet.log.count(f"{job_id} {one.value} ends") == 1
    assert fleet.runs() == [f"{job.connection_id}-c1"]
    fleet.assert_clean()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_killed_machine(fleets: Fleets, kind: str) -> None:
    """The worker of another machine does not have the checkout: the job goes back to `clone`."""
    fleet = fleets(kind)
    job_id = fleet.request(fleet.connect()).job.id
    worker = fleet.start("first", seconds={"parse": 600})
    fleet.wait_for(begun(fleet, Stage.PARSE), "the stage")
    fleet.start("second", work="work-2")
    worker.kill()
    job = fleet.finished(job_id)
    assert job.status is JobStatus.SUCCESS
    assert f"{job_id} parse gone" in fleet.log
    assert fleet.log.count("clone ends") == 2
    assert [event.status for event in events_after(fleet.state, job_id) if event.stage is Stage.PARSE] == [
        "started", "started", "gone", "started", "done"
    ]  # fmt: skip
    fleet.wait_for(lambda: not fleet.processes(), "the end of all processes")
    fleet.start("first")  # the machine is back
    fleet.assert_clean()


def test_a_stopped_worker(fleets: Fleets) -> None:
    """SIGTERM kills the processes of the job, and another worker takes it over at once."""
    fleet = fleets("postgres")
    job_id = fleet.request(fleet.connect()).job.id
    worker = fleet.start("first", seconds={"parse": 600})
    fleet.wait_for(begun(fleet, Stage.PARSE), "the stage")
    worker.terminate()
    assert worker.wait(60) == 0
    assert not fleet.processes()
    assert not list_workers(fleet.state)
    fleet.start("second", stale=600)
    assert fleet.finished(job_id).worker == "second"
    fleet.assert_clean()


def test_a_paused_worker(fleets: Fleets) -> None:
    """A worker that was suspended, and goes on after its job was taken over, changes nothing."""
    fleet = fleets("postgres")
    job_id = fleet.request(fleet.connect()).job.id
    # The heartbeat of the second may be late on a busy machine: the first must not take the job back.
    worker = fleet.start("first", seconds={"parse": 600}, stale=600)
    fleet.wait_for(begun(fleet, Stage.PARSE), "the stage")
    worker.send_signal(signal.SIGSTOP)
    fleet.start("second", seconds={"parse": 1, "extract": 1})
    fleet.wait_for(lambda: get_job(fleet.state, job_id).worker == "second", "the takeover")
    worker.send_signal(signal.SIGCONT)
    job = fleet.finished(job_id)
    assert (job.status, job.worker, job.attempts) == (JobStatus.SUCCESS, "second", 2)
    assert fleet.log.count("store begins") == 1
    fleet.assert_clean()
    assert worker.poll() is None


@pytest.mark.parametrize("stage", sampled(STAGES, STAGES[3:4]))
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_cancel(fleets: Fleets, kind: str, stage: Stage) -> None:
    """A cancelled job ends with its processes, and the branch's next job runs."""
    fleet = fleets(kind)
    connection = fleet.connect()
    job_id = fleet.request(connection).job.id
    fleet.start("first", seconds={stage.value: 600})
    fleet.wait_for(begun(fleet, stage), "the stage")
    request_cancel(fleet.state, job_id)
    fleet.assert_clean()
    assert f"{stage.value} ends" not in fleet.log
    assert fleet.runs() == []
    assert get_job(fleet.state, job_id).status is JobStatus.CANCELLED
    waiting = fleet.request(connection).job.id
    assert waiting.endswith(":2")
    fleet.wait_for(lambda: get_job(fleet.state, waiting).status is JobStatus.RUNNING, "the next job")
    request_cancel(fleet.state, waiting)
    fleet.assert_clean()


def test_cancel_before_the_start(fleets: Fleets) -> None:
    """A waiting job that is cancelled never runs."""
    fleet = fleets("sqlite")
    connection = fleet.connect()
    request_cancel(fleet.state, fleet.request(connection).job.id)
    job = fleet.request(connection).job
    fleet.start()
    assert fleet.finished(job.id).status is JobStatus.SUCCESS
    assert fleet.log.count("begins") == len(STAGES)


def test_a_removed_connection(fleets: Fleets) -> None:
    """The job of a connection that is removed ends with its processes."""
    fleet = fleets("sqlite")
    connection = fleet.connect()
    fleet.request(connection)
    fleet.start(seconds={"parse": 600})
    fleet.wait_for(begun(fleet, Stage.PARSE), "the stage")
    remove_connection(fleet.state, connection)
    fleet.assert_clean()


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_concurrent_requests(fleets: Fleets, kind: str) -> None:
    """100 requests at the same time make one job, which runs once."""
    fleet = fleets(kind)
    connection = fleet.connect()
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: fleet.request(connection), range(100)))
    (made,) = {answer.job.id for answer in answers}
    assert [answer.joined for answer in answers].count(False) == 1
    fleet.start()
    assert fleet.finished(made).status is JobStatus.SUCCESS
    assert [job.id for job in list_jobs(fleet.state, connection)] == [made]
    assert fleet.log.count("resolve begins") == 1


def test_many_requests_make_few_jobs(fleets: Fleets) -> None:
    """Jobs of a branch keep their distance; the last one extracts the newest commit."""
    fleet = fleets("postgres")
    connection = fleet.connect()
    fleet.start(spacing=3)
    head = fleet.notes / "heads" / "main"
    for number in range(20):
        head.write_text(f"c{number}")
        last = fleet.request(connection).job.id
        if number == 0:
            fleet.wait_for(lambda job=last: get_job(fleet.state, job).status is not JobStatus.PENDING)
    assert fleet.finished(last).commit_sha == "c19"
    jobs = list_jobs(fleet.state, connection)
    assert len(jobs) <= 3
    starts = sorted(job.started_at for job in jobs if job.started_at)
    assert all((later - earlier).total_seconds() >= 3 for earlier, later in pairwise(starts))


def test_several_workers(fleets: Fleets) -> None:
    """Workers share the jobs; two jobs of a branch never run at the same time."""
    fleet = fleets("postgres")
    connections = [fleet.connect(f"shop{number}", "main", "feature/x") for number in range(4)]
    jobs = [fleet.request(one, branch).job.id for one in connections for branch in ("main", "feature/x")]
    for number in range(4):
        fleet.start(f"w{number}", seconds={"parse": 0.3}, stale=60)
    fleet.wait_for(lambda: get_job(fleet.state, jobs[0]).status is not JobStatus.PENDING)
    jobs += [fleet.request(one).job.id for one in connections]
    finished = [fleet.finished(job) for job in jobs]
    assert {job.status for job in finished} == {JobStatus.SUCCESS}
    assert len({job.worker for job in finished}) > 1
    by_branch: dict[tuple[str, str], str] = {}
    for line in fleet.log.splitlines():
        job_id, stage, what = line.split()
        branch = job_id.rpartition(":")[0]
        if (stage, what) == ("resolve", "begins"):
            assert branch not in by_branch
            by_branch[branch] = job_id
        elif (stage, what) == ("store", "ends"):
            del by_branch[branch]
    fleet.assert_clean()


def test_healing(fleets: Fleets) -> None:
    """A failure that may heal is tried again; another one, or the fourth, fails the job."""
    fleet = fleets("sqlite")
    connection = fleet.connect()
    fleet.start()
    (fleet.notes / "heals").touch()
    (fleet.notes / "fail-clone").write_text("3")
    assert fleet.finished(fleet.request(connection).job.id).status is JobStatus.SUCCESS
    assert fleet.log.count("clone begins") == 4
    (fleet.notes / "fail-clone").write_text("4")
    failed = fleet.finished(fleet.request(connection).job.id)
    assert (failed.status, failed.error, failed.failure) == (JobStatus.FAILED, "clone failed", "network")
    (fleet.notes / "heals").unlink()
    (fleet.notes / "fail-clone").write_text("1")
    assert fleet.finished(fleet.request(connection).job.id).status is JobStatus.FAILED
    assert fleet.finished(fleet.request(connection).job.id).status is JobStatus.SUCCESS
    fleet.assert_clean()


def test_a_defect_of_a_stage_fails_the_job(fleets: Fleets) -> None:
    """An unexpected exception ends the job, with its kind."""
    fleet = fleets("sqlite")
    (fleet.notes / "runs").rmdir()
    fleet.start()
    job = fleet.finished(fleet.request(fleet.connect()).job.id)
    assert (job.status, job.failure) == (JobStatus.FAILED, "unexpected")
    assert "FileNotFoundError" in (job.error or "")

    def error() -> str | None:
        return get_connection(fleet.state, job.connection_id).error

    assert fleet.wait_for(error, "the error of the connection") == job.error


def test_names_of_workers(fleets: Fleets) -> None:
    """Each worker of a machine has a name of its own; a second one of a name does not start."""
    fleet = fleets("sqlite")
    fleet.start()
    fleet.start()
    fleet.start("mine")
    assert len({worker.name for worker in list_workers(fleet.state)}) == 3
    with pytest.raises(AssertionError, match="did not start"):
        fleet.start("mine")
