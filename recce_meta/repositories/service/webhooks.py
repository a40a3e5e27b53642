"""Setting up of webhooks: by the API of the forge if the token may, else by a person who follows steps.

A new secret is stored before the forge gets it. The former one stays valid until a delivery has proven the
new one, so a failure between both loses no delivery.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.errors import ConfigurationError, RecceMetaError, StoreError, UsageError
from recce_meta.plugins import forge_names
from recce_meta.report.addresses import server_addresses
from recce_meta.repositories.forges.base import ForgeFailure, ForgeFailureKind, RemoteHook
from recce_meta.repositories.forges.events import new_secret
from recce_meta.repositories.forges.forge import Forge
from recce_meta.repositories.forges.login import ConnectionLogins
from recce_meta.repositories.forges.open import forge_of, open_forge
from recce_meta.repositories.forges.registry import find_forge
from recce_meta.repositories.git.environment import GitLimits
from recce_meta.repositories.state.audit import AuditAction, note_now
from recce_meta.repositories.state.connections import read_secret, update_connection
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.requests import refuse_database
from recce_meta.repositories.state.secrets import Keys, SecretField
from recce_meta.repositories.state.types import RepositoryConnection, Webhook, WebhookDelivery
from recce_meta.repositories.state.webhooks import (
    FORMER_SECRET,
    SECRET,
    get_webhook,
    list_deliveries,
    put_webhook,
)

PUBLIC_URL = "RECCE_META_PUBLIC_URL"
FORGE_SECONDS = 30.0
"""Time in which the forge must have set up a webhook."""
_NO_ADDRESS = f"set {PUBLIC_URL} to the address of this server, such as https://recce.example.com"

log = logging.getLogger(__name__)


class ManualSetup(Struct, frozen=True, kw_only=True):
    """What a person enters at the forge."""

    steps: tuple[str, ...]
    secret: str
    """Secret to paste; it is shown only in the answer that has created it."""

    def __repr__(self) -> str:
        return f"ManualSetup({len(self.steps)} steps)"


class WebhookAnswer(Struct, frozen=True, kw_only=True):
    """Webhook of a connection."""

    connection_id: str
    url: str | None
    """Address that the forge calls; None if the server's own address is unknown."""
    events: tuple[str, ...] = ()
    """Events in the words of the forge."""
    active: bool = False
    """Whether the forge has confirmed it, or a delivery has proven its current secret."""
    error: str | None = None
    """Why it could not be created."""
    hint: str | None = None
    """What to do next."""
    last_delivery: WebhookDelivery | None = None
    manual: ManualSetup | None = None
    """Steps, if a person has to create the webhook."""


class _StoredHook(Struct, frozen=True):
    webhook: Webhook | None
    secret: str | None
    former: str | None

    def __repr__(self) -> str:
        return f"_StoredHook({self.webhook!r})"

    @property
    def hook_id(self) -> str | None:
        return None if self.webhook is None else self.webhook.hook_id

    @property
    def is_active(self) -> bool:
        return self.webhook is not None and self.webhook.is_active


class HookSetup:
    """Setting up of the webhooks of one state; *keys* returns the keys for their secrets."""

    def __init__(
        self,
        state: State,
        environ: Mapping[str, str],
        limits: GitLimits,
        keys: Callable[[], Keys],
        *,
        public_url: str | None,
    ) -> None:
        self._state = state
        self._environ = environ
        self._keys = keys
        self._logins = ConnectionLogins(state, environ, limits)
        self._public_url = public_url

    def answer(self, connection: RepositoryConnection) -> WebhookAnswer:
        """Return the webhook of *connection* as it is stored, without its secret."""
        found, forge = get_webhook(self._state, connection.id), find_forge(connection.type)
        deliveries = list_deliveries(self._state, connection.id, limit=1)
        return WebhookAnswer(
            connection_id=connection.id,
            url=self._url(connection) if found is None else found.url or None,
            events=(forge.hook_events if forge else ()) if found is None else found.events,
            active=found is not None and found.is_active,
            error=None if found is None else found.error,
            hint=self._hint(connection, found),
            last_delivery=deliveries[0] if deliveries else None,
        )

    async def set_up(self, connection: RepositoryConnection, *, is_rotated: bool = False) -> WebhookAnswer:
        """Create the webhook of *connection*, or change the existing one; with *is_rotated*, its secret too.

        If the forge refuses, the answer has steps with a new secret. Raises UsageError if the connection
        cannot have a webhook or the address of this server is unknown, and ConfigurationError without a key.
        """
        forge, url = self._required(connection)
        keys = await asyncio.to_thread(self._keys)
        renewed = {"is_rotated": is_rotated}
        await asyncio.to_thread(
            note_now, self._state, AuditAction.SET_UP_WEBHOOK, connection.name, after=renewed
        )
        before = await asyncio.to_thread(self._stored, connection, keys)
        is_new = is_rotated or before.secret is None
        hook = Webhook(
            connection_id=connection.id,
            hook_id=before.hook_id,
            url=url,
            events=forge.hook_events,
            is_active=before.is_active and not is_new,
            created_at=datetime.now(timezone.utc),
        )
        secret = before.secret
        if secret is None or is_new:
            secret = await asyncio.to_thread(self._renew, hook, before, keys)
        try:
            remote = await self._set(connection, url, secret, before.hook_id)
        except ForgeFailure as error:
            log.warning("The webhook of %s could not be set up: %s", connection.name, error.message)
            # A webhook that works outlives an outage of its forge.
            if hook.is_active and error.can_retry:
                hook = replace(hook, error=_text(error))
                await asyncio.to_thread(put_webhook, self._state, hook)
                return await asyncio.to_thread(self.answer, connection)
            hook = replace(hook, is_active=False, error=_text(error))
            # A stored secret is never shown, so the person gets a new one.
            if not is_new:
                secret = await asyncio.to_thread(self._renew, hook, before, keys)
            else:
                await asyncio.to_thread(put_webhook, self._state, hook)
            found = await asyncio.to_thread(self.answer, connection)
            return replace(found, manual=ManualSetup(steps=_steps(connection, forge, url), secret=secret))
        hook = replace(hook, hook_id=remote.hook_id, events=remote.events, is_active=remote.is_active)
        await asyncio.to_thread(put_webhook, self._state, hook)
        return await asyncio.to_thread(self.answer, connection)

    async def connect(self, connection: RepositoryConnection) -> None:
        """Set up the webhook of a new connection if its token may; a failure is stored, and not raised."""
        has_login = connection.has_token or connection.token_env or connection.github_app
        forge = forge_of(connection)
        if not has_login or not self._public_url or forge is None:
            return
        try:
            await self.set_up(connection)
        except RecceMetaError as error:
            hook = Webhook(
                connection_id=connection.id,
                url="",
                events=forge.hook_events,
                error=_text(error),
                created_at=datetime.now(timezone.utc),
            )
            with suppress(RecceMetaError):
                await asyncio.to_thread(put_webhook, self._state, hook)

    async def remove(self, connection: RepositoryConnection) -> None:
        """Remove the webhook of *connection* at the forge, if it can be done at once."""
        found = await asyncio.to_thread(get_webhook, self._state, connection.id)
        if found is None or found.hook_id is None:
            return
        with suppress(RecceMetaError, asyncio.TimeoutError):
            client = await open_forge(connection, self._logins, self._environ)
            if client is not None:
                await asyncio.wait_for(client.remove_hook(found.hook_id), FORGE_SECONDS)

    async def _set(
        self, connection: RepositoryConnection, url: str, secret: str, hook_id: str | None
    ) -> RemoteHook:
        """Let the forge create or change the webhook. Raises ForgeFailure."""
        client = await open_forge(connection, self._logins, self._environ)
        assert client is not None  # only a plain git server has none
        try:
            remote = await asyncio.wait_for(client.set_hook(url, secret, hook_id=hook_id), FORGE_SECONDS)
        except asyncio.TimeoutError:
            raise ForgeFailure(
                ForgeFailureKind.OUTAGE, "The forge does not answer", hint="set up the webhook again later"
            ) from None
        # The id recognises a repository whose name has changed; the first delivery has it as well.
        with suppress(ForgeFailure, asyncio.TimeoutError):
            if connection.repository_id is None:
                found = await asyncio.wait_for(client.repository_id(), FORGE_SECONDS)
                await asyncio.to_thread(update_connection, self._state, connection.id, repository_id=found)
        return remote

    def _renew(self, hook: Webhook, before: _StoredHook, keys: Keys) -> str:
        """Store a new secret with *hook*, and return it."""
        secret = new_secret()
        # A secret that no delivery has proven may never have reached the forge: the one before it has.
        former = before.secret if before.is_active else before.former or before.secret
        secrets: dict[SecretField, str | None] = {SECRET: secret, FORMER_SECRET: former}
        put_webhook(self._state, hook, keys=keys, secrets=secrets)
        return secret

    def _stored(self, connection: RepositoryConnection, keys: Keys) -> _StoredHook:
        return _StoredHook(
            get_webhook(self._state, connection.id),
            self._secret(connection, keys, SECRET),
            self._secret(connection, keys, FORMER_SECRET),
        )

    def _secret(self, connection: RepositoryConnection, keys: Keys, field: SecretField) -> str | None:
        # One that no key opens is replaced: nothing but a new one helps.
        with suppress(ConfigurationError, StoreError):
            return read_secret(self._state, keys, connection.id, field)
        return None

    def _url(self, connection: RepositoryConnection) -> str | None:
        """Return the address that the forge calls; None if that of this server is unknown.

        Raises UsageError if that of this server is invalid.
        """
        if not self._public_url or forge_of(connection) is None:
            return None
        server = server_addresses(self._public_url).server
        # With the id: several connections, each with a secret of its own, may have the same repository.
        return f"{server}/api/webhooks/{connection.type}?connection={connection.id}"

    def _required(self, connection: RepositoryConnection) -> tuple[Forge, str]:
        """Return the forge of *connection*, and the address that it calls. Raises UsageError."""
        refuse_database(connection)
        forge = forge_of(connection)
        if forge is None:
            raise UsageError(
                f"{connection.name} cannot have a webhook",
                hint="its runs come from uploads"
                if connection.is_upload_only
                else f"the type git has none: add it with --type {' or '.join(forge_names())}",
            )
        url = self._url(connection)
        if url is None:
            raise UsageError(
                "The address that the forge should call is unknown",
                hint=f"{_NO_ADDRESS}, and start it again",
            )
        return forge, url

    def _hint(self, connection: RepositoryConnection, found: Webhook | None) -> str | None:
        if forge_of(connection) is None:
            return None
        if not self._public_url:
            return _NO_ADDRESS
        if found is None or (found.error is not None and not found.is_active):
            return f"recce-meta connection webhook {connection.name} sets it up, or shows the steps"
        return None


def run_in_thread(work: Coroutine[Any, Any, None]) -> None:
    """Run *work* to its end, on a thread of its own: the caller may be on an event loop."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work).result()


def _text(error: RecceMetaError) -> str:
    return error.message if error.hint is None else f"{error.message}; {error.hint}"


def _steps(connection: RepositoryConnection, forge: Forge, url: str) -> tuple[str, ...]:
    """Return what a person does at the forge; the secret is shown next to the steps."""
    # Servers of one's own keep .git in the address, which none of their pages has.
    repository = connection.repo_url.removesuffix(".git")
    return (
        f"Open {repository}{forge.hook_form.path} as an administrator of the repository",
        f"URL: {url}",
        *forge.hook_form.fields,
    )
