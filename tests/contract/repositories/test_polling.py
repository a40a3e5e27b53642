"""Polling on a state, with a server that only has heads."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace

from recce_meta.models.run import Trigger
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.options.values import GitHubApp
from recce_meta.repositories.polling import LONGEST, Poller, PollSettings, may_try_again
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.connections import (
    LastCommit,
    add_connection,
    get_connection,
    list_connections,
    note_outcome,
    note_poll,
    update_connection,
)
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import finish_job, list_jobs, start_job
from recce_meta.repositories.state.requests import Caller, ConnectionChange
from recce_meta.repositories.state.types import ConnectionStatus, JobOutcome, JobStatus, RepositoryConnection
from recce_meta.repositories.state.webhooks import list_stale, mark_stale
from tests.support import states

NOW = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)


class Server:
    """Login and client of a server whose branches have *commits*."""

    def __init__(self, commits: Mapping[str, str]) -> None:
        self.commits = dict(commits)
        self.looks: list[tuple[str, frozenset[str]]] = []
        """Connection that logged in, and the branches it asked for."""
        self.error: Exception | None = None

    async def client(self, connection: RepositoryConnection) -> ServerClient:
        """Return a client with the login of *connection*."""
        return ServerClient(self, connection.name)


class ServerClient:
    """Client of a server for one connection."""

    def __init__(self, server: Server, name: str) -> None:
        self._server = server
        self._name = name

    async def heads(self, branches: Collection[str]) -> dict[str, str]:
        """Return the commits of the branches that exist."""
        self._server.looks.append((self._name, frozenset(branches)))
        if self._server.error is not None:
            raise self._server.error
        return {branch: sha for branch, sha in self._server.commits.items() if branch in branches}


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """Return an open state."""
    with states.opened(f"sqlite:///{tmp_path / 'state.db'}") as opened:
        yield opened


@pytest.fixture
def server() -> Server:
    """Return a server with one commit on each of two branches."""
    return Server({"main": "a" * 40, "dev": "d" * 40})


def look(state: State, server: Server) -> None:
    """Poll what is due."""
    asyncio.run(Poller(state, server, PollSettings(seconds=0))())  # type: ignore[arg-type]


def look_again(state: State, server: Server, connection: RepositoryConnection) -> int:
    """Poll *connection* at once, and return the number of its jobs."""
    update_connection(state, connection.id, next_check_at=None)
    look(state, server)
    return len(list_jobs(state, connection.id))


def next_looks(state: State) -> dict[str, datetime | None]:
    """Return the time of the next look by connection."""
    return {one.name: one.next_check_at for one in list_connections(state)}


def end_job(state: State, connection: RepositoryConnection, sha: str, failure: str | None) -> None:
    """Run the newest job of *connection* to its end."""
    job = list_jobs(state, connection.id)[0]
    start_job(state, job.id, "first")
    status = JobStatus.FAILED if failure else JobStatus.SUCCESS
    finish_job(state, job.id, status, JobOutcome(commit_sha=sha, failure=failure))


@pytest.mark.parametrize(
    ("failure", "count"), [(None, 1), ("compilation", 1), ("token", 1), ("store", 2), ("network", 2)]
)
def test_a_commit_is_extracted_again_if_its_failure_may_heal(
    state: State, server: Server, failure: str | None, count: int
) -> None:
    """An outage of the store or the network does not lose a commit until the next push."""
    shop = add_connection(state, states.shop(poll_minutes=1 / 1_000_000))
    assert look_again(state, server, shop) == 1

    end_job(state, shop, server.commits["main"], failure)

    assert look_again(state, server, shop) == count
    assert look_again(state, server, shop) == count, "a waiting job is enough"


def test_a_commit_that_was_read_without_dbt_is_not_extracted_again(state: State, server: Server) -> None:
    shop = add_connection(state, states.shop(poll_minutes=1 / 1_000_000))
    look_again(state, server, shop)
    job = list_jobs(state, shop.id)[0]
    start_job(state, job.id, "first")
    read = {"fallback": "uv is not installed", "failure": "environment"}
    finish_job(state, job.id, JobStatus.SUCCESS, JobOutcome(commit_sha=server.commits["main"], **read))

    assert look_again(state, server, shop) == 1


def test_a_commit_that_always_fails_is_extracted_ever_more_rarely() -> None:
    """The pauses are multiples of the polling interval, up to a day."""
    shop = states.shop(poll_minutes=10)

    def pause(failures: int) -> timedelta:
        last = LastCommit(sha="a", failure="store", failures=failures, ended_at=NOW)
        minutes = range(0, 3_000, 5)
        found = (timedelta(minutes=one) for one in minutes)
        return next(one for one in found if may_try_again(last, shop, NOW + one))

    assert [pause(failures) for failures in (1, 2, 3)] == [timedelta(minutes=one) for one in (5, 15, 35)]
    assert pause(50) == LONGEST
    permanent = LastCommit(sha="a", failure="compilation", failures=1, ended_at=NOW)
    assert not may_try_again(permanent, shop, NOW + 2 * LONGEST)


def test_connections_of_a_repository_are_looked_at_together_for_ever(state: State, server: Server) -> None:
    """A due connection takes its siblings along, and all get one time, in spite of the jitter."""
    first = add_connection(state, states.shop(name="first", branches=("main", "dev")))
    for name in ("second", "third"):
        add_connection(state, states.shop(name=name, poll_minutes=60))
    add_connection(state, states.shop(name="never", poll_minutes=None))
    add_connection(state, states.shop(name="other", repo_url="https://github.com/acme/other"))
    look(state, server)
    assert sorted(branches for _, branches in server.looks) == [{"main"}, {"main", "dev"}]

    before = next_looks(state)
    look_again(state, server, first)

    assert len(server.looks) == 3
    after = next_looks(state)
    assert len({after[name] for name in ("first", "second", "third")}) == 1
    assert after["first"] != before["first"]
    assert (after["never"], after["other"]) == (None, before["other"])


def test_a_look_shows_nothing_to_a_connection_with_another_secret(state: State, server: Server) -> None:
    """A secret of one connection may read what that of another connection cannot."""
    app = GitHubApp(app_id="1", installation_id="SHARED")
    logins: list[dict[str, object]] = [{}, {"token_env": "SHARED"}, {"github_app": app}, {"has_token": True}]
    for number, login in enumerate(one for one in logins for _ in range(2)):
        add_connection(state, states.shop(name=f"{number}", branches=(f"b{number}",), **login))

    look(state, server)

    assert sorted(sorted(branches) for _, branches in server.looks) == [
        ["b0", "b1"], ["b2", "b3"], ["b4"], ["b5"], ["b6"], ["b7"],
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [GitFailureKind.TOKEN, GitFailureKind.ADDRESS])
def test_a_refused_connection_is_disconnected_until_it_works(
    state: State, server: Server, kind: GitFailureKind
) -> None:
    """A revoked token or a deleted repository is looked at each hour, and at once after a new token."""
    shop = add_connection(state, states.shop())
    server.error = GitFailure(kind, "refused")
    assert look_again(state, server, shop) == 0
    refused = get_connection(state, shop.id)
    assert (refused.status, refused.error) == (ConnectionStatus.DISCONNECTED, "refused")
    assert refused.next_check_at is not None
    assert refused.next_check_at > datetime.now(timezone.utc) + timedelta(minutes=50)

    service = RepositoryService(state, environ={})
    changed = service.set("shop", ConnectionChange(token_env="T"), caller=Caller(name="ada", is_admin=True))
    assert (changed.status, changed.next_check_at) == (ConnectionStatus.ACTIVE, None)

    server.error = None
    assert look_again(state, server, shop) == 1
    assert get_connection(state, shop.id).status is ConnectionStatus.ACTIVE


def test_a_server_that_asks_for_fewer_requests_is_left_alone(state: State, server: Server) -> None:
    """Other repositories of the host wait too, and keep the outcome of their last look."""
    for name in ("first", "second"):
        add_connection(state, states.shop(name=name, repo_url=f"https://github.com/acme/{name}"))
    note_poll(state, [one.id for one in list_connections(state)], NOW, "Branch main is gone")
    server.error = GitFailure(GitFailureKind.RATE_LIMIT, "slow down", can_retry=True, retry_after=9_000)
    poller = Poller(state, server, PollSettings(seconds=0, of_host=1))  # type: ignore[arg-type]

    asyncio.run(poller())

    assert len(server.looks) == 1
    assert {one.error for one in list_connections(state)} == {"slow down", "Branch main is gone"}
    assert all(
        at and at > datetime.now(timezone.utc) + timedelta(hours=2) for at in next_looks(state).values()
    )


def test_a_success_connects_again(state: State, server: Server) -> None:
    """A job that reads the repository shows that it works; an upload does not."""
    shop = add_connection(state, states.shop())
    assert look_again(state, server, shop) == 1
    note_poll(state, [shop.id], NOW, "refused", is_disconnected=True)
    end_job(state, shop, server.commits["main"], None)
    (job,) = list_jobs(state, shop.id)

    note_outcome(state, replace(job, trigger=Trigger.UPLOAD))
    assert get_connection(state, shop.id).status is ConnectionStatus.DISCONNECTED
    note_outcome(state, job)
    assert get_connection(state, shop.id).status is ConnectionStatus.ACTIVE


def test_a_defect_does_not_ask_the_server_again_and_again(state: State, server: Server) -> None:
    """The worker logs the error, and other repositories are looked at."""
    for name in ("first", "second"):
        add_connection(state, states.shop(name=name, repo_url=f"https://github.com/acme/{name}"))
    server.error = KeyError("a defect")
    for _ in range(2):
        with suppress(KeyError):
            look(state, server)

    assert sorted(name for name, _ in server.looks) == ["first", "second"]
    assert None not in next_looks(state).values()


def test_a_branch_that_a_webhook_has_reported_as_deleted_is_no_failure(state: State, server: Server) -> None:
    """Once it exists again, it is extracted, and no longer stale."""
    shop = add_connection(state, states.shop(branches=("main", "old")))
    mark_stale(state, shop.id, "old")
    look(state, server)
    assert get_connection(state, shop.id).error is None
    assert list_stale(state, [shop.id]) == {shop.id: {"old"}}

    server.commits["old"] = "0123456789"
    update_connection(state, shop.id, next_check_at=None)
    look(state, server)

    assert list_stale(state, [shop.id]) == {}
    assert {job.branch for job in list_jobs(state, shop.id)} == {"main", "old"}
