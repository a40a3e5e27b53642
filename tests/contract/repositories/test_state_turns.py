"""Turns of jobs as the state has them: ranks, the last starts, and pauses after exceeded limits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import cast

import pytest
from sqlalchemy import insert, select, update

from recce_meta.models.run import Trigger
from recce_meta.repositories import worker as dispatch
from recce_meta.repositories.extraction.workflow import Extractions
from recce_meta.repositories.state import connections, jobs, tables, uploads
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.turns import Rank, read_turns
from recce_meta.repositories.state.types import (
    JobOutcome,
    JobRequest,
    JobSource,
    JobStatus,
    RepositoryConnection,
)
from tests.support import states


@pytest.fixture
def shop(state: State) -> RepositoryConnection:
    """Return a stored connection with a pull request of its own, 1, and one of a fork, 2."""
    found = connections.add_connection(state, states.shop())
    with state.write() as session:
        for number in (1, 2):
            session.execute(
                insert(tables.pull_requests).values(
                    connection_id=found.id,
                    number=number,
                    title="",
                    state="open",
                    base_branch="main",
                    head_branch="change",
                    is_fork=number == 2,
                    updated_at=datetime.now(timezone.utc),
                )
            )
    return found


def request(state: State, shop: RepositoryConnection, number: int | None = None, **fields: object) -> str:
    """Request a job of the main branch, or of a pull request, and return its id."""
    given = {
        "trigger": Trigger.WEBHOOK,
        "requested_by": "forge",
        "source": JobSource.BRANCH if number is None else JobSource.PULL_REQUEST,
        "pull_request": number,
        **fields,
    }
    label = "main" if number is None else f"pull request {number}"
    return jobs.request_job(state, shop.id, JobRequest(branch=label, **given)).job.id  # type: ignore[arg-type]


def end(state: State, job_id: str, failure: str | None, *, is_new: bool = True) -> None:
    """Begin and end a job."""
    jobs.start_job(state, job_id, "worker")
    status = JobStatus.SUCCESS if failure is None else JobStatus.FAILED
    jobs.finish_job(state, job_id, status, JobOutcome(failure=failure, is_new=failure is None and is_new))


def test_jobs_have_the_rank_of_what_they_read(state: State, shop: RepositoryConnection) -> None:
    main, own, fork = (request(state, shop, number) for number in (None, 1, 2))
    base = request(state, shop, 2, source=JobSource.MERGE_BASE)
    assert base == fork, "the second request joins the first"
    jobs.start_job(state, own, "worker")
    uploads.begin_upload(state, shop.id, "main", requested_by="ci")
    turns = read_turns(state)
    assert {job_id: turn.rank for job_id, turn in turns.waiting.items()} == {
        main: Rank.BRANCH,
        fork: Rank.FORK,
    }
    assert [(turn.job_id, turn.rank) for turn in turns.recent] == [(own, Rank.PULL_REQUEST)]
    assert turns.recent[0].repository == shop.repo_url and turns.recent[0].at >= turns.waiting[main].at


def test_a_repository_that_exceeds_limits_waits_longer_each_time(
    state: State, shop: RepositoryConnection
) -> None:
    pauses = []
    for failure in ("time", "memory", "time", None, "time", *["time"] * 9):
        end(state, request(state, shop, 2), failure)
        waiting = request(state, shop, 2)
        until = read_turns(state).paused_until.get((shop.id, True))
        ended = jobs.list_jobs(state, shop.id)[1].ended_at
        assert ended is not None
        pauses.append(None if until is None else until - ended)
        with state.write() as session:
            cancelled = update(tables.jobs).where(tables.jobs.c.id == waiting)
            session.execute(cancelled.values(status=JobStatus.CANCELLED.value))
    minute = timedelta(minutes=1)
    assert pauses[:5] == [minute, 2 * minute, 4 * minute, None, minute]
    assert pauses[-1] == 60 * minute
    request(state, shop)
    request(state, shop, 2)
    assert list(read_turns(state).paused_until) == [(shop.id, True)], "branches do not wait for forks"


def test_a_fork_does_not_end_its_own_pause(state: State, shop: RepositoryConnection) -> None:
    """Its merge base, an upload, and a commit that is stored already have computed nothing of the fork."""
    end(state, request(state, shop, 2), "time")
    end(state, request(state, shop, 2, source=JobSource.MERGE_BASE), None)
    uploaded = uploads.begin_upload(state, shop.id, "main", requested_by="ci", pull_request=2)
    end(state, uploaded.id, None)
    end(state, request(state, shop, 2), None, is_new=False)
    request(state, shop, 2)
    assert list(read_turns(state).paused_until) == [(shop.id, True)]


def test_a_merge_base_that_exceeds_a_limit_pauses_the_repository_itself(
    state: State, shop: RepositoryConnection
) -> None:
    end(state, request(state, shop, 2, source=JobSource.MERGE_BASE), "time")
    request(state, shop)
    request(state, shop, 2)
    assert list(read_turns(state).paused_until) == [(shop.id, False)]


def test_a_pause_follows_the_job_that_has_ended_last(state: State, shop: RepositoryConnection) -> None:
    """A job that was requested first ends after one that was requested later."""
    slow = request(state, shop, 2)
    jobs.start_job(state, slow, "worker")
    end(state, request(state, shop, 2), None)
    end(state, slow, "time")
    request(state, shop, 2)
    assert list(read_turns(state).paused_until) == [(shop.id, True)]


class Idle:
    """A worker that runs nothing."""

    def running(self) -> frozenset[str]:
        """Return no jobs."""
        return frozenset()


@pytest.fixture
def begun(state: State, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Return a function that lets a worker with 8 places begin jobs, and returns their branches."""
    enqueued: list[str] = []
    monkeypatch.setattr(dispatch, "enqueue", lambda job: enqueued.append(job.branch))

    def begin() -> list[str]:
        worker = cast(Extractions, Idle())
        dispatch.Dispatcher(state, worker, worker="w", spacing=0, count_slots=lambda: 8).dispatch()
        return enqueued

    return begin


def test_a_repository_that_never_ends_leaves_places_to_others(
    state: State, shop: RepositoryConnection, begun: Callable[[], list[str]]
) -> None:
    """Jobs and uploads of one repository run; those of another one begin."""
    for name in ("main", *"abcdefghi"):
        jobs.request_job(state, shop.id, JobRequest(branch=name, trigger=Trigger.POLL, requested_by="poll"))
        uploads.begin_upload(state, shop.id, name, requested_by="ci")
    assert begun() == ["main", "a", "b"]
    for job in jobs.active_jobs(state):
        if job.branch in begun()[:3] and job.trigger is not Trigger.UPLOAD:
            jobs.start_job(state, job.id, "w")
    del begun()[:]
    assert begun() == []
    other = states.shop(name="other", repo_url="https://github.com/acme/other")
    connections.add_connection(state, other)
    for name in ("x", "y", "z"):
        jobs.request_job(state, other.id, JobRequest(branch=name, trigger=Trigger.POLL, requested_by="poll"))
    assert begun() == ["x", "y"], "and three places are left to a third one"


def test_forks_leave_places_to_pushes_of_their_own_repository(
    state: State, shop: RepositoryConnection, begun: Callable[[], list[str]]
) -> None:
    for name in "abcdefgh":
        jobs.request_job(
            state,
            shop.id,
            JobRequest(
                branch=name,
                trigger=Trigger.WEBHOOK,
                requested_by="forge",
                source=JobSource.PULL_REQUEST,
                pull_request=2,
            ),
        )
    assert begun() == ["a", "b", "c"]
    for job in jobs.active_jobs(state):
        if job.branch in "abc":
            jobs.start_job(state, job.id, "w")
    del begun()[:]
    request(state, shop)
    request(state, shop, 1)
    assert begun() == ["main", "pull request 1"]


def test_forks_of_many_repositories_leave_half_of_the_places(
    state: State, shop: RepositoryConnection, begun: Callable[[], list[str]]
) -> None:
    request(state, shop, 2)
    for name in "abcdef":
        url = f"https://github.com/acme/{name}"
        other = connections.add_connection(state, states.shop(name=name, repo_url=url))
        with state.write() as session:
            rows = select(tables.pull_requests).where(tables.pull_requests.c.number == 2)
            fork = dict(session.execute(rows).mappings().first() or {})
            session.execute(insert(tables.pull_requests).values(fork | {"connection_id": other.id}))
        request(state, other, 2)
    assert len(begun()) == 4
    for job in jobs.active_jobs(state)[:4]:
        jobs.start_job(state, job.id, "w")
    del begun()[:]
    for number in (None, 1):
        request(state, shop, number)
    assert begun() == ["main", "pull request 1"]


@pytest.mark.parametrize("trigger", [Trigger.MANUAL, Trigger.WEBHOOK])
def test_a_person_who_joins_a_job_ends_its_pause(
    state: State, shop: RepositoryConnection, begun: Callable[[], list[str]], trigger: Trigger
) -> None:
    end(state, request(state, shop), "time")
    waiting = request(state, shop)
    assert begun() == []
    assert request(state, shop, trigger=trigger, requested_by="ann") == waiting
    is_of_person = trigger is Trigger.MANUAL
    assert begun() == (["main"] if is_of_person else [])
    assert jobs.get_job(state, waiting).requested_by == ("ann" if is_of_person else "forge")
