"""Notifications in the formats of their receivers: Slack, Microsoft Teams, and JSON for other programs.

Titles and texts have names of branches, models and columns in them, which anyone who can push chooses. So
every format gets them as plain text: they can neither mention a channel nor form a link.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from recce_meta.errors import RecceMetaError, shorten
from recce_meta.redaction import neutralise

MOST_TITLE = 200
"""Characters of a title."""
MOST_TEXT = 6_000
"""Characters of a text."""
LINK = "Open in recce_meta"
"""Text of the link to the page."""
_KIND = re.compile(r"[a-z_]{1,40}")
# Without characters that end a link in one of the formats.
_URL = re.compile(r"https?://[^\x00-\x20\x7f-\U0010ffff<>|\"'`\\]{1,2000}")

SLACK_SECTION = 3_000
"""Most characters of a text object: docs.slack.dev/reference/block-kit/composition-objects/text-object."""
SLACK_SECTIONS = 3
"""Slack refuses messages whose blocks have more than about 12,000 characters together."""
_SLACK_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}

TEAMS_BYTES = 20_000
"""Teams refuses messages of more than about 28 KB, which it counts in an encoding of its own."""
TEAMS_LINES = 60
TEAMS_LINE = 1_000
"""Characters of a line."""


class NotificationFailed(RecceMetaError):
    """A notification that could not be sent."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        can_retry: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.can_retry = can_retry
        """True if a later attempt may succeed without a change by a person."""
        self.retry_after = retry_after
        """Seconds that the receiver asks to wait for."""


class Notification(Struct, frozen=True, kw_only=True):
    """What is sent: plain text without secrets and control characters. Its JSON is the generic format."""

    id: str
    """Identity of the event; a notification that is sent again has the same."""
    event: str
    """`failure`, `recovery`, `breaking`, or `test`."""
    connection: str
    """Name of the connection."""
    branch: str
    title: str
    """One line."""
    text: str
    """Lines; may be empty."""
    url: str | None
    """Page about the event."""
    at: datetime

    @property
    def source(self) -> str:
        """Return the connection and the branch."""
        return f"{self.connection} · {self.branch}" if self.branch else self.connection


def read_notification(
    payload: Mapping[str, Any], *, scrub: Callable[[str], str], at: datetime
) -> Notification:
    """Return the notification in the payload of a task; *scrub* removes secrets from its texts.

    >>> payload = {"kind": "failure", "title": "shop: main\\nfailed", "url": "javascript:alert(1)"}
    >>> found = read_notification(payload, scrub=str, at=datetime(2026, 11, 1))
    >>> found.title, found.url
    ('shop: main failed', None)
    """

    def line(name: str, most: int = MOST_TITLE) -> str:
        # Scrubbed before it is shortened: a part of a secret is not recognised.
        return shorten(neutralise(" ".join(scrub(str(payload.get(name) or "")).split())), most)

    kind, url = str(payload.get("kind")), scrub(str(payload.get("url") or ""))
    lines = scrub(str(payload.get("text") or "")).replace("\r\n", "\n").strip()
    return Notification(
        id=line("id"),
        event=kind if _KIND.fullmatch(kind) else "event",
        connection=line("connection"),
        branch=line("branch"),
        title=line("title") or "Event",
        text=shorten(neutralise(lines, keep="\n"), MOST_TEXT),
        url=url if _URL.fullmatch(url) else None,
        at=at,
    )


def json_body(notification: Notification) -> bytes:
    """Return the body of the generic format."""
    return msgspec.json.encode(notification)


def slack_body(notification: Notification) -> bytes:
    """Return the body for an incoming webhook of Slack."""
    title, source = slack_text(notification.title), slack_text(notification.source)
    blocks: list[dict[str, Any]] = [_slack_section(f"*{title}*")]
    sections = list(_slack_sections(notification.text))
    if len(sections) > SLACK_SECTIONS:
        sections = [*sections[: SLACK_SECTIONS - 1], f"{sections[SLACK_SECTIONS - 1]}…"]
    blocks += [_slack_section(section) for section in sections if section.strip()]
    if notification.url is not None:
        blocks.append(_slack_section(f"<{slack_text(notification.url)}|{LINK}>"))
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": source, "verbatim": True}]})
    # The text is shown in place of the blocks in the preview of a message.
    return msgspec.json.encode({"text": title, "blocks": blocks})


def slack_text(text: str) -> str:
    """Return plain *text* for `mrkdwn`, in which `<!channel>` would notify everyone.

    >>> slack_text("<!channel> a & b")
    '&lt;!channel&gt; a &amp; b'
    """
    return "".join(_SLACK_ESCAPES.get(char, char) for char in text)


def _slack_section(text: str) -> dict[str, Any]:
    # Verbatim: names such as @here, #general and addresses stay text.
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _slack_sections(text: str) -> Iterator[str]:
    """Yield escaped *text* in parts of the size of a section; an escape is never cut."""
    part, size = "", 0
    for char in text:
        escaped = slack_text(char)
        # In units of UTF-16, which is at least what Slack counts.
        units = len(escaped) + (char > "\uffff")
        if size + units > SLACK_SECTION - 1:
            yield part
            part, size = "", 0
        part, size = part + escaped, size + units
    if part:
        yield part


def teams_body(notification: Notification) -> bytes:
    """Return the body for a workflow or an incoming webhook of Microsoft Teams: an Adaptive Card."""
    body = [_teams_line(notification.title, size="Large", weight="Bolder")]
    size, lines = 0, notification.text.splitlines()
    for number, line in enumerate(lines):
        block = _teams_line(shorten(line, TEAMS_LINE) or " ", spacing="Small" if number else "Default")
        size += len(msgspec.json.encode(block))
        if size > TEAMS_BYTES or number >= TEAMS_LINES:
            body.append(_teams_line("…", spacing="Small"))
            break
        body.append(block)
    body.append(_teams_line(notification.source, isSubtle=True))
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "fallbackText": f"recce_meta: {notification.event}",
        "msteams": {"width": "Full"},
        "body": body,
    }
    if notification.url is not None:
        card["actions"] = [{"type": "Action.OpenUrl", "title": LINK, "url": notification.url}]
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return msgspec.json.encode({"type": "message", "attachments": [attachment]})


def _teams_line(text: str, *, spacing: str = "Default", **style: object) -> dict[str, Any]:
    # A TextBlock would read Markdown, so that a branch could be a link; a RichTextBlock reads none:
    # learn.microsoft.com/adaptive-cards/authoring-cards/text-features
    return {
        "type": "RichTextBlock",
        "spacing": spacing,
        "inlines": [{"type": "TextRun", "text": text, **style}],
    }
