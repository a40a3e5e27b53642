"""Operations on connections: what they may do to the event loop, and how many tests run at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection

from recce_meta.errors import UsageError
from recce_meta.repositories.forges.login import ConnectionLogins
from recce_meta.repositories.forges.registry import parse_address
from recce_meta.repositories.git.address import AddressRules
from recce_meta.repositories.git.environment import GitLimits
from recce_meta.repositories.options.values import GitHubApp
from recce_meta.repositories.service import probe
from recce_meta.repositories.service.answers import ConnectionTest
from recce_meta.repositories.service.service import CONCURRENT_TESTS, RepositoryService
from recce_meta.repositories.state.connections import read_secret
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.requests import Caller, ConnectionChange, NewConnection
from recce_meta.repositories.state.secrets import read_keys
from recce_meta.repositories.state.types import RepositoryConnection
from tests.support import states
from tests.support.forge_names import Forge

ADA = Caller(name="ada")
SHOP = NewConnection(repo_url="https://github.com/acme/shop", access_token="ghp_0123456789abcdef")
PASSED = ConnectionTest(
    ok=True,
    checks=[],
    branch="main",
    commit_sha="a" * 40,
    subdirectory="",
    projects=[""],
    project="shop",
    adapter="duckdb",
    extraction_dbt_version="1.10",
)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """Return an open state."""
    with states.opened(f"sqlite:///{tmp_path / 'state.db'}") as opened:
        yield opened


def test_the_event_loop_does_not_wait_for_the_state(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server answers other requests while a connection is added or tested."""
    threads = set()

    @contextmanager
    def watched(opened: State) -> Iterator[Connection]:
        threads.add(threading.current_thread())
        with opened.engine.begin() as session:
            yield session

    async def passed(*_: object) -> ConnectionTest:
        return PASSED

    monkeypatch.setattr(probe, "test_connection", passed)
    monkeypatch.setattr(State, "read", watched)
    monkeypatch.setattr(State, "write", watched)
    service = RepositoryService(state, environ={})

    added = asyncio.run(service.add(SHOP, caller=ADA))
    assert asyncio.run(service.test_stored("shop")).ok
    logins = ConnectionLogins(state, {}, GitLimits())
    connection = RepositoryConnection(
        **{field: getattr(added.connection, field) for field in ("id", "name", "repo_url", "created_at")},
        type=Forge.GITHUB,
        branches=("main",),
        created_by="ada",
        has_token=True,
    )
    address = parse_address(connection.repo_url, AddressRules.read({}))
    assert asyncio.run(logins.token(connection, address)) == SHOP.access_token

    assert (added.connection.branch, len(added.jobs)) == ("main", 1)
    assert threads and threading.main_thread() not in threads


def test_a_github_app_comes_and_goes_with_its_private_key(state: State) -> None:
    service, key = RepositoryService(state, environ={}), "-----BEGIN PRIVATE KEY-----\nx"
    added = asyncio.run(service.add(replace(SHOP, branch="main"), caller=ADA, is_tested=False))
    app = ConnectionChange(github_app=GitHubApp(app_id="1", installation_id="2"))

    with pytest.raises(UsageError, match="needs its private key"):
        service.set("shop", app, caller=ADA)
    service.set("shop", replace(app, private_key=key), caller=ADA)
    service.set("shop", app, caller=ADA)
    keys = read_keys({}, state)
    assert read_secret(state, keys, added.connection.id, "private_key") == key
    service.set("shop", ConnectionChange(github_app=None), caller=ADA)
    assert read_secret(state, keys, added.connection.id, "private_key") is None


def test_few_repositories_are_tested_at_a_time(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test fetches a repository, within the limits of the server."""
    limits = GitLimits(mirror_size=5)
    running: list[int] = [0]
    most: list[int] = []

    async def passed(*given: object) -> ConnectionTest:
        assert given[-1] is limits
        running[0] += 1
        most.append(running[0])
        await asyncio.sleep(0)
        running[0] -= 1
        return PASSED

    monkeypatch.setattr(probe, "test_connection", passed)
    service = RepositoryService(state, environ={}, limits=limits)

    async def test_many() -> None:
        await asyncio.gather(*(service.test(SHOP, caller=ADA) for _ in range(10)))

    asyncio.run(test_many())

    assert (len(most), max(most)) == (10, CONCURRENT_TESTS)
