"""Jobs in the state, on SQLite and PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta, timezone
from multiprocessing import get_context

import pytest

from recce_meta.errors import UnknownNameError
from recce_meta.models.run import ExtractionTier, IsolationKind, Trigger
from recce_meta.repositories.state import connections, jobs, tables, uploads
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import Requested
from recce_meta.repositories.state.types import (
    ConnectionStatus,
    JobFigures,
    JobOutcome,
    JobRequest,
    JobStatus,
    RepositoryConnection,
    Stage,
)
from tests.support import states

THREADS = 100
PROCESSES = 3


@pytest.fixture
def shop(state: State) -> RepositoryConnection:
    """Return a stored connection."""
    return connections.add_connection(state, states.shop())


def request_job(state: State, shop: RepositoryConnection, branch: str = "main", **options: bool) -> Requested:
    """Request a job by hand."""
    return jobs.request_job(
        state, shop.id, JobRequest(branch=branch, trigger=Trigger.MANUAL, requested_by="ada", **options)
    )


def test_a_hundred_concurrent_requests_create_one_job(state: State, shop: RepositoryConnection) -> None:
    answers = states.at_once(THREADS, lambda: request_job(state, shop))

    assert {answer.job.id for answer in answers} == {f"{shop.id}:main:1"}
    assert [answer.joined for answer in answers].count(False) == 1
    assert len(jobs.list_jobs(state, shop.id)) == 1


@pytest.mark.extensive
def test_requests_of_several_processes_create_one_job(
    url: str, state: State, shop: RepositoryConnection
) -> None:
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        waiting = [
            pool.submit(states.request_in_process, url, shop.id, THREADS // PROCESSES)
            for _ in range(PROCESSES)
        ]
        answers = [answer for future in waiting for answer in future.result()]

    assert {job_id for job_id, _ in answers} == {f"{shop.id}:main:1"}
    assert [joined for _, joined in answers].count(False) == 1


@pytest.mark.extensive
def test_several_processes_create_a_state_at_once(url: str) -> None:
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(states.open_in_process, url, 8) for _ in range(PROCESSES)]

        assert [future.result() for future in waiting] == [8] * PROCESSES


def test_a_request_during_a_run_creates_one_waiting_job(state: State, shop: RepositoryConnection) -> None:
    first = request_job(state, shop).job
    jobs.start_job(state, first.id, "worker-1")

    second, third = request_job(state, shop), request_job(state, shop)

    assert (second.job.id, second.joined) == (f"{shop.id}:main:2", False)
    assert (third.job.id, third.joined) == (second.job.id, True)
    assert [job.id for job in jobs.active_jobs(state)] == [first.id, second.job.id]
    assert jobs.current_job(state, shop.id) == jobs.get_job(state, first.id)


def test_branches_wait_apart_and_count_their_jobs_apart(state: State, shop: RepositoryConnection) -> None:
    ids = [request_job(state, shop, branch).job.id for branch in ("main", "feature/x:y", "main")]

    assert ids == [f"{shop.id}:main:1", f"{shop.id}:feature/x:y:1", f"{shop.id}:main:1"]


def test_a_forced_request_makes_the_waiting_job_forced(state: State, shop: RepositoryConnection) -> None:
    assert not request_job(state, shop).job.is_forced

    forced = request_job(state, shop, is_forced=True)

    assert (forced.joined, forced.job.is_forced) == (True, True)
    assert request_job(state, shop).job.is_forced


def test_a_job_needs_a_connection(state: State) -> None:
    with pytest.raises(UnknownNameError, match="Unknown connection 'nope'"):
        jobs.request_job(
            state, "nope", JobRequest(branch="main", trigger=Trigger.POLL, requested_by="poller")
        )
    for call in (
        lambda: jobs.get_job(state, "nope"),
        lambda: jobs.start_job(state, "nope", "worker-1"),
        lambda: jobs.add_event(state, "nope", None, "log"),
    ):
        with pytest.raises(UnknownNameError, match="Unknown job 'nope'"):
            call()


def test_a_job_goes_through_its_stages_and_stores_its_outcome(
    state: State, shop: RepositoryConnection
) -> None:
    job = request_job(state, shop).job
    started = jobs.start_job(state, job.id, "worker-1")
    assert (started.status, started.attempts, started.worker) == (JobStatus.RUNNING, 1, "worker-1")
    assert connections.get_connection(state, "shop").status is ConnectionStatus.EXTRACTING
    # Only an interruption of work counts: not one before the first stage has its turn, nor in a wait.
    for work, attempts in (((), 1), ((True,), 2), ((), 2), ((True, False), 2), ((True, False, True), 3)):
        for is_working in work:
            jobs.note_work(state, job.id, is_working)
        resumed = jobs.start_job(state, job.id, "worker-2")
        assert (resumed.attempts, resumed.worker) == (attempts, "worker-2")
        assert resumed.started_at == started.started_at
    staged = jobs.set_stage(state, job.id, Stage.CLONE, commit_sha="c0ffee")
    assert (staged.stage, staged.commit_sha) == (Stage.CLONE, "c0ffee")

    ended = jobs.finish_job(
        state,
        job.id,
        JobStatus.SUCCESS,
        JobOutcome(
            run_id="run-1",
            is_new=True,
            tier=ExtractionTier.SILVER,
            isolation=IsolationKind.BUBBLEWRAP,
            dbt_version="1.10.2",
            fallback="dbt failed",
            figures=JobFigures(seconds=3.5, cpu_seconds=2.5, peak_memory=2**33, fetched=2**40, objects=7),
        ),
    )

    assert ended == jobs.get_job(state, job.id)
    assert (ended.status, ended.stage, ended.commit_sha) == (JobStatus.SUCCESS, Stage.CLONE, "c0ffee")
    assert (ended.run_id, ended.is_new, ended.tier) == ("run-1", True, ExtractionTier.SILVER)
    assert (ended.isolation, ended.dbt_version) == (IsolationKind.BUBBLEWRAP, "1.10.2")
    assert ended.figures == JobFigures(
        seconds=3.5, cpu_seconds=2.5, peak_memory=2**33, fetched=2**40, objects=7
    )
    assert (
        ended.requested_at
        <= (ended.started_at or ended.requested_at)
        <= (ended.ended_at or ended.requested_at)
    )
    assert jobs.active_jobs(state) == []


def test_the_first_outcome_stays(state: State, shop: RepositoryConnection) -> None:
    job = request_job(state, shop).job
    jobs.start_job(state, job.id, "worker-1")
    cancelled = jobs.request_cancel(state, job.id)

    assert cancelled.status is JobStatus.CANCELLED
    assert cancelled.figures.seconds is not None
    assert jobs.finish_job(state, job.id, JobStatus.SUCCESS, JobOutcome(run_id="late")) == cancelled
    assert jobs.start_job(state, job.id, "worker-2") == cancelled
    assert jobs.set_stage(state, job.id, Stage.STORE) == cancelled
    assert jobs.request_cancel(state, job.id) == cancelled


def test_a_cancelled_job_that_waited_makes_room(state: State, shop: RepositoryConnection) -> None:
    waiting = request_job(state, shop).job

    assert jobs.request_cancel(state, waiting.id).status is JobStatus.CANCELLED
    assert request_job(state, shop).job.number == 2


def test_events_are_numbered_without_gaps_whoever_writes_them(
    state: State, shop: RepositoryConnection
) -> None:
    job = request_job(state, shop).job
    positions = states.at_once(20, lambda: jobs.add_event(state, job.id, Stage.PARSE, "log", "a line"))
    last = jobs.add_event(state, job.id, None, "log", "ünï")

    assert sorted(positions) == [*range(1, 21)]
    assert [event.seq for event in jobs.events_after(state, job.id)] == [*range(1, 22)]
    (event,) = jobs.events_after(state, job.id, 20)
    assert (event.seq, event.stage, event.status, event.message) == (last, None, "log", "ünï")


def test_history_is_paged_from_the_newest(state: State, shop: RepositoryConnection) -> None:
    ids = []
    for _ in range(5):
        ids.append(request_job(state, shop).job.id)
        jobs.request_cancel(state, ids[-1])

    newest = jobs.list_jobs(state, shop.id, limit=2)
    older = jobs.list_jobs(state, shop.id, limit=10, before=newest[-1].id)

    assert [job.id for job in (*newest, *older)] == ids[::-1]


def test_statistics_summarise_the_jobs_of_the_last_days(state: State, shop: RepositoryConnection) -> None:
    for number in range(3):
        job = request_job(state, shop).job
        jobs.start_job(state, job.id, "worker-1")
        for status in ("started", "failed", "started", "done"):
            jobs.add_event(state, job.id, Stage.PARSE, status)
        jobs.add_event(state, job.id, Stage.CLONE, "started")
        outcome = JobStatus.SUCCESS if number else JobStatus.FAILED
        figures = JobFigures(seconds=2.0, objects=number * 10)
        jobs.finish_job(state, job.id, outcome, JobOutcome(error=None if number else "bad", figures=figures))
    request_job(state, shop)

    found = jobs.job_statistics(state, shop.id, 7)

    assert found.jobs == {"pending": 1, "running": 0, "success": 2, "failed": 1, "cancelled": 0}
    assert [(stage.stage, stage.jobs) for stage in found.stages] == [(Stage.PARSE, 3)]
    assert 0 <= found.stages[0].median <= found.stages[0].percentile_95
    assert [job.number for job in found.last_successes] == [3, 2]
    assert [job.error for job in found.last_failures] == ["bad"]
    assert [(one.job_id[-1], one.objects) for one in found.objects] == [("2", 10), ("3", 20)]
    assert found.seconds == 6
    later = datetime.now(timezone.utc) + timedelta(days=8)
    assert jobs.job_statistics(state, shop.id, 7, now=later).seconds == 0


def test_the_nearest_rank_is_the_percentile() -> None:
    seconds = [float(second) for second in range(1, 41)]

    assert jobs._summary(Stage.PARSE, seconds).percentile_95 == 38
    assert jobs._summary(Stage.PARSE, seconds[:1]).percentile_95 == 1


def test_outcomes_become_those_of_the_connection(state: State, shop: RepositoryConnection) -> None:
    def finish(branch: str, status: JobStatus, **outcome: str) -> None:
        job = request_job(state, shop, branch).job
        jobs.start_job(state, job.id, "worker-1")
        ended = jobs.finish_job(state, job.id, status, JobOutcome(tier=ExtractionTier.GOLD, **outcome))
        connections.note_outcome(state, ended, manifest_version="v12")

    finish("main", JobStatus.SUCCESS, commit_sha="a1", dbt_version="1.10.2")
    good = connections.get_connection(state, shop.id)
    finish("dev", JobStatus.FAILED, commit_sha="b1", error="no dbt project")
    bad = connections.get_connection(state, shop.id)
    finish("dev", JobStatus.CANCELLED)
    assert connections.get_connection(state, shop.id) == bad
    finish("dev", JobStatus.SUCCESS, commit_sha="b2")
    mended = connections.get_connection(state, shop.id)

    assert (good.status, good.error, good.last_commit_sha) == (ConnectionStatus.ACTIVE, None, "a1")
    assert (good.tier, good.last_dbt_version) == (ExtractionTier.GOLD, "1.10.2")
    assert (good.manifest_version, good.last_extraction_at is None) == ("v12", False)
    assert (bad.status, bad.error) == (ConnectionStatus.FAILED, "no dbt project")
    assert mended == good
    last = connections.last_commits(state, [shop.id])
    assert {branch: one.sha for (_, branch), one in last.items()} == {"main": "a1", "dev": "b2"}


def test_failures_of_the_last_commit_are_counted(state: State, shop: RepositoryConnection) -> None:
    def finish(status: JobStatus, **outcome: str) -> None:
        job = request_job(state, shop).job
        jobs.start_job(state, job.id, "worker-1")
        jobs.finish_job(state, job.id, status, JobOutcome(**outcome))

    for commit in ("a1", "b2", "b2"):
        finish(JobStatus.FAILED, commit_sha=commit, failure="store")
    finish(JobStatus.FAILED, failure="token")  # before the commit was known

    (last,) = connections.last_commits(state, [shop.id]).values()
    assert (last.sha, last.failure, last.failures) == ("b2", "store", 2)


def test_an_upload_of_a_dead_process_fails(state: State, shop: RepositoryConnection) -> None:
    first, second = (uploads.begin_upload(state, shop.id, "main", requested_by="ada") for _ in range(2))
    uploads.fail_stale_uploads(state)
    assert jobs.get_job(state, first.id) == first
    with state.write() as session:
        old = datetime.now(timezone.utc) - uploads.LONGEST
        session.execute(tables.jobs.update().filter_by(id=first.id).values(started_at=old))

    uploads.fail_stale_uploads(state)

    stale = jobs.get_job(state, first.id)
    assert (stale.status, stale.error) == (JobStatus.FAILED, "The server ended during the upload")
    assert jobs.get_job(state, second.id) == second


def test_the_last_run_of_a_branch_is_found_behind_any_number_of_jobs(
    state: State, shop: RepositoryConnection
) -> None:
    def finish(branch: str, status: JobStatus, run_id: str | None) -> None:
        jobs.finish_job(state, request_job(state, shop, branch).job.id, status, JobOutcome(run_id=run_id))

    assert jobs.last_run(state, shop.id, "main") is None
    for branch, status, run_id in (
        ("main", JobStatus.SUCCESS, "first"),
        ("main", JobStatus.SUCCESS, "second"),
        ("dev", JobStatus.SUCCESS, "other"),
        ("main", JobStatus.FAILED, None),
        ("main", JobStatus.CANCELLED, None),
    ):
        finish(branch, status, run_id)

    assert jobs.last_run(state, shop.id, "main") == "second"
    assert jobs.last_run(state, shop.id, "dev") == "other"
