"""Clients of forges for connections."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

from msgspec.structs import replace

from recce_meta.errors import ConfigurationError
from recce_meta.repositories.forges import bitbucket, gitea, github, gitlab
from recce_meta.repositories.forges.api import ForgeApi
from recce_meta.repositories.forges.base import ForgeClient, ForgeFailure, ForgeFailureKind
from recce_meta.repositories.git.address import AddressRules, RepositoryAddress, parse_address
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.git.github_app import MissingPermissions, api_address
from recce_meta.repositories.http import HttpClient
from recce_meta.repositories.login import Logins
from recce_meta.repositories.types import Forge, RepositoryConnection

FORGE_NAMES: Mapping[Forge, str] = {
    Forge.GITHUB: "GitHub",
    Forge.GITLAB: "GitLab",
    Forge.BITBUCKET: "Bitbucket",
    Forge.GITEA: "Gitea",
}
LONGEST_COMMENTS: Mapping[Forge, int] = {
    Forge.GITHUB: github.LONGEST_COMMENT,
    Forge.GITLAB: gitlab.LONGEST_COMMENT,
    Forge.BITBUCKET: bitbucket.LONGEST_COMMENT,
    Forge.GITEA: gitea.LONGEST_COMMENT,
}
"""Characters of a comment; `write_comment` cuts a longer text at the end of a line."""
HOOK_EVENTS: Mapping[Forge, tuple[str, ...]] = {
    Forge.GITHUB: github.EVENTS,
    Forge.GITLAB: gitlab.EVENTS,
    Forge.BITBUCKET: bitbucket.EVENTS,
    Forge.GITEA: gitea.EVENTS,
}
"""Events of a webhook, in the words of the forge; also for a person who creates it."""
_BITBUCKET_HOSTS = ("bitbucket.org", "www.bitbucket.org")
_HEADER = re.compile(r"[!-~]+")
_KINDS: Mapping[GitFailureKind, ForgeFailureKind] = {
    GitFailureKind.TOKEN: ForgeFailureKind.TOKEN,
    GitFailureKind.NETWORK: ForgeFailureKind.OUTAGE,
    GitFailureKind.RATE_LIMIT: ForgeFailureKind.RATE_LIMIT,
}
"""Kinds of failures to get a token; any other is REFUSED."""


async def open_forge(
    connection: RepositoryConnection, logins: Logins, environ: Mapping[str, str]
) -> ForgeClient | None:
    """Return a client of the forge of *connection*; None for a plain git server, or if it only has uploads.

    No request is sent, except for the token of a GitHub App. *environ* is the environment of the service.

    Raises
    ------
    ForgeFailure
        The connection has no token, or its token, its key or its address cannot be used.
    """
    if connection.type is Forge.GIT or connection.is_upload_only:
        return None
    try:
        address = parse_address(connection.repo_url, AddressRules.read(environ))
        token = await logins.forge_token(connection, address)
    except GitFailure as error:
        is_scope = isinstance(error, MissingPermissions)
        kind = ForgeFailureKind.SCOPE if is_scope else _KINDS.get(error.kind, ForgeFailureKind.REFUSED)
        raise ForgeFailure(kind, error.message, hint=error.hint, retry_after=error.retry_after) from None
    except ConfigurationError as error:
        raise ForgeFailure(ForgeFailureKind.TOKEN, error.message, hint=error.hint) from None
    name = FORGE_NAMES[connection.type]
    if not token or not _HEADER.fullmatch(token):
        raise ForgeFailure(
            ForgeFailureKind.TOKEN,
            f"Connection {connection.name} has no token for {name}"
            if not token
            else f"The token of connection {connection.name} has a line break or another special character",
            hint="give one with `recce-meta connection set NAME --ask-token`",
        )
    app = None if connection.github_app is None else connection.github_app.app_id
    return create_client(connection.type, address, token, logins.http, app=app)


def create_client(
    forge: Forge, address: RepositoryAddress, token: str, client: HttpClient, *, app: str | None = None
) -> ForgeClient:
    """Return a client of the forge of the repository at *address*; *app* is the GitHub App of *token*.

    Raises
    ------
    ForgeFailure
        The address is not one of a repository of such a forge.
    """
    repository = address.path.removesuffix(".git")
    is_project = forge is Forge.GITLAB and repository.count("/") >= 2
    if not is_project and (forge is Forge.GITLAB or repository.count("/") != 2):
        raise ForgeFailure(
            ForgeFailureKind.REFUSED,
            f"{address.url} is not the address of a repository of {FORGE_NAMES[forge]}",
            hint="enter one like https://HOST/OWNER/NAME, or set the type of the connection to git"
            + ("; Bitbucket Data Center is not supported" if forge is Forge.BITBUCKET else ""),
        )
    api = ForgeApi(
        client,
        forge=FORGE_NAMES[forge],
        base=api_base(forge, address),
        headers={"Authorization": _authorization(forge, token), **_HEADERS.get(forge, {})},
        secrets=(token, _password(token)),
        token_hint=bitbucket.TOKEN_HINT if forge is Forge.BITBUCKET else "",
    )
    if forge is Forge.GITHUB:
        return github.GitHubClient(api, repository, app=app)
    if forge is Forge.GITLAB:
        return gitlab.GitLabClient(api, repository)
    if forge is Forge.BITBUCKET:
        return bitbucket.BitbucketClient(api, repository, server=address.server)
    return gitea.GiteaClient(api, repository)


_HEADERS: Mapping[Forge, Mapping[str, str]] = {Forge.GITHUB: github.HEADERS}


def api_base(forge: Forge, address: RepositoryAddress) -> str:
    """Return the address of the API of the server of a repository, without a slash at its end."""
    if forge is Forge.GITHUB:
        return api_address(address).url
    if forge is Forge.BITBUCKET:
        is_cloud = address.host in _BITBUCKET_HOSTS
        server = replace(address, host="api.bitbucket.org").server if is_cloud else address.server
        return f"{server}/2.0"
    return f"{address.server}/api/v4" if forge is Forge.GITLAB else f"{address.server}/api/v1"


def _authorization(forge: Forge, token: str) -> str:
    """Return the value of the header for a token, which may be a user name and a password.

    Git servers ignore the user name of an access token, and APIs take the token alone. The exceptions are API
    tokens and app passwords of Bitbucket, and passwords on Gitea.
    """
    user, colon, password = token.partition(":")
    needs_user = forge in (Forge.BITBUCKET, Forge.GITEA) and user not in ("", "x-token-auth", "oauth2")
    if colon and needs_user:
        return f"Basic {base64.b64encode(token.encode()).decode()}"
    return f"{'token' if forge is Forge.GITEA else 'Bearer'} {password if colon else token}"


def _password(token: str) -> str:
    return token.rpartition(":")[2]
