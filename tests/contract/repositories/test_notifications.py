"""Notifications, sent to servers that check them as Slack, Teams and mail servers do."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from recce_meta.errors import UsageError
from recce_meta.repositories.follow_ups.context import Event, EventKind, add_event
from recce_meta.repositories.forges.login import ConnectionLogins
from recce_meta.repositories.git.environment import GitLimits
from recce_meta.repositories.notifications.mail import SMTP_FROM, SMTP_URL
from recce_meta.repositories.notifications.messages import NotificationFailed
from recce_meta.repositories.notifications.sending import send_notification, send_tests
from recce_meta.repositories.state import connections, tasks
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.requests import notify_hint
from recce_meta.repositories.state.secrets import KEY, read_keys
from recce_meta.repositories.state.types import RepositoryConnection, TaskKind
from tests.support import states
from tests.support.git_server import OTHER_HOST
from tests.support.receivers import (
    PASSWORD,
    USER,
    Answer,
    MailServerStandIn,
    Webhooks,
    mail_server,
    receiver,
)

TOKEN = "ghp_canary0123456789canary0123456789abcd"
HOOK = "services/T0/B0/canaryHook0123456789"
PAYLOAD: Mapping[str, Any] = {
    "id": "failure:shop:main:7",
    "kind": "failure",
    "connection": "shop",
    "branch": "main",
    "title": "shop: extraction of main failed",
    "text": "parse: model b not found",
    "url": "https://recce.example.com/connections/shop",
    "index": 0,
}
HOSTILE = {
    "branch": "feature/<!channel>\r\nBcc:eve@example.com",
    "title": "[x](https://evil.example) <@U1> ä😀\u202e & \x00",
    "text": "@here\n" * 5000,
}
ENVIRON = {KEY: states.KEY}
TEAMS_ERROR = b"Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error %d."


@pytest.fixture
def file_state(tmp_path: Path) -> Iterator[State]:
    """Return an open state in a file, for what does not depend on the database."""
    with states.opened(f"sqlite:///{tmp_path / 'state.db'}") as opened:
        yield opened


@pytest.fixture
def webhooks() -> Iterator[Webhooks]:
    """Return a server of webhooks."""
    with receiver() as server:
        yield server


@pytest.fixture
def known_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the name of the mail server lead to this machine, as the name server of a network does."""
    look_up = socket.getaddrinfo

    def find(host: Any, *rest: Any, **options: Any) -> Any:
        return look_up("127.0.0.1" if host == OTHER_HOST else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", find)


def connect(state: State, *addresses: str) -> RepositoryConnection:
    """Return a stored connection that sends to *addresses*."""
    hints = tuple(map(notify_hint, addresses))
    stored = {"notify": json.dumps(addresses), "token": TOKEN}
    keys = read_keys(ENVIRON, state)
    connection = states.shop(notify=hints)
    return connections.add_connection(state, connection, keys=keys, secrets=stored)  # type: ignore[arg-type]


def send(
    state: State, environ: Mapping[str, str], connection: RepositoryConnection, **changes: object
) -> None:
    """Send the payload with *changes*."""
    logins = ConnectionLogins(state, {}, GitLimits())
    asyncio.run(send_notification(state, logins, ENVIRON | environ, connection, dict(PAYLOAD) | changes))


def failure_of(work: Callable[[], None]) -> NotificationFailed:
    """Return the failure that *work* raises; it has no secret."""
    with pytest.raises(NotificationFailed) as failed:
        work()
    shown = f"{failed.value!r} {failed.value} {failed.value.__cause__!r}"
    assert not any(secret in shown for secret in (HOOK, TOKEN, PASSWORD, quote(PASSWORD, safe="")))
    return failed.value


def mail_environ(
    server: MailServerStandIn, *, scheme: str = "smtp", host: str = OTHER_HOST
) -> dict[str, str]:
    """Return the environment that sends mail through *server*."""
    login = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}"
    return {
        SMTP_URL: f"{scheme}://{login}@{host}:{server.port}",
        SMTP_FROM: "Data platform <data@acme.com>",
        "GIT_SSL_CAINFO": str(server.ca_file),
    }


@pytest.mark.parametrize(
    "changes", [{}, HOSTILE, {"text": "", "url": None}], ids=["plain", "hostile", "short"]
)
def test_slack_teams_and_other_servers_accept_the_formats(
    state: State, webhooks: Webhooks, changes: Mapping[str, object]
) -> None:
    urls = [webhooks.url(f"{kind}/{HOOK}") for kind in ("slack", "teams", "json")]
    connection = connect(state, f"slack+{urls[0]}", f"teams+{urls[1]}", urls[2])
    for index in range(3):
        send(state, webhooks.environ, connection, **changes, index=index)
    assert webhooks.refused == []
    assert [one.path.split("/")[1] for one in webhooks.accepted] == ["slack", "teams", "json"]
    assert webhooks.accepted[2].body["event"] == "failure"


def test_no_format_contains_a_secret(file_state: State, webhooks: Webhooks) -> None:
    url = webhooks.url(f"json/{HOOK}?sig=canarySignature0123456789")
    addresses = [f"slack+{url}", f"teams+{url}", url, "env:CHAT"]
    connection = connect(file_state, *addresses)
    environ = webhooks.environ | {
        "CHAT": webhooks.url("json/canaryVariable0123456789"),
        "WAREHOUSE_PASSWORD": "canaryWarehouse0123456789",
        SMTP_URL: f"smtp://u:{quote(PASSWORD, safe='')}@h",
    }
    hidden = [TOKEN, HOOK, "canarySignature0123456789", "canaryVariable0123456789", PASSWORD]
    hidden += ["canaryWarehouse0123456789", states.KEY, quote(PASSWORD, safe="")]
    text = "\n".join(f"failed: {one}" for one in (*hidden, *addresses))
    for index in range(4):
        changes = {"title": f"x {TOKEN}", "text": text, "branch": HOOK, "url": url, "index": index}
        send(file_state, environ, connection, **changes)
    sent = json.dumps([one.body for one in webhooks.accepted])
    assert len(webhooks.accepted) == 4 and "failed: " in sent and "canary" not in sent
    assert states.KEY not in sent


@pytest.mark.parametrize(
    ("kind", "answer", "can_retry", "retry_after"),
    [
        ("slack", Answer(429, b"rate_limited", {"Retry-After": "30"}), True, 30),
        ("slack", Answer(503, b"", {"Retry-After": "999999"}), True, 3600),
        ("slack", Answer(429, b"", {"Retry-After": "soon"}), True, None),
        ("slack", Answer(500), True, None),
        ("slack", Answer(is_cut=True), True, None),
        ("slack", Answer(404, b"no_service", {"Retry-After": "30"}), False, None),
        ("slack", Answer(410, b"channel_is_archived"), False, None),
        ("slack", Answer(400, b"invalid_payload"), False, None),
        ("json", Answer(401, HOOK.encode()), False, None),
        ("json", Answer(302, b"", {"Location": "http://127.0.0.1:1/"}), False, None),
        ("teams", Answer(200, TEAMS_ERROR % 429), True, None),
        ("teams", Answer(200, TEAMS_ERROR % 403), False, None),
        ("teams", Answer(200, b"Error contacting Microsoft Teams endpoint"), True, None),
    ],
)
def test_an_answer_decides_if_the_message_is_sent_again(
    file_state: State,
    webhooks: Webhooks,
    kind: str,
    answer: Answer,
    can_retry: bool,
    retry_after: float | None,
) -> None:
    prefix = "" if kind == "json" else f"{kind}+"
    connection = connect(file_state, prefix + webhooks.url(f"{kind}/{HOOK}"))
    webhooks.answers.append(answer)
    failure = failure_of(lambda: send(file_state, webhooks.environ, connection))
    assert (failure.can_retry, failure.retry_after) == (can_retry, retry_after)
    assert failure.message.startswith(connection.notify[0]) and failure.hint
    assert kind != "slack" or answer.body.decode() in failure.message
    # The address that the server names was not called.
    assert webhooks.accepted == []


def test_teams_may_answer_with_1(file_state: State, webhooks: Webhooks) -> None:
    connection = connect(file_state, "teams+" + webhooks.url(f"teams/{HOOK}"))
    webhooks.answers.append(Answer(200, b"1"))
    send(file_state, webhooks.environ, connection)


@pytest.mark.parametrize("address", [f"https://127.0.0.1/{HOOK}", f"http://localhost/{HOOK}"])
def test_an_address_of_a_private_host_is_refused(file_state: State, address: str) -> None:
    connection = connect(file_state, address)
    failure = failure_of(lambda: send(file_state, {}, connection))
    assert not failure.can_retry and "RECCE_META_ALLOWED_HOSTS" in (failure.hint or "")


def test_an_address_that_was_removed_meanwhile_is_not_tried_again(file_state: State) -> None:
    connection = connect(file_state, "mailto:ada@example.com")
    for index in (1, -1, None, "0"):
        failure = failure_of(lambda index=index: send(file_state, {}, connection, index=index))  # type: ignore[misc]
        assert "removed" in failure.message and not failure.can_retry


def test_another_key_is_named(file_state: State, webhooks: Webhooks) -> None:
    connection = connect(file_state, webhooks.url(f"json/{HOOK}"))
    failure = failure_of(lambda: send(file_state, {KEY: states.OTHER_KEY}, connection))
    assert "wrong key" in failure.message and not failure.can_retry


def test_an_outage_sends_one_message_for_each_address(
    state: State, webhooks: Webhooks, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    connection = connect(state, "slack+" + webhooks.url(f"slack/{HOOK}"), webhooks.url(f"json/{HOOK}"))
    event = Event(
        kind=EventKind.RECOVERY,
        job_id="shop:main:8",
        connection="shop",
        branch="main",
        title="main works again",
    )
    add_event(state, connection, event)
    add_event(state, connection, event)
    # Each address fails three times, before and during its answer.
    webhooks.answers += [Answer(503), Answer(is_cut=True)] * 3
    attempts = 0
    while (task := tasks.claim_task(state, "ada", lease=timedelta(minutes=1))) is not None:
        attempts += 1
        assert task.kind is TaskKind.NOTIFY
        work = send_notification(state, None, ENVIRON | webhooks.environ, connection, task.payload)
        try:
            asyncio.run(work)
        except NotificationFailed as error:
            assert error.can_retry
            tasks.retry_task(state, task, delay=timedelta(0), error=error.message)
        else:
            tasks.end_task(state, task)
    assert attempts == 8
    assert sorted(one.path.split("/")[1] for one in webhooks.accepted) == ["json", "slack"]
    assert webhooks.accepted[0].body != webhooks.accepted[1].body
    assert HOOK not in caplog.text and TOKEN not in caplog.text


@pytest.mark.usefixtures("known_host")
@pytest.mark.parametrize(("kind", "scheme"), [("starttls", "smtp"), ("tls", "smtps")])
def test_a_mail_is_sent_over_an_encrypted_connection_with_a_login(
    state: State, tmp_path: Path, kind: str, scheme: str
) -> None:
    with mail_server(tmp_path, kind=kind) as server:
        connection = connect(state, "mailto:ada@example.com")
        environ = mail_environ(server, scheme=scheme)
        send(state, environ, connection, **HOSTILE)
        send(state, environ, connection, **HOSTILE)
        assert server.box.envelopes == [("data@acme.com", ["ada@example.com"], True)] * 2
        first, second = server.box.mails
        assert first["Message-ID"] == second["Message-ID"]
        assert first["Bcc"] is None and "Bcc" not in str(first.keys())
        assert first["From"] == "Data platform <data@acme.com>"
        assert first["Subject"].startswith("[recce_meta] [x](https://evil.example) <@U1> ä😀")
        assert not first.defects


def test_a_mail_to_this_machine_needs_no_encryption(file_state: State, tmp_path: Path) -> None:
    with mail_server(tmp_path, kind="plain") as server:
        connection = connect(file_state, "mailto:ada@example.com")
        send(file_state, mail_environ(server, host="127.0.0.1"), connection)
        assert server.box.envelopes == [("data@acme.com", ["ada@example.com"], False)]


@pytest.mark.usefixtures("known_host")
def test_a_login_is_not_sent_without_encryption(file_state: State, tmp_path: Path) -> None:
    with mail_server(tmp_path, kind="plain") as server:
        connection = connect(file_state, "mailto:ada@example.com")
        failure = failure_of(lambda: send(file_state, mail_environ(server), connection))
        assert "STARTTLS" in failure.message and "smtps://" in (failure.hint or "")
        assert server.box.mails == [] and not failure.can_retry


@pytest.mark.usefixtures("known_host")
@pytest.mark.parametrize(
    ("command", "answer", "can_retry"),
    [
        ("MAIL", "550 5.7.1 sender not allowed", False),
        ("RCPT", "451 4.7.1 greylisted, come back", True),
        ("RCPT", "550 5.1.1 no such user", False),
        ("DATA", "452 4.3.1 disk full", True),
        ("DATA", "554 5.7.1 spam", False),
    ],
)
def test_the_answer_of_a_mail_server_decides_if_the_mail_is_sent_again(
    file_state: State, tmp_path: Path, command: str, answer: str, can_retry: bool
) -> None:
    with mail_server(tmp_path) as server:
        connection = connect(file_state, "mailto:ada@example.com")
        server.box.refusals[command] = f"{answer} {PASSWORD}"
        failure = failure_of(lambda: send(file_state, mail_environ(server), connection))
        assert failure.can_retry is can_retry
        assert answer in failure.message and failure.message.startswith("email ada@example.com: ")
        # The next attempt works.
        send(file_state, mail_environ(server), connection)
        assert len(server.box.mails) == 1


@pytest.mark.usefixtures("known_host")
def test_a_server_that_fails_after_it_has_accepted_a_mail_does_not_get_it_again(
    file_state: State, tmp_path: Path
) -> None:
    with mail_server(tmp_path) as server:
        connection = connect(file_state, "mailto:ada@example.com")
        server.box.refusals["QUIT"] = "421 closing"
        send(file_state, mail_environ(server), connection)
        assert len(server.box.mails) == 1


@pytest.mark.usefixtures("known_host")
def test_a_refused_login_and_a_strange_certificate_are_named(file_state: State, tmp_path: Path) -> None:
    with mail_server(tmp_path) as server:
        connection = connect(file_state, "mailto:ada@example.com")
        environ = mail_environ(server)
        other = environ | {SMTP_URL: environ[SMTP_URL].replace("canary", "other")}
        failure = failure_of(lambda: send(file_state, other, connection))
        assert "refuses the login: 535" in failure.message and not failure.can_retry
        del environ["GIT_SSL_CAINFO"]
        failure = failure_of(lambda: send(file_state, environ, connection))
        assert "certificate" in failure.message and "GIT_SSL_CAINFO" in (failure.hint or "")


def test_a_mail_server_that_is_down_is_tried_again(file_state: State, tmp_path: Path) -> None:
    with mail_server(tmp_path) as server:
        environ = mail_environ(server, host="127.0.0.1")
    connection = connect(file_state, "mailto:ada@example.com")
    assert failure_of(lambda: send(file_state, environ, connection)).can_retry


def test_missing_settings_of_mail_are_named(file_state: State) -> None:
    connection = connect(file_state, "mailto:ada@example.com")
    failure = failure_of(lambda: send(file_state, {}, connection))
    assert SMTP_URL in failure.message and not failure.can_retry


def test_a_test_names_each_address_that_fails(state: State, webhooks: Webhooks) -> None:
    connection = connect(
        state,
        "slack+" + webhooks.url(f"slack/{HOOK}"),
        webhooks.url(f"json/{HOOK}"),
        "mailto:ada@example.com",
    )
    webhooks.answers.append(Answer(404, b"no_service"))
    checks = asyncio.run(send_tests(state, ENVIRON | webhooks.environ, connection))
    assert [check.name for check in checks] == list(connection.notify)
    assert [check.ok for check in checks] == [False, True, False]
    assert checks[0].detail == "the server answers with status 404 (no_service)"
    assert SMTP_URL in checks[2].detail
    assert webhooks.accepted[0].body["event"] == "test"
    with pytest.raises(UsageError, match="no addresses"):
        asyncio.run(send_tests(state, ENVIRON, states.shop()))
