"""Login of a connection: the client of its repository, with its token."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping

from recce_meta.repositories.forges.github.app import READ_CONTENTS, InstallationTokens
from recce_meta.repositories.forges.registry import parse_address
from recce_meta.repositories.git.address import AddressRules, RepositoryAddress
from recce_meta.repositories.git.client import GitClient
from recce_meta.repositories.git.environment import GitLimits
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.git.http import HttpClient
from recce_meta.repositories.state.connections import read_secret
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.secrets import Keys, Scrubber, SecretField, read_keys
from recce_meta.repositories.state.types import RepositoryConnection

_LARGEST_PAGE = 32 * 2**20
"""Bytes of one answer of a forge: 100 comments of 64 KiB each, with room for their authors."""
_MOST_USED = 16
"""Secrets of a connection that are remembered: tokens of a GitHub App change every hour."""


class ConnectionLogins:
    """ConnectionLogins of all connections; keys are read when a stored secret is needed.

    *environ* is the environment of the service.
    """

    def __init__(self, state: State, environ: Mapping[str, str], limits: GitLimits) -> None:
        self._state = state
        self._environ = environ
        self._limits = limits
        self._rules = AddressRules.read(environ)
        self.http = HttpClient(environ, largest=_LARGEST_PAGE)
        """Client for the APIs of forges; its certificates are read once."""
        self._tokens = InstallationTokens(environ)
        self._keys: Keys | None = None
        self._used: dict[str, deque[str]] = {}

    async def client(self, connection: RepositoryConnection) -> GitClient:
        """Return a client of the repository of *connection*.

        Raises GitFailure if the address is refused or the token is missing, ConfigurationError if the stored
        token cannot be decrypted.
        """
        address = parse_address(connection.repo_url, self._rules)
        token = await self.token(connection, address)
        scrub = self.scrubber(connection).scrub
        return GitClient(address, token, limits=self._limits, environ=self._environ, scrub=scrub)

    def scrubber(self, connection: RepositoryConnection) -> Scrubber:
        """Return the removal of the secrets that this process has used for *connection*."""
        # All used secrets and not only the last: a message may be of a process that had the old token.
        return Scrubber([*self._used.get(connection.id, ())])

    async def token(
        self,
        connection: RepositoryConnection,
        address: RepositoryAddress,
        permissions: Mapping[str, str] = READ_CONTENTS,
    ) -> str | None:
        """Return the token of *connection*; None if it has none. Raises errors as `client` does.

        A GitHub App gives one with *permissions*: by default those of git, or `USE_FORGE` for the API.
        """
        if (app := connection.github_app) is not None:
            key = await self._secret(connection, "private_key")
            token = await self._tokens.installation_token(app, key, address, permissions=permissions)
            return self._noted(connection, token)
        if connection.token_env is not None:
            token = self._environ.get(connection.token_env, "")
            if not token:
                raise GitFailure(
                    GitFailureKind.TOKEN,
                    f"The variable {connection.token_env} with the token is not set for this worker",
                    hint=f"set {connection.token_env} for every worker and for the server",
                )
            return self._noted(connection, token)
        return await self._secret(connection, "token") if connection.has_token else None

    async def _secret(self, connection: RepositoryConnection, field: SecretField) -> str:
        secret = await asyncio.to_thread(self._read_secret, connection, field)
        if secret is None:
            raise GitFailure(
                GitFailureKind.TOKEN,
                f"The {field.replace('_', ' ')} of connection {connection.name} is missing",
                hint="set it again with recce-meta connection set",
            )
        return self._noted(connection, secret)

    def _read_secret(self, connection: RepositoryConnection, field: SecretField) -> str | None:
        if self._keys is None:
            self._keys = read_keys(self._environ, self._state)
        return read_secret(self._state, self._keys, connection.id, field)

    def _noted(self, connection: RepositoryConnection, secret: str) -> str:
        """Return *secret*, which `scrubber` then removes, and so its password if it has a user name."""
        used = self._used.setdefault(connection.id, deque(maxlen=_MOST_USED))
        used.extend(one for one in {secret, secret.rpartition(":")[2]} if one not in used)
        return secret
