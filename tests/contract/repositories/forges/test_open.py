"""A connection gets the client of its forge, with its own token, or the reason why it gets none."""

from __future__ import annotations

import asyncio
import base64
import socket
import threading

import pytest

from recce_meta.repositories.forges.base import ForgeClient, ForgeFailure, ForgeFailureKind, StatusState
from recce_meta.repositories.forges.open import create_client
from recce_meta.repositories.forges.registry import forge_named, parse_address
from recce_meta.repositories.git.address import AddressRules
from recce_meta.repositories.git.http import HttpClient
from recce_meta.repositories.options.values import GitHubApp
from recce_meta.repositories.state.connections import add_connection, update_connection
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.secrets import read_keys
from tests.contract.repositories.forges.conftest import Forged
from tests.support.forge_names import Forge
from tests.support.forge_server import ForgeServer
from tests.support.states import KEY, shop

GRANTED = {"contents": "write", "metadata": "read", "pull_requests": "write", "statuses": "write"}


@pytest.fixture
def github(forge_server: ForgeServer, empty_state: State) -> Forged:
    return Forged(forge_server.create(Forge.GITHUB), empty_state)


async def look(client: ForgeClient) -> str:
    return await client.repository_id()


@pytest.mark.parametrize("fields", [{"type": Forge.GIT}, {"is_upload_only": True, "token_env": None}])
def test_some_connections_have_no_forge(steady: Forged, fields: dict[str, object]) -> None:
    assert asyncio.run(steady.open(**fields)) is None


def test_a_connection_without_a_token_is_reported(forged: Forged) -> None:
    failure = forged.failure(look, token_env=None)
    assert failure.kind is ForgeFailureKind.TOKEN and "has no token" in failure.message
    assert forged.repository.requests == []


@pytest.mark.parametrize("token", ["two\nlines-of-secret", "geheimnis-ü", "with a space"])
def test_a_token_that_fits_no_header_is_reported(steady: Forged, token: str) -> None:
    failure = steady.failure(look, token)
    assert failure.kind is ForgeFailureKind.TOKEN and "special character" in failure.message


def test_a_variable_without_a_token_is_reported(steady: Forged) -> None:
    failure = steady.failure(look, token_env="MISSING")
    assert failure.kind is ForgeFailureKind.TOKEN and "MISSING" in failure.message


def test_a_stored_token_without_a_key_is_reported(forged: Forged) -> None:
    forged.variables["RECCE_META_KEY"] = "no key"
    failure = forged.failure(look, token_env=None, has_token=True)
    assert failure.kind is ForgeFailureKind.TOKEN


def test_a_user_and_a_password_fit_each_forge(steady: Forged) -> None:
    assert steady.run(look, f"ada@example.com:{steady.token}") == steady.repository.id
    sent = steady.repository.requests[-1].headers["authorization"]
    pair = base64.b64encode(f"ada@example.com:{steady.token}".encode()).decode()
    has_user = steady.forge in (Forge.BITBUCKET, Forge.GITEA)
    assert sent == (f"Basic {pair}" if has_user else f"Bearer {steady.token}")


@pytest.mark.parametrize("steady", [Forge.GITHUB, Forge.BITBUCKET, Forge.GITEA], indirect=True)
def test_an_address_with_more_parts_is_refused(steady: Forged) -> None:
    failure = steady.failure(look, repo_url=steady.repository.url + "/more")
    assert failure.kind is ForgeFailureKind.REFUSED and "OWNER/NAME" in (failure.hint or "")


def test_a_refused_address_is_reported(steady: Forged) -> None:
    failure = steady.failure(look, repo_url="ssh://git@example.com/acme/shop")
    assert failure.kind is ForgeFailureKind.REFUSED


def test_a_private_host_is_refused(forged: Forged) -> None:
    forged.variables["RECCE_META_ALLOWED_HOSTS"] = ""
    failure = forged.failure(look)
    assert failure.kind is ForgeFailureKind.REFUSED and "not a public host" in failure.message


def test_an_unknown_certificate_is_not_accepted(forged: Forged) -> None:
    forged.variables["GIT_SSL_CAINFO"] = ""
    failure = forged.failure(look)
    assert failure.kind is ForgeFailureKind.OUTAGE and "certificate" in failure.message
    assert forged.repository.requests == []


def test_a_forge_that_is_down_is_an_outage(forged: Forged) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{unused.getsockname()[1]}"
        forged.variables["RECCE_META_ALLOWED_HOSTS"] = host
        failure = forged.failure(look, repo_url=f"https://{host}/acme/shop")
    assert failure.kind is ForgeFailureKind.OUTAGE and failure.can_retry


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"])
def test_an_answer_that_never_ends_is_an_outage(steady: Forged, sent: bytes) -> None:
    """One byte after the other, so that no timeout between two bytes is reached."""
    done = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(sent)
            while not done.wait(0.05):
                try:
                    connection.sendall(b"H")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, daemon=True).start()
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        environ = {"RECCE_META_ALLOWED_HOSTS": host}
        address = parse_address(f"http://{host}/acme/shop", AddressRules.read(environ))
        client = create_client(
            forge_named(steady.forge), address, "a-token", HttpClient(environ, seconds=0.3)
        )
        with pytest.raises(ForgeFailure) as failed:
            asyncio.run(client.repository_id())
        done.set()
    assert failed.value.kind is ForgeFailureKind.OUTAGE and "no answer in time" in failed.value.message


@pytest.mark.parametrize(
    ("forge", "repository", "base"),
    [
        (Forge.GITHUB, "https://github.com/acme/shop", "https://api.github.com"),
        (Forge.GITHUB, "https://acme.ghe.com/acme/shop", "https://api.acme.ghe.com"),
        (Forge.GITHUB, "https://git.example.com/acme/shop", "https://git.example.com/api/v3"),
        (Forge.GITLAB, "https://gitlab.com/acme/web/shop", "https://gitlab.com/api/v4"),
        (Forge.BITBUCKET, "https://bitbucket.org/acme/shop", "https://api.bitbucket.org/2.0"),
        (Forge.BITBUCKET, "https://git.example.com:81/acme/shop", "https://git.example.com:81/2.0"),
        (Forge.GITEA, "https://codeberg.org/acme/shop", "https://codeberg.org/api/v1"),
    ],
)
def test_the_api_has_an_address_of_its_own(forge: Forge, repository: str, base: str) -> None:
    assert forge_named(forge).api_base(parse_address(repository)) == base


class TestApp:
    """A GitHub App gives another token for the API than for git."""

    @pytest.fixture
    def app(self, github: Forged) -> dict[str, object]:
        """Return the fields of a connection of an app, whose permissions are those of `granted`."""
        return self.install(github, GRANTED | {"repository_hooks": "write"})

    def install(self, github: Forged, granted: dict[str, str]) -> dict[str, object]:
        server = github.repository.git
        app = server.add_app(github.repository.name, granted)
        github.variables["RECCE_META_KEY"] = KEY
        connection = shop(name=github.repository.name, repo_url=github.repository.url)
        keys = read_keys(github.variables, github.state)
        add_connection(github.state, connection, keys=None)
        update_connection(github.state, connection.id, keys=keys, secrets={"private_key": app.private_key})
        identity = GitHubApp(app_id=app.app_id, installation_id=app.installation_id)
        return {"id": connection.id, "token_env": None, "github_app": identity}

    def test_its_comments_are_known_by_the_app(self, github: Forged, app: dict[str, object]) -> None:
        number = github.repository.open_pull_request("feature", {"a.sql": "x"})
        github.repository.add_comment(number, "marker", user=9)

        async def work(client: ForgeClient) -> tuple[str, str | None]:
            written = await client.write_comment(number, "marker")
            await client.set_status(github.repository.sha, StatusState.SUCCESS, "fine", url=None)
            await client.set_hook("https://meta.example.com/hook", "secret")
            return written, await client.find_comment(number, "marker")

        issued = github.repository.git.issued_permissions
        # The server is shared with other tests, which have got tokens as well.
        before = set(issued)
        written, found = github.run(work, **app)
        assert written == found
        (token,) = set(github.repository.git.issued_tokens) & set(issued) - before
        assert "contents" not in github.repository.git.issued_permissions[token]

    def test_what_is_not_granted_is_named(self, github: Forged) -> None:
        app = self.install(github, {"contents": "read", "metadata": "read", "pull_requests": "write"})
        number = github.repository.open_pull_request("feature", {"a.sql": "x"})

        async def work(client: ForgeClient) -> None:
            await client.write_comment(number, "text")
            await client.set_status(github.repository.sha, StatusState.SUCCESS, "fine", url=None)

        failure = github.failure(work, **app)
        assert failure.kind is ForgeFailureKind.SCOPE and "statuses=write" in (failure.hint or "")
        assert len(github.repository.comments[number]) == 1

    def test_an_app_that_only_reads_contents_is_reported(self, github: Forged) -> None:
        app = self.install(github, {"contents": "read", "metadata": "read"})
        failure = github.failure(look, **app)
        assert failure.kind is ForgeFailureKind.SCOPE and "Pull requests" in (failure.hint or "")
