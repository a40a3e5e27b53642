"""Reports through the APIs of forges: outages, deleted comments, and several workers at the same time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from recce_meta.repositories.follow_ups.runner import TaskSettings
from recce_meta.repositories.state import connections
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import get_job
from recce_meta.repositories.state.tasks import list_tasks
from recce_meta.repositories.state.types import TaskKind
from tests.contract.repositories.followed_shop import (
    AMOUNT,
    FEWER_ROWS,
    FollowedShop,
    followed_shop,
    run_due,
)
from tests.support import states
from tests.support.forge_names import Forge
from tests.support.forge_server import ForgeRepository, ForgeServer, forge_server
from tests.support.git_server import Answer, git_server

__all__ = ["forge_server", "git_server"]

FILES = {"dbt_project.yml": "name: shop\n"}
PULL_REQUESTS, ROUNDS = 5, 4


def connect(state: State, server: ForgeServer, forge: Forge, folder: Path) -> Iterator[FollowedShop]:
    """Yield a connection of a new repository of *forge*, whose pull request 1 is open."""
    repository = server.create(forge, FILES)
    stored = connections.add_connection(
        state, states.shop(type=forge, repo_url=repository.url, token_env="SHOP_TOKEN")
    )
    with followed_shop(state, stored, folder) as found:
        found.environ |= server.environ | {"SHOP_TOKEN": repository.add_token()}
        yield found


@pytest.fixture(params=[Forge.GITHUB, Forge.GITLAB])
def shop(request: pytest.FixtureRequest, forge_server: ForgeServer, tmp_path: Path) -> Iterator[FollowedShop]:
    """Return a connection of each forge."""
    with states.opened(f"sqlite:///{tmp_path / 'state.db'}") as state:
        yield from connect(state, forge_server, request.param, tmp_path)


@pytest.fixture(params=states.DATABASES)
def busy_shop(
    request: pytest.FixtureRequest, forge_server: ForgeServer, tmp_path: Path
) -> Iterator[FollowedShop]:
    """Return a connection of a repository of GitHub, whose state is in each database."""
    server = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with states.state_address(request.param, tmp_path, server) as address, states.opened(address) as state:
        yield from connect(state, forge_server, Forge.GITHUB, tmp_path)


def repository_of(shop: FollowedShop, server: ForgeServer) -> ForgeRepository:
    """Return the repository of the connection."""
    return next(one for one in server.repositories.values() if one.url == shop.connection.repo_url)


@pytest.mark.extensive
def test_a_comment_is_made_changed_and_made_again_through_an_outage(
    shop: FollowedShop, forge_server: ForgeServer
) -> None:
    repository = repository_of(shop, forge_server)
    number = repository.open_pull_request("feature", {"models/a.sql": "select 1 as id\n"})
    repository.fail(Answer(503), times=4)
    shop.propose(FEWER_ROWS, sha=repository.pull_requests[number].sha, number=number)
    shop.follow(shop.runner(forge=None))

    (comment,) = repository.comments[number]
    assert "1 breaking change" in comment.text
    assert repository.statuses[-1].sha == repository.pull_requests[number].sha
    assert repository.statuses[-1].context == "recce_meta"

    sha = repository.push(number, {"models/a.sql": "select 2 as id\n"})
    shop.propose(AMOUNT, sha=sha, number=number)
    shop.follow(shop.runner(forge=None))
    (changed,) = repository.comments[number]
    assert changed.id == comment.id
    assert "No changes" in changed.text

    repository.comments[number].clear()
    repository.limit_rate(seconds=0)
    sha = repository.push(number, {"models/a.sql": "select 3 as id\n"})
    shop.propose(FEWER_ROWS, sha=sha, number=number)
    shop.follow(shop.runner(forge=None))
    (again,) = repository.comments[number]
    assert again.id != comment.id
    assert shop.connection.forge_error is None


def test_a_token_without_the_right_is_shown_on_the_connection(
    shop: FollowedShop, forge_server: ForgeServer
) -> None:
    repository = repository_of(shop, forge_server)
    number = repository.open_pull_request("feature", {"models/a.sql": "select 1 as id\n"})
    shop.environ["SHOP_TOKEN"] = repository.add_token("pull_requests")
    shop.propose(FEWER_ROWS, sha=repository.pull_requests[number].sha, number=number)
    shop.follow(shop.runner(forge=None))

    assert repository.comments[number] == []
    assert "may not" in (shop.connection.forge_error or "")


@pytest.mark.extensive
def test_events_on_two_workers_lose_and_double_no_comment(
    busy_shop: FollowedShop, forge_server: ForgeServer
) -> None:
    shop, repository = busy_shop, repository_of(busy_shop, forge_server)
    base = shop.record("base", AMOUNT, "base", "job")
    heads = [shop.record(f"head-{n}", f"{FEWER_ROWS} + {n}", "head", "job") for n in range(ROUNDS)]
    numbers = [
        repository.open_pull_request(f"feature-{n}", {"models/a.sql": f"select {n} as id\n"})
        for n in range(PULL_REQUESTS)
    ]
    # Commits of one pull request serve all: making others takes long.
    commits = [repository.push(numbers[0], {"models/a.sql": f"select 1{n} as id\n"}) for n in range(ROUNDS)]
    is_over = threading.Event()

    def work(name: str) -> None:
        async def follow() -> None:
            # A short lease: tasks are renewed, and not taken over while they run.
            tasks = shop.runner(name, TaskSettings(delays=(0.01,), lease=timedelta(seconds=5)), forge=None)
            while not is_over.is_set() or list_tasks(shop.state):
                await run_due(shop.state, tasks)
                await asyncio.sleep(0.01)

        asyncio.run(follow())

    workers = [threading.Thread(target=work, args=(f"worker-{n}",)) for n in range(2)]
    for worker in workers:
        worker.start()
    for head, sha in zip(heads, commits, strict=True):
        for number in numbers:
            found = shop.event(sha, number)
            shop.end(get_job(shop.state, str(found.head_job)), None, sha=sha, run_id=head)
            shop.end(get_job(shop.state, str(found.base_job)), None, run_id=base)
    is_over.set()
    for worker in workers:
        worker.join()

    assert [task.error for task in shop.ended() if task.kind is TaskKind.REPORT and task.error] == []
    for number in numbers:
        (comment,) = repository.comments[number]
        assert f"/diff/base/{heads[-1]})" in comment.text
        assert shop.pull_request(number).reported == f"base {heads[-1]}"
    assert repository.count("POST", "/comments") == PULL_REQUESTS
    # Events that arrive while a report waits join it.
    assert repository.count("PATCH", "/comments") <= PULL_REQUESTS * (ROUNDS - 1)
