"""Installation tokens of GitHub Apps, on GitHub and on GitHub Enterprise.

The private key of the app signs a short-lived assertion. The API answers with a token of one hour that can
only read the contents of one repository, or with another one that can only comment on its pull requests, set
commit statuses and change webhooks. Key and tokens stay in memory.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from recce_meta.repositories.git.address import RepositoryAddress, check_host
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.git.http import HttpAnswer, HttpClient, HttpFailure, HttpFailureKind
from recce_meta.repositories.git.outcome import Answers, failure_of_answers
from recce_meta.repositories.options.values import GitHubApp

READ_CONTENTS: Mapping[str, str] = {"contents": "read"}
"""Permissions of the token for git."""
USE_FORGE: Mapping[str, str] = {"pull_requests": "write", "statuses": "write", "repository_hooks": "write"}
"""Permissions of the token for the API; those that the installation does not grant are left out."""
RENEWED_BEFORE = 600.0
"""Seconds before its end at which a token is no longer used for a new job."""
_Shape = TypeVar("_Shape")


class _Token(Struct, frozen=True):
    """A token in the answer of the API."""

    token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"_Token(expires_at={self.expires_at})"


class _Request(Struct, frozen=True):
    """An installation whose API is asked."""

    app: GitHubApp
    private_key: str
    api: RepositoryAddress
    pinned: Sequence[str]

    def __repr__(self) -> str:
        return f"_Request({self.app})"


class _Installation(Struct, frozen=True):
    """An installation in an answer of the API."""

    permissions: Mapping[str, str]


class MissingPermissions(GitFailure):
    """An installation that grants none of the wanted permissions."""


class InstallationTokens:
    """Tokens of installations, fetched when needed and cached until shortly before they expire.

    *environ* is the environment of the service; *clock* returns the time in seconds since 1970.
    """

    def __init__(self, environ: Mapping[str, str], *, clock: Callable[[], float] = time.time) -> None:
        self._client = HttpClient(environ)
        self._clock = clock
        self._tokens: dict[tuple[str, ...], _Token] = {}
        self._locks: dict[tuple[str, ...], threading.Lock] = {}

    async def installation_token(
        self,
        app: GitHubApp,
        private_key: str,
        address: RepositoryAddress,
        *,
        permissions: Mapping[str, str] = READ_CONTENTS,
    ) -> str:
        """Return a token that has *permissions*, or those that are granted, for the repository at *address*.

        Raises GitFailure if the key is invalid, or the API cannot be reached or refuses the app or the
        installation, and MissingPermissions if the installation grants none of *permissions*.
        """
        api = api_address(address)
        request = _Request(app, private_key, api, await check_host(api))
        # With the key in it: a new key must not be answered with a token of the old one.
        digest = hashlib.sha256(private_key.encode()).hexdigest()
        names = " ".join(sorted(permissions))
        key = (api.url, app.app_id, app.installation_id, address.name, names, digest)
        fetch = partial(self._fetch, request, address.name, permissions)
        return await asyncio.to_thread(self._cached, key, fetch)

    def _cached(self, key: tuple[str, ...], fetch: Callable[[], _Token]) -> str:
        """Return the token of *key*; concurrent callers wait for one request."""
        # A lock of threads: the worker's poll and its jobs run on different event loops.
        with self._locks.setdefault(key, threading.Lock()):
            known = self._tokens.get(key)
            if known is None or known.expires_at.timestamp() - self._clock() < RENEWED_BEFORE:
                known = self._tokens[key] = fetch()
            return known.token

    def _fetch(self, request: _Request, repository: str, permissions: Mapping[str, str]) -> _Token:
        # An installation may cover all repositories of an owner, with more rights.
        path, body = "/access_tokens", {"repositories": [repository], "permissions": dict(permissions)}
        answer = self._send(request, "POST", path, body)
        if answer.status == 422 and permissions != READ_CONTENTS:
            # A request for one permission that is not granted gets no token at all.
            granted = self._granted(request, permissions)
            answer = self._send(request, "POST", path, {**body, "permissions": granted})
        return self._read(request, answer, _Token)

    def _granted(self, request: _Request, permissions: Mapping[str, str]) -> dict[str, str]:
        """Return the part of *permissions* that the installation grants."""
        found = self._read(request, self._send(request, "GET", ""), _Installation).permissions
        granted = {
            name: wanted if found[name] in (wanted, "admin") else "read"
            for name, wanted in permissions.items()
            if name in found
        }
        if not granted:
            raise MissingPermissions(
                GitFailureKind.TOKEN,
                f"The installation of GitHub App {request.app.app_id} may neither comment nor set statuses",
                hint="grant the app Pull requests, Commit statuses and Webhooks: read and write, and accept "
                "them in the settings of the installation",
            )
        return granted

    def _send(self, request: _Request, method: str, path: str, body: object = None) -> HttpAnswer:
        """Send a request about the installation."""
        api, installation = request.api, quote(request.app.installation_id, safe="")
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self._assertion(request.app, request.private_key)}",
            "Content-Type": "application/json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        url = f"{api.url}/app/installations/{installation}{path}"
        data = None if body is None else json.dumps(body).encode()
        try:
            return self._client.send_checked(method, url, request.pinned, headers=headers, body=data)
        except HttpFailure as error:
            raise _unanswered(error) from None

    def _read(self, request: _Request, answer: HttpAnswer, shape: type[_Shape]) -> _Shape:
        if not 200 <= answer.status < 300:
            raise _refusal(request.api, Answers(answer.status, answer.headers))
        try:
            return msgspec.json.decode(answer.body, type=shape)
        except msgspec.DecodeError:
            raise GitFailure(
                GitFailureKind.ADDRESS,
                f"{request.api.url} is not the API of GitHub",
                hint="check the address of the repository: GitHub Apps need GitHub or GitHub Enterprise",
            ) from None

    def _assertion(self, app: GitHubApp, private_key: str) -> str:
        """Return a JSON web token that names the app, signed with its key."""
        # Every server imports this module, and the package takes 7 MB.
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        now = int(self._clock())
        # A clock that is a little ahead of GitHub's is accepted
        claims = {"iat": now - 60, "exp": now + 480, "iss": app.app_id}
        signed = ".".join(
            _base64(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims)
        )
        try:
            key = load_pem_private_key(private_key.encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, RSAPrivateKey):
            raise GitFailure(
                GitFailureKind.TOKEN,
                f"The private key of GitHub App {app.app_id} is invalid",
                hint="give the PEM file that GitHub has created for the app, without a passphrase",
            )
        return f"{signed}.{_base64(key.sign(signed.encode(), PKCS1v15(), hashes.SHA256()))}"


def api_address(address: RepositoryAddress) -> RepositoryAddress:
    """Return the address of the API of the server of a repository."""
    if address.host in ("github.com", "www.github.com"):
        return replace(address, host="api.github.com", path="")
    if address.host.endswith(".ghe.com"):
        return replace(address, host=f"api.{address.host}", path="")
    return replace(address, path="/api/v3")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _refusal(api: RepositoryAddress, answers: Answers) -> GitFailure:
    """Return the failure of an answer that has no token."""
    hints = {
        401: "check the app id, that the private key is one of this app, and the clock of this machine",
        404: "check the installation id, at the end of the address of the installation's settings",
        422: "install the app for this repository, with the permission to read its contents",
    }
    if answers.status in hints:
        return GitFailure(
            GitFailureKind.TOKEN,
            f"GitHub refuses the app or its installation (status {answers.status})",
            hint=hints[answers.status],
        )
    return failure_of_answers(api, answers, has_token=True)


def _unanswered(error: HttpFailure) -> GitFailure:
    is_foreign = error.kind in (HttpFailureKind.ADDRESS, HttpFailureKind.ANSWER)
    return GitFailure(
        GitFailureKind.ADDRESS if is_foreign else GitFailureKind.NETWORK,
        error.message,
        hint=error.hint,
        can_retry=error.kind is HttpFailureKind.NETWORK,
    )
