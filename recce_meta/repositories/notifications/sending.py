"""Sending of notifications to the addresses of a connection: webhooks, and mailboxes.

An address is a secret: it allows to write to the channel. So failures name what is shown of it,
such as `slack hooks.slack.com`, and texts pass through a scrubber that knows the secrets of the connection.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, get_args
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Struct

from recce_meta.errors import ConfigurationError, StoreError, UsageError, mask_errors
from recce_meta.models.run import Check
from recce_meta.redaction import is_secret, passwords_in
from recce_meta.repositories.forges.login import ConnectionLogins
from recce_meta.repositories.git.http import HttpAnswer, HttpClient, HttpFailure, HttpFailureKind
from recce_meta.repositories.notifications.mail import (
    SMTP_URL,
    MailServer,
    build_mail,
    mail_recipient,
    send_mail,
)
from recce_meta.repositories.notifications.messages import (
    Notification,
    NotificationFailed,
    json_body,
    read_notification,
    slack_body,
    teams_body,
)
from recce_meta.repositories.state.connections import read_secret
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.requests import notify_hint
from recce_meta.repositories.state.secrets import KEY, Scrubber, SecretField, read_keys
from recce_meta.repositories.state.types import RepositoryConnection

SECONDS = 20.0
"""Time for a request to a webhook."""
LONGEST_PAUSE = 10.0
"""Most seconds before the second attempt of a command."""
LONGEST_WAIT = 3600.0
"""Most seconds of a Retry-After that are followed."""
_BODIES: Mapping[str, Callable[[Notification], bytes]] = {
    "slack": slack_body,
    "teams": teams_body,
    "webhook": json_body,
}
_FIELDS: Sequence[SecretField] = [field for field in get_args(SecretField) if field != "notify"]
_LARGEST_ANSWER = 2**16
_SHORTEST_PIECE = 16
"""Shorter parts of an address are ordinary words, such as `services`."""
_SLACK_CODE = re.compile(rb"[a-z_]{3,40}")
"""Errors of Slack, such as `channel_is_archived`; other answers are not shown: they may repeat it."""
# Incoming webhooks of Teams answer with 200, and the status in the text: MicrosoftDocs/msteams-docs#7425.
_TEAMS_FAILURE = re.compile(
    rb"(?:delivery failed|Error contacting|endpoint returned)(?:.*?HTTP error (?P<status>\d{3}))?", re.DOTALL
)


class Receiver(Struct, frozen=True, kw_only=True):
    """Address of notifications with the secret in it, which the repr omits."""

    hint: str
    """What is shown of the address."""
    channel: str
    """`slack`, `teams`, `webhook`, or `email`."""
    target: str
    """URL, or mailbox."""

    def __repr__(self) -> str:
        return f"Receiver({self.hint!r})"


async def send_notification(
    state: State,
    logins: ConnectionLogins | None,
    environ: Mapping[str, str],
    connection: RepositoryConnection,
    payload: Mapping[str, Any],
) -> None:
    """Send the notification in the *payload* of a task to the address with its `index`.

    *logins* know the tokens that this process has used, and *environ* is the environment of the service.
    Raises NotificationFailed, without secrets, if it could not be sent.
    """
    addresses = await asyncio.to_thread(read_addresses, state, environ, connection)
    index = payload.get("index")
    if not isinstance(index, int) or not 0 <= index < len(addresses):
        raise NotificationFailed("The address of the notification was removed", hint="nothing has to be done")
    found = await asyncio.to_thread(_secrets_of, state, environ, connection, addresses)
    scrubber = Scrubber(found)

    def scrub(text: str) -> str:
        cleaned = scrubber.scrub(text)
        return cleaned if logins is None else logins.scrubber(connection).scrub(cleaned)

    notification = read_notification(payload, scrub=scrub, at=datetime.now(timezone.utc))
    with mask_errors(lambda: scrubber.spellings):
        receiver = read_receiver(addresses[index], environ)
        await _send(receiver, notification, environ, scrub, salt=connection.id)


def check_address(address: str, environ: Mapping[str, str]) -> None:
    """Raise UsageError or NotificationFailed, without the address, if nothing can be sent to *address*."""
    receiver = read_receiver(address, environ)
    if receiver.channel == "email":
        mail_recipient(receiver.target)
        MailServer.read(environ)


async def send_to(
    addresses: Sequence[str], environ: Mapping[str, str], payload: Mapping[str, Any]
) -> list[NotificationFailed]:
    """Send the notification in *payload* to each of *addresses*, and return the failures, without secrets.

    A failure that may heal is tried once more.
    """
    scrubber = Scrubber(_secrets_around(environ, addresses))
    notification = read_notification(payload, scrub=scrubber.scrub, at=datetime.now(timezone.utc))
    failures = []
    with mask_errors(lambda: scrubber.spellings):
        for address in addresses:
            receiver = read_receiver(address, environ)
            try:
                try:
                    await _send(receiver, notification, environ, scrubber.scrub, salt=notification.connection)
                except NotificationFailed as error:
                    if not error.can_retry:
                        raise
                    await asyncio.sleep(min(error.retry_after or 1.0, LONGEST_PAUSE))
                    await _send(receiver, notification, environ, scrubber.scrub, salt=notification.connection)
            except NotificationFailed as error:
                failures.append(error)
    return failures


async def send_tests(
    state: State, environ: Mapping[str, str], connection: RepositoryConnection
) -> Sequence[Check]:
    """Send a test to each address of *connection*, and return for each if it was sent.

    Raises UsageError if it has no address, NotificationFailed if its addresses cannot be read.
    """
    if not connection.notify:
        raise UsageError(
            f"{connection.name} has no addresses of notifications",
            hint=f"recce-meta connection set {connection.name} --notify ADDRESS",
        )
    identity = f"test:{secrets.token_hex(8)}"
    checks = []
    for index, shown in enumerate(connection.notify):
        payload = {
            "id": identity,
            "kind": "test",
            "connection": connection.name,
            "branch": connection.branch,
            "title": f"Test of the notifications of {connection.name}",
            "text": "Notifications of failures, recoveries and breaking changes are sent here.",
            "index": index,
        }
        try:
            await send_notification(state, None, environ, connection, payload)
        except NotificationFailed as error:
            detail = error.message.removeprefix(f"{shown}: ")
            checks.append(Check(name=shown, ok=False, detail=detail, hint=error.hint))
        else:
            checks.append(Check(name=shown, ok=True, detail="sent"))
    return checks


def read_addresses(
    state: State, environ: Mapping[str, str], connection: RepositoryConnection
) -> tuple[str, ...]:
    """Return the stored addresses of *connection*, in the order of its hints.

    Raises NotificationFailed if they cannot be decrypted.
    """
    if not connection.notify:
        return ()
    try:
        stored = read_secret(state, read_keys(environ, state), connection.id, "notify")
    except (ConfigurationError, StoreError) as error:
        raise NotificationFailed(error.message, hint=error.hint) from None
    return () if stored is None else msgspec.json.decode(stored, type=tuple[str, ...])


def read_receiver(address: str, environ: Mapping[str, str]) -> Receiver:
    """Return the receiver that *address* names, directly or by a variable of *environ*.

    >>> read_receiver("slack+https://chat.example.com/hook", {})
    Receiver('slack chat.example.com')
    >>> read_receiver("env:CHAT", {"CHAT": "https://hooks.slack.com/services/a"}).channel
    'slack'

    Raises NotificationFailed, without the address, for another form.
    """
    hint = notify_hint(address)
    if address.startswith("env:"):
        name = address.removeprefix("env:")
        address = environ.get(name, "").strip()
        if not address:
            raise NotificationFailed(
                f"{hint}: it is not set for this process", hint=f"set {name} for the server and every worker"
            )
        is_nested = address.startswith("env:")
        try:
            channel = "" if is_nested else notify_hint(address).partition(" ")[0]
        except UsageError:
            channel = ""
        if not channel:
            raise NotificationFailed(
                f"{hint}: its value is not an address of notifications",
                hint="use https://…, slack+https://…, teams+https://… or mailto:USER@HOST",
            )
    else:
        channel = hint.partition(" ")[0]
    return Receiver(hint=hint, channel=channel, target=_without_prefix(address))


def _without_prefix(address: str) -> str:
    return address.removeprefix("slack+").removeprefix("teams+").removeprefix("mailto:")


async def _send(
    receiver: Receiver,
    notification: Notification,
    environ: Mapping[str, str],
    scrub: Callable[[str], str],
    *,
    salt: str,
) -> None:
    """Send *notification*; every failure begins with what is shown of the address."""
    try:
        if receiver.channel == "email":
            server = MailServer.read(environ)
            recipient = mail_recipient(receiver.target)
            mail = build_mail(notification, sender=server.sender, recipient=recipient, salt=salt)
            await asyncio.to_thread(send_mail, server, mail, scrub=scrub)
        else:
            await _post(receiver, _BODIES[receiver.channel](notification), environ)
    except NotificationFailed as error:
        raise NotificationFailed(
            f"{receiver.hint}: {error.message}",
            hint=error.hint,
            can_retry=error.can_retry,
            retry_after=error.retry_after,
        ) from None
    except ConfigurationError as error:
        raise NotificationFailed(f"{receiver.hint}: {error.message}", hint=error.hint) from None


async def _post(receiver: Receiver, body: bytes, environ: Mapping[str, str]) -> None:
    client = HttpClient(environ, seconds=SECONDS, largest=_LARGEST_ANSWER)
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/plain"}
    try:
        answer = await client.send("POST", receiver.target, headers=headers, body=body)
    except HttpFailure as error:
        raise NotificationFailed(
            error.message, hint=error.hint, can_retry=error.kind is HttpFailureKind.NETWORK
        ) from None
    status = answer.status
    if receiver.channel == "teams" and status < 300 and (found := _TEAMS_FAILURE.search(answer.body)):
        # Without a status, the service of Teams was not reached.
        status = int(found["status"] or 502)
    if not 200 <= status < 300:
        raise _refused(answer, status)


def _refused(answer: HttpAnswer, status: int) -> NotificationFailed:
    """Return the failure for an answer that is not a success."""
    code = answer.body.strip()
    shown = f" ({code.decode()})" if _SLACK_CODE.fullmatch(code) else ""
    can_retry = status in (408, 425, 429) or 500 <= status < 600
    if can_retry:
        hint = "it is sent again later"
    elif 300 <= status < 400:
        hint = "redirects are not followed: use the address that the server has now"
    elif status in (400, 413, 415, 422):
        hint = "the server may expect another format: set the address as slack+https://… or teams+https://…"
    else:
        hint = "the address may have been revoked: create another one, and set it with --notify-file"
    return NotificationFailed(
        f"the server answers with status {status}{shown}",
        hint=hint,
        can_retry=can_retry,
        retry_after=_retry_after(answer.headers.get("retry-after", "")) if can_retry else None,
    )


def _retry_after(value: str) -> float | None:
    """Return the seconds of a header Retry-After: a number, or a date."""
    if value.isdecimal() and value.isascii():
        return min(float(value), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=timezone.utc)
    return min(max((at - datetime.now(timezone.utc)).total_seconds(), 0.0), LONGEST_WAIT)


def _secrets_of(
    state: State, environ: Mapping[str, str], connection: RepositoryConnection, addresses: Sequence[str]
) -> list[str]:
    """Return the secrets that no message may contain: of the connection, and of the environment."""
    try:
        keys = read_keys(environ, state)
        stored = [read_secret(state, keys, connection.id, field) for field in _FIELDS]
    except (ConfigurationError, StoreError) as error:
        raise NotificationFailed(error.message, hint=error.hint) from None
    found = [secret for secret in stored if secret is not None]
    # The stored URL of a database contains a password.
    found += [password for secret in found for password in passwords_in(secret)]
    if connection.token_env is not None:
        found.append(environ.get(connection.token_env, ""))
    return [secret for secret in (*found, *_secrets_around(environ, addresses)) if secret]


def _secrets_around(environ: Mapping[str, str], addresses: Sequence[str]) -> list[str]:
    """Return the secrets of the environment and of *addresses*."""
    found = [value for name, value in environ.items() if is_secret(name) and len(value) >= _SHORTEST_PIECE]
    found += environ.get(KEY, "").split(",")
    found += passwords_in(environ.get(SMTP_URL, ""))
    for address in addresses:
        found += _pieces(address)
        if address.startswith("env:"):
            found += _pieces(environ.get(address.removeprefix("env:"), ""))
    return [secret for secret in found if secret]


def _pieces(address: str) -> Iterator[str]:
    """Yield the address of a webhook, and the parts of it that are no ordinary words."""
    if "://" not in address:
        return
    url = _without_prefix(address)
    yield url
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    values = (value for _, value in parse_qsl(parts.query))
    for piece in (f"{parts.path}?{parts.query}", parts.path, parts.query, *parts.path.split("/"), *values):
        if len(piece) >= _SHORTEST_PIECE:
            yield piece
