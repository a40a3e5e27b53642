"""Clients of forges for connections."""

from __future__ import annotations

import re
from collections.abc import Mapping

from recce_meta.errors import ConfigurationError
from recce_meta.repositories.forges.api import ForgeApi
from recce_meta.repositories.forges.base import ForgeClient, ForgeFailure, ForgeFailureKind
from recce_meta.repositories.forges.forge import Forge
from recce_meta.repositories.forges.github.app import USE_FORGE, MissingPermissions
from recce_meta.repositories.forges.login import ConnectionLogins
from recce_meta.repositories.forges.registry import find_forge, parse_address
from recce_meta.repositories.git.address import AddressRules, RepositoryAddress
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.git.http import HttpClient
from recce_meta.repositories.state.types import RepositoryConnection

_HEADER = re.compile(r"[!-~]+")
_KINDS: Mapping[GitFailureKind, ForgeFailureKind] = {
    GitFailureKind.TOKEN: ForgeFailureKind.TOKEN,
    GitFailureKind.NETWORK: ForgeFailureKind.OUTAGE,
    GitFailureKind.RATE_LIMIT: ForgeFailureKind.RATE_LIMIT,
}
"""Kinds of failures to get a token; any other is REFUSED."""


async def open_forge(
    connection: RepositoryConnection, logins: ConnectionLogins, environ: Mapping[str, str]
) -> ForgeClient | None:
    """Return a client of the forge of *connection*; None for a plain git server, or if it only has uploads.

    No request is sent, except for the token of a GitHub App. *environ* is the environment of the service.

    Raises ForgeFailure if the connection has no token, or its token, its key or its address cannot be used.
    """
    forge = forge_of(connection)
    if forge is None:
        return None
    try:
        address = parse_address(connection.repo_url, AddressRules.read(environ))
        token = await logins.token(connection, address, USE_FORGE)
    except GitFailure as error:
        is_scope = isinstance(error, MissingPermissions)
        kind = ForgeFailureKind.SCOPE if is_scope else _KINDS.get(error.kind, ForgeFailureKind.REFUSED)
        raise ForgeFailure(kind, error.message, hint=error.hint, retry_after=error.retry_after) from None
    except ConfigurationError as error:
        raise ForgeFailure(ForgeFailureKind.TOKEN, error.message, hint=error.hint) from None
    if not token or not _HEADER.fullmatch(token):
        raise ForgeFailure(
            ForgeFailureKind.TOKEN,
            f"Connection {connection.name} has no token for {forge.title}"
            if not token
            else f"The token of connection {connection.name} has a line break or another special character",
            hint="give one with `recce-meta connection set NAME --ask-token`",
        )
    app = None if connection.github_app is None else connection.github_app.app_id
    return create_client(forge, address, token, logins.http, app=app)


def forge_of(connection: RepositoryConnection) -> Forge | None:
    """Return the forge of *connection*; None for a plain git server, or if it only has uploads."""
    return None if connection.is_upload_only else find_forge(connection.type)


def create_client(
    forge: Forge, address: RepositoryAddress, token: str, client: HttpClient, *, app: str | None = None
) -> ForgeClient:
    """Return a client of the forge of the repository at *address*; *app* is the GitHub App of *token*.

    Raises ForgeFailure if the address is not one of a repository of such a forge.
    """
    if not forge.is_repository(address.repository):
        raise ForgeFailure(
            ForgeFailureKind.REFUSED,
            f"{address.url} is not the address of a repository of {forge.title}",
            hint="enter one like https://HOST/OWNER/NAME, or set the type of the connection to git"
            + forge.address_hint,
        )
    api = ForgeApi(
        client,
        forge=forge.title,
        base=forge.api_base(address),
        headers=forge.headers(token),
        secrets=(token, token.rpartition(":")[2]),
        token_hint=forge.token_hint,
    )
    return forge.client(api, address, app=app)
