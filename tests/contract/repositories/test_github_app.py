"""Installation tokens of a GitHub App, from a server that checks the assertion as GitHub does."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from recce_meta.repositories.forges.github.app import InstallationTokens, api_address
from recce_meta.repositories.forges.registry import parse_address
from recce_meta.repositories.git.address import AddressRules
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.options.values import GitHubApp
from tests.support.git_server import OTHER_HOST, Answer, App

if TYPE_CHECKING:
    from tests.contract.repositories.conftest import Repository


class Installation:
    """An app that is installed for a repository, and a cache of its tokens."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.app: App = repository.server.add_app(repository.name)
        self.key = self.app.private_key
        self.now = time.time()
        self.tokens = InstallationTokens(repository.environ, clock=lambda: self.now)
        self.installation_id = self.app.installation_id

    @property
    def identity(self) -> GitHubApp:
        return GitHubApp(app_id=self.app.app_id, installation_id=self.installation_id)

    async def token(self) -> str:
        return await self.tokens.installation_token(self.identity, self.key, self.repository.address)

    def failure(self) -> GitFailure:
        with pytest.raises(GitFailure) as failed:
            asyncio.run(self.token())
        assert failed.value.hint and "PRIVATE" not in str(failed.value)
        return failed.value

    @property
    def requests(self) -> int:
        return self.repository.server.count(f"api-{self.installation_id}")


@pytest.fixture
def installation(repository: Repository) -> Installation:
    return Installation(repository)


def test_a_token_of_an_installation_opens_its_repository(installation: Installation) -> None:
    repository = installation.repository
    with pytest.raises(GitFailure, match="is private"):
        asyncio.run(repository.client().head("main"))
    token = asyncio.run(installation.token())
    assert asyncio.run(repository.client(token).head("main")) == repository.sha
    assert token not in repr(vars(installation.tokens))


def test_concurrent_jobs_make_one_request(installation: Installation) -> None:
    async def many() -> list[str]:
        return await asyncio.gather(*(installation.token() for _ in range(20)))

    assert len(set(asyncio.run(many()))) == 1
    assert installation.requests == 1


def test_a_token_is_renewed_before_it_expires(installation: Installation) -> None:
    installation.now += 10
    first = asyncio.run(installation.token())
    installation.now += 2900
    assert asyncio.run(installation.token()) == first
    installation.now += 200
    installation.repository.server.clock_ahead = 3110
    second = asyncio.run(installation.token())
    installation.repository.server.clock_ahead = 0
    assert second != first and installation.requests == 2


def test_another_key_is_another_token(installation: Installation) -> None:
    asyncio.run(installation.token())
    installation.key = pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    failure = installation.failure()
    assert failure.kind is GitFailureKind.TOKEN and "status 401" in failure.message
    assert "clock" in (failure.hint or "")


@pytest.mark.parametrize("kind", ["text", "certificate", "elliptic"])
def test_an_invalid_key_is_reported_without_a_request(installation: Installation, kind: str) -> None:
    installation.key = {
        "text": "-----BEGIN RSA PRIVATE KEY-----\nPRIVATE\n-----END RSA PRIVATE KEY-----\n",
        "certificate": installation.repository.server.ca_file.read_text(),
        "elliptic": pem(ec.generate_private_key(ec.SECP256R1())),
    }[kind]
    failure = installation.failure()
    assert failure.kind is GitFailureKind.TOKEN and "private key" in failure.message
    assert installation.requests == 0


def test_an_installation_that_does_not_exist_is_reported(installation: Installation) -> None:
    installation.installation_id = "1/../2"
    failure = installation.failure()
    assert failure.kind is GitFailureKind.TOKEN and "installation id" in (failure.hint or "")


def test_an_app_without_the_repository_is_reported(installation: Installation) -> None:
    server = installation.repository.server
    name = server.unused_name("other")
    other = type(installation.repository)(
        server, name, server.create_repository(name), installation.repository.folder
    )
    installation.repository = other
    assert "install the app" in (installation.failure().hint or "")


@pytest.mark.cases(3)
@pytest.mark.parametrize(
    ("answer", "kind", "can_retry", "wait"),
    [
        (Answer(429, {"Retry-After": "5"}), GitFailureKind.RATE_LIMIT, True, 5),
        (Answer(403, {}), GitFailureKind.TOKEN, False, None),
        (Answer(502, {}), GitFailureKind.NETWORK, True, None),
        (Answer(302, {"Location": "https://localhost:1/x"}), GitFailureKind.ADDRESS, False, None),
        (Answer(200, {}, b"<html>"), GitFailureKind.ADDRESS, False, None),
        (Answer(201, {}, b'{"token": 5}'), GitFailureKind.ADDRESS, False, None),
    ],
)
def test_an_answer_without_a_token_has_a_cause(
    installation: Installation, answer: Answer, kind: GitFailureKind, can_retry: bool, wait: float | None
) -> None:
    installation.repository.server.answer(f"api-{installation.installation_id}", answer)
    failure = installation.failure()
    assert (failure.kind, failure.can_retry, failure.retry_after) == (kind, can_retry, wait)


def test_an_unknown_certificate_is_not_accepted(installation: Installation) -> None:
    installation.tokens = InstallationTokens({"PATH": os.environ["PATH"]})
    failure = installation.failure()
    assert failure.kind is GitFailureKind.NETWORK and "certificate" in failure.message
    assert installation.requests == 0


def test_the_api_is_reached_at_the_checked_address(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        assert host in (OTHER_HOST, "127.0.0.1")
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr("socket.getaddrinfo", check)
    monkeypatch.setattr("recce_meta.repositories.git.address.is_public", lambda address: True)
    repository = installation.repository
    address = parse_address(f"https://{OTHER_HOST}:{repository.server.port}/{repository.name}")
    tokens = InstallationTokens({"GIT_SSL_CAINFO": str(repository.server.ca_file)})
    assert asyncio.run(tokens.installation_token(installation.identity, installation.key, address))
    assert repository.server.requests[-1].host == f"{OTHER_HOST}:{repository.server.port}"


def test_a_private_server_of_the_api_is_refused(installation: Installation) -> None:
    address = parse_address(f"https://localhost:{installation.repository.server.port}/o/r")
    with pytest.raises(GitFailure, match="not a public host"):
        asyncio.run(installation.tokens.installation_token(installation.identity, installation.key, address))


@pytest.mark.parametrize(
    ("repository", "api"),
    [
        ("https://github.com/o/r", "https://api.github.com"),
        ("https://acme.ghe.com/o/r", "https://api.acme.ghe.com"),
        ("https://github.example.com/o/r", "https://github.example.com/api/v3"),
        ("https://git.example.com:8443/o/r", "https://git.example.com:8443/api/v3"),
    ],
)
def test_the_api_has_an_address_of_its_own(repository: str, api: str) -> None:
    assert api_address(parse_address(repository, AddressRules())).url == api


def pem(key: Any) -> str:
    return str(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
    )
