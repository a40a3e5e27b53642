"""Notifications as text: formats, mails, and the settings of the mail server."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from recce_meta.errors import ConfigurationError
from recce_meta.repositories.notifications.mail import (
    SMTP_FROM,
    SMTP_URL,
    MailServer,
    build_mail,
    mail_recipient,
)
from recce_meta.repositories.notifications.messages import (
    MOST_TEXT,
    MOST_TITLE,
    Notification,
    NotificationFailed,
    json_body,
    read_notification,
    slack_body,
    teams_body,
)
from recce_meta.repositories.notifications.sending import read_receiver

AT = datetime(2026, 11, 22, 9, 30, tzinfo=timezone.utc)
PAYLOAD = {
    "id": "failure:shop:main:7",
    "kind": "failure",
    "connection": "shop",
    "branch": "main",
    "title": "shop: extraction of main failed",
    "text": "parse: model b not found\n2 models affected",
    "url": "https://recce.example.com/connections/shop?job=7&x=1",
    "index": 0,
}
HOSTILE = "<!channel> [pay](https://evil.example) *b* @here https://evil.example <b>&amp;"
CANARY = "canary0123456789canary"


def notification(**changes: object) -> Notification:
    """Return the notification of the payload with *changes*."""
    return read_notification(PAYLOAD | changes, scrub=lambda text: text.replace(CANARY, "***"), at=AT)


def texts(value: Any) -> list[str]:
    """Return all strings in decoded JSON."""
    if isinstance(value, dict):
        return [text for inner in value.values() for text in texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) else []


def test_the_generic_format_is_one_flat_object() -> None:
    assert json.loads(json_body(notification())) == {
        "id": "failure:shop:main:7",
        "event": "failure",
        "connection": "shop",
        "branch": "main",
        "title": "shop: extraction of main failed",
        "text": "parse: model b not found\n2 models affected",
        "url": "https://recce.example.com/connections/shop?job=7&x=1",
        "at": "2026-11-22T09:30:00Z",
    }


def test_slack_gets_sections_a_link_and_a_text_for_its_preview() -> None:
    body = json.loads(slack_body(notification()))
    assert body["text"] == "shop: extraction of main failed"
    assert [block["text"]["text"] for block in body["blocks"][:-1]] == [
        "*shop: extraction of main failed*",
        "parse: model b not found\n2 models affected",
        "<https://recce.example.com/connections/shop?job=7&amp;x=1|Open in recce_meta>",
    ]
    assert body["blocks"][-1]["elements"][0]["text"] == "shop · main"


@pytest.mark.parametrize("text", ["x" * 20_000, "&" * 20_000, "😀" * 20_000, "a\n" * 10_000, " \n " * 9_000])
def test_a_long_text_stays_within_the_limits_of_slack_and_teams(text: str) -> None:
    found = notification(text=text, title=text)
    assert len(found.title) <= MOST_TITLE and len(found.text) <= MOST_TEXT
    blocks = json.loads(slack_body(found))["blocks"]
    sections = [block["text"]["text"] for block in blocks if block["type"] == "section"]
    assert all(0 < len(section.encode("utf-16-le")) // 2 <= 3_000 for section in sections)
    # No escape is cut.
    assert not any(re.search(r"&(?!(amp|lt|gt);)", section) for section in sections)
    assert sum(map(len, texts(blocks))) < 12_000
    assert len(teams_body(found)) < 28_000


def test_names_in_slack_neither_mention_a_channel_nor_form_a_link() -> None:
    body = json.loads(slack_body(notification(title=HOSTILE, text=HOSTILE, branch=HOSTILE, url=None)))
    assert not any("<" in text or ">" in text for text in texts(body))
    found = [block.get("text") or block["elements"][0] for block in body["blocks"]]
    assert all(one["verbatim"] is True for one in found)


def test_names_in_teams_are_not_read_as_markdown() -> None:
    card = json.loads(teams_body(notification(title=HOSTILE, text=HOSTILE)))["attachments"][0]["content"]
    # A TextBlock is Markdown.
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert card["body"][0]["inlines"][0]["text"] == HOSTILE
    assert card["actions"][0]["url"] == PAYLOAD["url"]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "https://x|y",
        "https://x>y",
        "https://x y",
        'https://x"y',
        "file:///etc/passwd",
        "https://x\u202ey",
        None,
        7,
    ],
)
def test_only_web_addresses_become_links(url: object) -> None:
    assert notification(url=url).url is None


def test_texts_have_no_secret_no_control_character_and_no_unknown_event() -> None:
    found = notification(
        kind="<x>",
        title=f"a\r\nBcc: eve@example.com\u2028{CANARY}",
        text=f"red\x1b[31m\u202e{CANARY}\r\nnext",
        branch=CANARY,
        connection=None,
    )
    assert found.event == "event" and found.branch == "***" and found.connection == ""
    assert found.title == "a Bcc: eve@example.com ***"
    assert found.text == "red\\x1b[31m\\u202e***\nnext"


def test_a_secret_is_removed_before_a_text_is_shortened() -> None:
    found = notification(title="x" * (MOST_TITLE - 5) + CANARY, text="y" * (MOST_TEXT - 5) + CANARY)
    assert "canar" not in found.title + found.text


def mail(**changes: object) -> EmailMessage:
    """Return the mail as its receiver parses it."""
    sender = Address("recce_meta", addr_spec="data@acme.com")
    built = build_mail(notification(**changes), sender=sender, recipient="ada@example.com", salt="c0ffee")
    parsed = message_from_bytes(built.as_bytes(), policy=default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def lines(part: EmailMessage) -> str:
    """Return the text of a part of a mail."""
    return str(part.get_content()).replace("\r\n", "\n")


def test_a_mail_has_the_headers_of_an_automatic_one() -> None:
    found = mail()
    assert found["From"] == "recce_meta <data@acme.com>" and found["To"] == "ada@example.com"
    assert found["Subject"] == "[recce_meta] shop: extraction of main failed"
    assert found["Date"].datetime == AT
    assert found["Auto-Submitted"] == "auto-generated"
    assert re.fullmatch(r"<recce-meta\.[0-9a-f]{40}@acme\.com>", found["Message-ID"])


def test_the_message_id_is_that_of_the_event() -> None:
    assert mail()["Message-ID"] == mail(title="another title")["Message-ID"]
    assert mail()["Message-ID"] != mail(id="failure:shop:main:8")["Message-ID"]


@pytest.mark.parametrize("title", ["a\r\nBcc: eve@example.com", "a\n\n<script>", "x" * 990, "ä😀" * 400])
def test_names_cannot_add_headers_to_a_mail(title: str) -> None:
    found = mail(title=title, branch=title, connection=title, id=title)
    assert found["Bcc"] is None and found.get_all("Subject") is not None
    assert sorted(found.keys()) == sorted(mail().keys())
    assert not found.defects


def test_a_mail_has_a_plain_and_an_escaped_html_part() -> None:
    found = mail(title="<b>Ärger</b>", text="1 < 2\nzwei 😀")
    plain, html = found.get_body(("plain",)), found.get_body(("html",))
    assert plain is not None and html is not None
    assert "<b>Ärger</b>\n\n1 < 2\nzwei 😀\n\nhttps://recce.example.com" in lines(plain)
    shown = lines(html)
    assert "&lt;b&gt;Ärger&lt;/b&gt;" in shown and "1 &lt; 2\nzwei 😀" in shown
    assert 'href="https://recce.example.com/connections/shop?job=7&amp;x=1"' in shown
    assert found["Subject"] == "[recce_meta] <b>Ärger</b>"


def test_a_mail_without_text_and_url_is_whole() -> None:
    plain = mail(text="", url=None).get_body(("plain",))
    assert plain is not None
    assert lines(plain) == "shop: extraction of main failed\n\n-- \nshop · main\n"


def test_an_international_domain_is_sent_in_ascii() -> None:
    assert mail_recipient("ada@bücher.example") == "ada@xn--bcher-kva.example"
    with pytest.raises(NotificationFailed, match="not supported"):
        mail_recipient("ädä@example.com")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example.com", ("mail.example.com", 587, False, "", "")),
        ("smtps://u:p%40ss%3A@mail.example.com", ("mail.example.com", 465, True, "u", "p@ss:")),
        ("smtp://a%40acme.com:x@[::1]:25/", ("::1", 25, False, "a@acme.com", "x")),
    ],
)
def test_a_mail_server_is_read_from_the_environment(
    url: str, expected: tuple[str, int, bool, str, str]
) -> None:
    server = MailServer.read({SMTP_URL: url, SMTP_FROM: "Data <data@acme.com>"})
    assert (server.host, server.port, server.is_tls, server.user, server.password) == expected
    assert str(server.sender) == "Data <data@acme.com>"
    assert server.is_local is (server.host == "::1")
    assert "p@ss" not in repr(server)


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("", "data@acme.com"),
        ("smtp://h", ""),
        ("smtp://h", "data"),
        ("smtp://h", "data@acme.com\nBcc: eve@example.com"),
        (f"http://u:{CANARY}@h", "data@acme.com"),
        (f"smtp://u:{CANARY}@h:99999", "data@acme.com"),
        (f"smtp://u:{CANARY}@h/path", "data@acme.com"),
        (f"smtp://u:{CANARY}%0d%0a@h", "data@acme.com"),
        (f"smtp://u:{CANARY}\n@h", "data@acme.com"),
        (f"smtp://{CANARY}@h", "data@acme.com"),
        (f"smtp://u:{CANARY}@", "data@acme.com"),
        (f"smtp://[{CANARY}", "data@acme.com"),
    ],
)
def test_invalid_settings_of_mail_are_named_without_their_values(url: str, sender: str) -> None:
    with pytest.raises(ConfigurationError) as failed:
        MailServer.read({SMTP_URL: url, SMTP_FROM: sender})
    assert "RECCE_META_SMTP_" in failed.value.message and failed.value.hint
    assert CANARY not in str(failed.value)


@pytest.mark.parametrize(
    ("address", "environ", "expected"),
    [
        ("https://hooks.slack.com/services/a", {}, ("slack hooks.slack.com", "slack")),
        ("https://acme.webhook.office.com/a", {}, ("teams acme.webhook.office.com", "teams")),
        ("https://chat.example.com/a", {}, ("webhook chat.example.com", "webhook")),
        ("teams+https://chat.example.com/a", {}, ("teams chat.example.com", "teams")),
        ("mailto:ada@example.com", {}, ("email ada@example.com", "email")),
        ("env:CHAT", {"CHAT": "slack+https://chat.example.com/a\n"}, ("variable CHAT", "slack")),
        ("env:CHAT", {"CHAT": "mailto:ada@example.com"}, ("variable CHAT", "email")),
    ],
)
def test_an_address_has_a_channel(address: str, environ: dict[str, str], expected: tuple[str, str]) -> None:
    found = read_receiver(address, environ)
    assert (found.hint, found.channel) == expected
    assert "+" not in found.target and not found.target.startswith("mailto:")
    assert "/a" not in repr(found)


@pytest.mark.parametrize("value", ["", CANARY, f"https://u:{CANARY}@h/", f"env:{CANARY}", "postgresql://h/x"])
def test_a_variable_without_an_address_is_named_without_its_value(value: str) -> None:
    with pytest.raises(NotificationFailed) as failed:
        read_receiver("env:CHAT", {"CHAT": value})
    assert "variable CHAT" in failed.value.message and not failed.value.can_retry
    assert CANARY not in str(failed.value)
