"""Pull requests and files of jobs in the state, on SQLite and PostgreSQL."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models.run import Trigger
from recce_meta.repositories.state import connections, jobs
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import FILES, LARGEST, put_job_file, read_job_files
from recce_meta.repositories.state.pull_requests import (
    change_report,
    get_pull_request,
    list_pull_requests,
    note_pull_request,
)
from recce_meta.repositories.state.tasks import claim_task, list_tasks
from recce_meta.repositories.state.types import (
    JobOutcome,
    JobSource,
    JobStatus,
    PullRequestEvent,
    PullRequestState,
    RepositoryConnection,
    TaskKind,
)
from tests.support import states

THREADS = 20
START = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
CLOSED = {"state": PullRequestState.CLOSED}


@pytest.fixture
def shop(state: State) -> RepositoryConnection:
    """Return a stored connection."""
    return connections.add_connection(state, states.shop())


def event(minute: float = 0, sha: str = "a" * 40, **fields: Any) -> PullRequestEvent:
    """Return an event of pull request 7, *minute* minutes after the start."""
    given: dict[str, Any] = {
        "number": 7,
        "title": "Rename a column",
        "base_branch": "main",
        "head_branch": "feature/rename",
        "head_sha": sha,
        "updated_at": START + timedelta(minutes=minute),
    }
    return PullRequestEvent(**given | fields)


def note(
    state: State, shop: RepositoryConnection, given: PullRequestEvent, trigger: Trigger = Trigger.WEBHOOK
) -> list[str]:
    """Note an event, and return the ids of the jobs that it requested."""
    requested = note_pull_request(state, shop, given, trigger=trigger, requested_by="webhook")
    return [one.job.id for one in requested]


def finish(state: State, *ids: str, status: JobStatus = JobStatus.SUCCESS, **outcome: Any) -> None:
    """End jobs."""
    for job_id in ids:
        jobs.start_job(state, job_id, "worker")
        jobs.finish_job(state, job_id, status, JobOutcome(**outcome))


def test_an_opened_pull_request_requests_its_head_and_its_merge_base(
    state: State, shop: RepositoryConnection
) -> None:
    ids = note(state, shop, event(url="https://github.com/acme/shop/pull/7"))

    head, base = (jobs.get_job(state, job_id) for job_id in ids)
    assert ids == [f"{shop.id}:pull request 7:1", f"{shop.id}:base of pull request 7:1"]
    assert (head.source, base.source) == (JobSource.PULL_REQUEST, JobSource.MERGE_BASE)
    assert (head.pull_request, base.pull_request, head.wanted_sha) == (7, 7, None)
    stored = get_pull_request(state, shop.id, 7)
    assert (stored.head_job, stored.base_job) == tuple(ids)
    assert stored.url == "https://github.com/acme/shop/pull/7"
    assert stored.updated_at == START


def test_an_older_event_is_ignored(state: State, shop: RepositoryConnection) -> None:
    note(state, shop, event(5, "b" * 40))
    assert note(state, shop, event(0, "a" * 40, title="Old")) == []
    assert get_pull_request(state, shop.id, 7).head_sha == "b" * 40

    note(state, shop, event(9, **CLOSED))
    assert note(state, shop, event(8, "c" * 40)) == []
    assert get_pull_request(state, shop.id, 7).state is PullRequestState.CLOSED


def test_a_new_title_requests_nothing(state: State, shop: RepositoryConnection) -> None:
    ids = note(state, shop, event())
    assert note(state, shop, event(1, title="Drop a column")) == []
    finish(state, *ids)

    assert note(state, shop, event(2, title="Drop two columns")) == []
    assert note(state, shop, event(2, sha="a" * 12, title="Drop two columns")) == []
    assert get_pull_request(state, shop.id, 7).title == "Drop two columns"
    assert len(jobs.list_jobs(state, shop.id)) == 2


@pytest.mark.parametrize("changed", [{"sha": "b" * 40}, {"base_branch": "release"}, {"sha": None}])
def test_a_push_or_another_base_requests_new_jobs(
    state: State, shop: RepositoryConnection, changed: dict[str, Any]
) -> None:
    finish(state, *note(state, shop, event()))

    ids = note(state, shop, event(1, **changed))

    assert [job_id.rpartition(":")[2] for job_id in ids] == ["2", "2"]
    assert get_pull_request(state, shop.id, 7).head_job == ids[0]


def test_events_while_jobs_wait_join_them(state: State, shop: RepositoryConnection) -> None:
    first = note(state, shop, event())
    assert note(state, shop, event(1, "b" * 40)) == first
    jobs.start_job(state, first[0], "worker")

    assert note(state, shop, event(2, "c" * 40)) == [f"{shop.id}:pull request 7:2", first[1]]


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELLED])
def test_the_same_head_is_tried_again_after_a_failure(
    state: State, shop: RepositoryConnection, status: JobStatus
) -> None:
    head, base = note(state, shop, event())
    finish(state, head, status=status)
    finish(state, base)

    assert len(note(state, shop, event())) == 2


@pytest.mark.parametrize(("failure", "count"), [("compilation", 0), ("network", 2), (None, 2)])
def test_a_poll_repeats_what_may_heal(
    state: State, shop: RepositoryConnection, failure: str | None, count: int
) -> None:
    head, base = note(state, shop, event())
    finish(state, base)
    finish(state, head, status=JobStatus.FAILED if failure else JobStatus.CANCELLED, failure=failure)

    assert len(note(state, shop, event(), Trigger.POLL)) == count


def test_the_head_of_a_late_reference_is_extracted(state: State, shop: RepositoryConnection) -> None:
    """A forge may announce a push before the reference of its pull request has changed."""
    head, base = note(state, shop, event(0, "b" * 40))
    finish(state, head, commit_sha="a" * 40)
    finish(state, base, commit_sha="f" * 40)
    head, base = note(state, shop, event(0, "b" * 40), Trigger.POLL)
    finish(state, head, commit_sha="b" * 40)
    finish(state, base, commit_sha="f" * 40)

    assert note(state, shop, event(0, "b" * 12), Trigger.POLL) == []


def test_concurrent_deliveries_request_two_jobs(state: State, shop: RepositoryConnection) -> None:
    minutes = itertools.count()
    answers = states.at_once(THREADS, lambda: note(state, shop, event(next(minutes), "b" * 40)))

    stored = get_pull_request(state, shop.id, 7)
    assert {job_id for ids in answers for job_id in ids} == {stored.head_job, stored.base_job}
    assert len(jobs.list_jobs(state, shop.id)) == 2
    # The newest event wins in any order.
    assert stored.updated_at == START + timedelta(minutes=THREADS - 1)


@pytest.mark.parametrize("end", [PullRequestState.CLOSED, PullRequestState.MERGED])
def test_a_closed_pull_request_has_no_jobs_and_is_pruned_later(
    state: State, shop: RepositoryConnection, end: PullRequestState
) -> None:
    head, base = note(state, shop, event())
    jobs.start_job(state, head, "worker")

    assert note(state, shop, event(1, state=end)) == []
    assert note(state, shop, event(1, state=end)) == []

    assert {jobs.get_job(state, job_id).status for job_id in (head, base)} == {JobStatus.CANCELLED}
    stored = get_pull_request(state, shop.id, 7)
    assert stored.state is end and stored.closed_at is not None
    (task,) = [one for one in list_tasks(state) if one.kind is TaskKind.PRUNE]
    assert (task.kind, task.key, task.payload) == (TaskKind.PRUNE, f"{shop.id}:7", {"number": 7})
    assert task.due_at - task.requested_at == timedelta(days=1)
    assert claim_task(state, "worker", lease=timedelta(minutes=1), kinds=[TaskKind.PRUNE]) is None


def test_a_reopened_pull_request_is_extracted_again(state: State, shop: RepositoryConnection) -> None:
    finish(state, *note(state, shop, event()))
    note(state, shop, event(1, **CLOSED))
    change_report(state, shop.id, 7, pruned_at=START)

    ids = note(state, shop, event(2))

    stored = get_pull_request(state, shop.id, 7)
    assert [stored.head_job, stored.base_job] == ids
    assert (stored.state, stored.closed_at, stored.pruned_at) == (PullRequestState.OPEN, None, None)


def test_a_pull_request_that_was_never_open_here_is_only_stored(
    state: State, shop: RepositoryConnection
) -> None:
    assert note(state, shop, event(1, **CLOSED)) == []
    assert list_tasks(state) == []
    # Delivered late: the pull request is closed by now.
    assert note(state, shop, event(0)) == []


@pytest.mark.parametrize("changes", [{"watches_pull_requests": False}, {"is_upload_only": True}])
def test_a_connection_may_ignore_pull_requests(state: State, changes: dict[str, bool]) -> None:
    connection = connections.add_connection(state, states.shop(**changes))

    assert note(state, connection, event()) == []
    assert list_pull_requests(state) == []


def test_pull_requests_are_listed(state: State, shop: RepositoryConnection) -> None:
    other = connections.add_connection(state, states.shop(name="other"))
    note(state, shop, event(1))
    note(state, shop, event(2, number=8))
    note(state, shop, event(3, number=8, **CLOSED))
    note(state, other, event(0))

    def listed(**options: Any) -> list[tuple[str, int]]:
        return [(one.connection_id, one.number) for one in list_pull_requests(state, **options)]

    assert listed(connection_id=shop.id) == [(shop.id, 8), (shop.id, 7)]
    assert listed(is_open=True) == [(shop.id, 7), (other.id, 7)]
    assert listed(is_open=False) == [(shop.id, 8)]
    assert listed(limit=1) == [(shop.id, 8)]
    connections.remove_connection(state, shop.id)
    assert listed() == [(other.id, 7)]


def test_a_report_is_stored(state: State, shop: RepositoryConnection) -> None:
    note(state, shop, event())

    stored = change_report(state, shop.id, 7, comment_id="1", comment_digest="d", reported_at=START)

    assert (stored.comment_id, stored.comment_digest, stored.reported_at) == ("1", "d", START)
    assert change_report(state, shop.id, 7) == stored
    # The next event keeps the report.
    note(state, shop, event(1, "b" * 40))
    assert get_pull_request(state, shop.id, 7).comment_id == "1"
    with pytest.raises(TypeError, match="head_sha"):
        change_report(state, shop.id, 7, head_sha="c")
    with pytest.raises(UnknownNameError):
        change_report(state, shop.id, 8, error="x")


def test_an_unknown_connection_is_refused(state: State, shop: RepositoryConnection) -> None:
    with pytest.raises(UnknownNameError):
        note(state, replace(shop, id="0" * 12), event())


def test_files_of_a_job(state: State, shop: RepositoryConnection) -> None:
    head, base = note(state, shop, event())
    put_job_file(state, head, "checks.yml", "checks: []\n")
    put_job_file(state, head, "checks.yml", "checks: [ä]\n")
    put_job_file(state, head, "recce_meta.yml", "x" * LARGEST)

    assert read_job_files(state, head) == {"checks.yml": "checks: [ä]\n", "recce_meta.yml": "x" * LARGEST}
    assert read_job_files(state, base) == {}
    # A reopened pull request, whose run is stored: no job reads its files again.
    jobs.finish_job(state, head, JobStatus.SUCCESS, JobOutcome(run_id="run"))
    note(state, shop, event(1, **CLOSED))
    again, _ = note(state, shop, event(2))
    jobs.finish_job(state, again, JobStatus.SUCCESS, JobOutcome(run_id="run"))
    assert again != head
    assert read_job_files(state, again) == read_job_files(state, head) != {}
    for name, content in (("profiles.yml", ""), (FILES[0], "ä" * LARGEST), (FILES[0], "\0")):
        with pytest.raises(UsageError):
            put_job_file(state, head, name, content)
