"""Webhooks are created at the forge, or by a person; their secrets change without a lost delivery."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recce_meta.errors import ConfigurationError, UsageError
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.service.webhooks import WebhookAnswer
from recce_meta.repositories.state.connections import (
    add_connection,
    get_connection,
    read_secret,
    update_connection,
)
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.requests import Caller, NewConnection
from recce_meta.repositories.state.secrets import read_keys
from recce_meta.repositories.state.types import RepositoryConnection, WebhookDelivery
from recce_meta.repositories.state.webhooks import get_webhook, note_delivery
from tests.support import states
from tests.support.forge_names import FORGES, Forge
from tests.support.forge_server import ForgeRepository, ForgeServer
from tests.support.git_server import Answer

TOKEN = "FORGE_TOKEN"
PUBLIC = "https://recce.example.com"
ADA = Caller(name="ada", is_admin=True)


@pytest.fixture(scope="module", params=states.DATABASES)
def state(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """Yield a state."""
    postgres = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    folder = tmp_path_factory.mktemp("state")
    with states.state_address(request.param, folder, postgres) as url, states.opened(url) as opened:
        yield opened


class Site:
    """A service, and a connection of a repository of a forge."""

    def __init__(self, state: State, repository: ForgeRepository, *rights: str, **fields: Any) -> None:
        self.repository = repository
        self.environ = {
            **repository.server.environ,
            TOKEN: repository.add_token(*rights) if rights != ("none",) else "",
            "RECCE_META_KEY": states.KEY,
            "RECCE_META_PUBLIC_URL": PUBLIC,
        }
        self.state = state
        given = {"type": repository.forge, "repo_url": repository.url, "token_env": TOKEN, **fields}
        self.connection: RepositoryConnection = add_connection(
            state, states.shop(name=f"{repository.name}-{repository.number}", **given)
        )

    @property
    def service(self) -> RepositoryService:
        """Service with the environment as it is now."""
        return RepositoryService(self.state, environ=self.environ)

    @property
    def url(self) -> str:
        """Address that the forge has to call."""
        return f"{PUBLIC}/api/webhooks/{self.repository.forge.value}?connection={self.connection.id}"

    def set_up(self, *, is_rotated: bool = False) -> WebhookAnswer:
        """Set up the webhook."""
        return asyncio.run(self.service.set_up_webhook(self.connection.id, is_rotated=is_rotated))

    def secret(self, *, is_former: bool = False) -> str | None:
        """Return a stored secret."""
        keys = read_keys(self.environ, self.state)
        field = "former_webhook_secret" if is_former else "webhook_secret"
        return read_secret(self.state, keys, self.connection.id, field)  # type: ignore[arg-type]

    def prove(self) -> None:
        """Note a delivery with the current secret."""
        now = self.connection.created_at
        one = WebhookDelivery(
            connection_id=self.connection.id,
            delivery_id="1",
            event="push",
            received_at=now,
            outcome="ignored",
        )
        note_delivery(self.state, one, repository_id=None, is_current=True)


@pytest.mark.parametrize("forge", FORGES)
def test_a_webhook_is_created_once_and_removed_with_its_connection(
    forge_server: ForgeServer, state: State, forge: Forge
) -> None:
    site = Site(state, forge_server.create(forge))

    for _ in range(2):
        found = site.set_up()

        assert (found.url, found.active, found.error, found.manual) == (site.url, True, None, None)
        assert found.events
        assert [hook.url for hook in site.repository.hooks] == [site.url]
    secret = site.secret()
    assert secret is not None and secret in str(site.repository.hooks[0].settings)
    assert get_connection(state, site.connection.id).repository_id == site.repository.id
    assert site.service.webhook(site.connection.name) == found
    assert secret not in repr(found)
    site.service.remove(site.connection.id)
    assert site.repository.hooks == []


@pytest.mark.parametrize("forge", FORGES)
def test_a_token_without_the_right_leads_to_steps_with_a_new_secret_each_time(
    forge_server: ForgeServer, state: State, forge: Forge, caplog: pytest.LogCaptureFixture
) -> None:
    site = Site(state, forge_server.create(forge), "comment")

    first, second = site.set_up(), site.set_up()

    assert first.manual is not None and second.manual is not None
    assert first.manual.secret != second.manual.secret == site.secret()
    # The first may be the one that a person has entered.
    assert site.secret(is_former=True) == first.manual.secret
    assert not first.active and first.error is not None and "may not" in first.error
    steps = "\n".join(first.manual.steps)
    assert site.url in steps and site.repository.url in steps
    shown = site.service.webhook(site.connection.id)
    assert (shown.manual, shown.error, shown.active) == (None, second.error, False)
    texts = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    texts += [repr(first), repr(second.manual), steps, str(first.error)]
    known = (first.manual.secret, second.manual.secret, site.environ[TOKEN])
    assert not [text for text in texts for secret in known if secret in text]
    assert sum("could not be set up" in text for text in texts) == 2


def test_rotation_keeps_the_secret_that_the_forge_may_still_have(
    forge_server: ForgeServer, state: State
) -> None:
    site = Site(state, forge_server.create(Forge.GITHUB))
    site.set_up()
    first = site.secret()

    assert site.set_up(is_rotated=True).active
    second = site.secret()
    assert second != first == site.secret(is_former=True)
    assert second is not None and second in str(site.repository.hooks[0].settings)
    site.prove()
    assert site.secret(is_former=True) is None
    # The forge fails while it gets the third, and keeps the second through all attempts.
    site.repository.fail(Answer(503), times=20)
    for _ in range(2):
        answer = site.set_up(is_rotated=True)
        assert answer.manual is not None and answer.manual.secret == site.secret()
    assert site.secret(is_former=True) == second


def test_an_outage_leaves_a_webhook_that_works(forge_server: ForgeServer, state: State) -> None:
    site = Site(state, forge_server.create(Forge.GITHUB))
    site.set_up()
    secret = site.secret()
    site.repository.fail(Answer(503), times=20)

    found = site.set_up()

    assert found.active and found.manual is None and found.error is not None
    assert site.secret() == secret


def test_a_webhook_that_was_removed_at_the_forge_is_created_again(
    forge_server: ForgeServer, state: State
) -> None:
    site = Site(state, forge_server.create(Forge.GITEA))
    site.set_up()
    site.repository.hooks.clear()

    assert site.set_up().active and [hook.url for hook in site.repository.hooks] == [site.url]


def test_the_address_of_the_server_must_be_known(forge_server: ForgeServer, state: State) -> None:
    site = Site(state, forge_server.create(Forge.GITHUB))
    del site.environ["RECCE_META_PUBLIC_URL"]

    shown = site.service.webhook(site.connection.id)
    assert shown.url is None and "RECCE_META_PUBLIC_URL" in (shown.hint or "")
    with pytest.raises(UsageError) as failed:
        site.set_up()
    assert "RECCE_META_PUBLIC_URL" in (failed.value.hint or "")
    assert site.repository.requests == []


@pytest.mark.parametrize("fields", [{"type": Forge.GIT}, {"is_upload_only": True}])
def test_some_connections_cannot_have_one(
    forge_server: ForgeServer, state: State, fields: dict[str, Any]
) -> None:
    site = Site(state, forge_server.create(Forge.GITHUB), **fields)

    assert site.service.webhook(site.connection.id).url is None
    with pytest.raises(UsageError, match="cannot have a webhook"):
        site.set_up()


def test_a_connection_without_a_token_gets_steps(forge_server: ForgeServer, state: State) -> None:
    repository = forge_server.create(Forge.GITLAB)
    site = Site(state, repository, "none", token_env=None, repo_url=f"{repository.url}.git")

    found = site.set_up()

    assert found.manual is not None and found.manual.secret == site.secret()
    # No page of a forge has the suffix in its address.
    assert found.manual.steps[0].startswith(f"Open {repository.url}/-/hooks ")


def test_a_secret_that_no_key_opens_is_replaced(forge_server: ForgeServer, state: State) -> None:
    site = Site(state, forge_server.create(Forge.GITHUB))
    other = read_keys({"RECCE_META_KEY": states.OTHER_KEY}, state)
    update_connection(state, site.connection.id, keys=other, secrets={"webhook_secret": "lost"})

    assert site.set_up().active and site.secret() is not None


def test_without_a_key_nothing_is_created(forge_server: ForgeServer, state: State, tmp_path: Path) -> None:
    site = Site(state, forge_server.create(Forge.GITHUB))
    site.environ |= {"RECCE_META_KEY": "", "RECCE_META_KEY_FILE": str(tmp_path / "missing")}

    with pytest.raises(ConfigurationError):
        site.set_up()
    assert site.repository.hooks == []


def test_a_new_connection_gets_its_webhook_and_a_failure_does_not_matter(
    forge_server: ForgeServer, state: State
) -> None:
    for rights, is_active in (((), True), (("comment",), False)):
        site = Site(state, forge_server.create(Forge.GITEA), *rights)
        request = NewConnection(
            repo_url=site.repository.url, type=Forge.GITEA, branch="main", token_env=TOKEN,
            name=f"new-{site.repository.number}",
        )  # fmt: skip
        added = asyncio.run(site.service.add(request, caller=ADA, is_tested=False))

        found = site.service.webhook(added.connection.id)
        assert found.active is is_active and (found.error is None) is is_active
        assert len(site.repository.hooks) == is_active
        assert [job.status.value for job in added.jobs] == ["pending"]


def test_a_new_connection_without_a_token_or_an_address_asks_no_forge(
    forge_server: ForgeServer, state: State
) -> None:
    site = Site(state, forge_server.create(Forge.GITEA))
    without_token = NewConnection(
        repo_url=site.repository.url, type=Forge.GITEA, branch="main", name="public"
    )
    added = asyncio.run(site.service.add(without_token, caller=ADA, is_tested=False))
    assert get_webhook(state, added.connection.id) is None

    site.environ["RECCE_META_PUBLIC_URL"] = "recce.example.com"
    request = NewConnection(
        repo_url=site.repository.url, type=Forge.GITEA, branch="main", token_env=TOKEN, name="malformed"
    )
    added = asyncio.run(site.service.add(request, caller=ADA, is_tested=False))
    stored = get_webhook(state, added.connection.id)
    assert stored is not None and stored.error is not None and "public URL" in stored.error
    assert site.repository.requests == []
