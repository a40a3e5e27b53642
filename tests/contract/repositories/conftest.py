"""Fixtures of the tests with real repositories."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from recce_meta.repositories.forges.registry import parse_address
from recce_meta.repositories.git.address import AddressRules, RepositoryAddress
from recce_meta.repositories.git.client import GitClient
from recce_meta.repositories.git.environment import GitLimits
from recce_meta.repositories.git.mirrors import mirror_path
from recce_meta.repositories.state.database import State
from tests.support import states
from tests.support.forge_server import forge_server
from tests.support.git_server import File, GitServer, git_backend, git_server
from tests.support.sandboxes import bubblewrap, sandbox

__all__ = ["bubblewrap", "forge_server", "git_backend", "git_server", "sandbox"]


@pytest.fixture(params=states.DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of a new state in each database."""
    server = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with states.state_address(request.param, tmp_path, server) as address:
        yield address


@pytest.fixture
def state(url: str) -> Iterator[State]:
    """Yield the open state."""
    with states.opened(url) as opened:
        yield opened


@dataclass(frozen=True)
class Repository:
    """A repository of the server, and folders of a test."""

    server: GitServer
    name: str
    sha: str
    """First commit of main."""
    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        """Return an environment that trusts the server."""
        return self.server.environ | {"PATH": os.environ["PATH"]}

    @property
    def address(self) -> RepositoryAddress:
        """Return the address of the repository."""
        return parse_address(self.server.url(self.name), AddressRules.read(self.environ))

    @property
    def mirror(self) -> Path:
        """Return the path of the mirror of this test."""
        return mirror_path(self.folder / "mirrors", self.address)

    def client(self, token: str | None = None, **limits: float) -> GitClient:
        """Return a client with other limits than the default."""
        return GitClient(
            self.address,
            token,
            environ=self.environ,
            limits=GitLimits(**limits),  # type: ignore[arg-type]
        )

    def commit(self, files: Mapping[str, File], branch: str = "main", *, base: str | None = None) -> str:
        """Add a commit, and return its SHA."""
        return self.server.commit(self.name, branch, files, base=base)


NewRepository = Callable[[Mapping[str, File]], Repository]


@pytest.fixture
def new_repository(git_server: GitServer, tmp_path: Path) -> NewRepository:
    """Return a function that creates a repository with *files*."""

    def create(files: Mapping[str, File]) -> Repository:
        name = git_server.unused_name("shop")
        return Repository(git_server, name, git_server.create_repository(name, files), tmp_path)

    return create


@pytest.fixture
def repository(new_repository: NewRepository) -> Repository:
    """Return a repository with a small project."""
    return new_repository({"dbt_project.yml": "name: shop\n", "models/a.sql": "select 1 as id\n"})
