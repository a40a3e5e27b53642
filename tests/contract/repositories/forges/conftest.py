"""Fixtures of the tests of forges: one repository on each, and its client."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

import pytest

from recce_meta.repositories.forges.base import ForgeClient, ForgeFailure
from recce_meta.repositories.forges.login import ConnectionLogins
from recce_meta.repositories.forges.open import open_forge
from recce_meta.repositories.git.environment import GitLimits
from recce_meta.repositories.state.database import State
from tests.support.forge_names import FORGES, Forge
from tests.support.forge_server import ForgeRepository, ForgeServer
from tests.support.states import opened, shop

Result = TypeVar("Result")
VARIABLE = "FORGE_TOKEN"


class Forged:
    """A repository of a forge, and clients of it."""

    def __init__(self, repository: ForgeRepository, state: State) -> None:
        self.repository = repository
        self.forge = repository.forge
        self.state = state
        self.token = repository.add_token()
        self.variables: dict[str, str] = {}
        """Further variables of the service."""
        self._environ = {**repository.server.environ, VARIABLE: self.token}
        self._logins = ConnectionLogins(state, self._environ, GitLimits())

    async def open(self, token: str | None = None, **fields: object) -> ForgeClient | None:
        """Return a client as a connection gets it; *fields* are those of the connection."""
        self._environ[VARIABLE] = self.token if token is None else token
        environ, logins = self._environ, self._logins
        if self.variables:
            environ = {**environ, **self.variables}
            logins = ConnectionLogins(self.state, environ, GitLimits())
        given = {"type": self.forge, "repo_url": self.repository.url, "token_env": VARIABLE, **fields}
        return await open_forge(shop(**given), logins, environ)

    def run(
        self, ask: Callable[[ForgeClient], Awaitable[Result]], token: str | None = None, **fields: object
    ) -> Result:
        """Return the result of a request of a new client."""

        async def answer() -> Result:
            client = await self.open(token, **fields)
            assert client is not None
            return await ask(client)

        return asyncio.run(answer())

    def failure(
        self, ask: Callable[[ForgeClient], Awaitable[object]], token: str | None = None, **fields: object
    ) -> ForgeFailure:
        """Return the failure of a request; no secret is in its message or in its traceback."""
        with pytest.raises(ForgeFailure) as failed:
            self.run(ask, token, **fields)
        shown = (
            "".join(traceback.format_exception(failed.value)) + repr(failed.value) + str(failed.value.hint)
        )
        assert not [known for known in (*self.repository.tokens, token or self.token) if known in shown]
        return failed.value


@pytest.fixture(scope="session")
def empty_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """Return a state without connections."""
    with opened(f"sqlite:///{tmp_path_factory.mktemp('state') / 'state.db'}") as state:
        yield state


@pytest.fixture(params=FORGES, ids=lambda forge: forge.value)
def forged(request: pytest.FixtureRequest, forge_server: ForgeServer, empty_state: State) -> Forged:
    """Return a private repository on each forge, with a token that may do everything."""
    files = {"dbt_project.yml": "name: shop\n"}
    return Forged(forge_server.create(request.param, files), empty_state)


@pytest.fixture(scope="session")
def shared(forge_server: ForgeServer, empty_state: State) -> dict[Forge, Forged]:
    """Return a repository on each forge, with pull request 1, for tests that change nothing."""
    found = {forge: Forged(forge_server.create(forge), empty_state) for forge in FORGES}
    for one in found.values():
        one.repository.open_pull_request("feature", {"models/a.sql": "select 1 as id\n"})
    return found


@pytest.fixture(params=FORGES, ids=lambda forge: forge.value)
def steady(request: pytest.FixtureRequest, shared: dict[Forge, Forged]) -> Forged:
    """Return a repository on each forge that other tests use as well."""
    return shared[request.param]
