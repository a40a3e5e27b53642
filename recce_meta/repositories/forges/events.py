"""What a delivery reports, the same for every forge."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from recce_meta.errors import UsageError
from recce_meta.repositories.state.requests import check_branch
from recce_meta.repositories.state.types import PullRequestEvent

Number = Annotated[int, Meta(ge=1, le=2**31 - 1)]
"""Number of a pull request that the state can store."""
LONGEST_TITLE = 300
LONGEST_NAME = 200
_MOST_CHARACTERS = 2_000
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# Bitbucket shortens the commits of pull requests.
_SHORT_SHA = re.compile(r"[0-9a-f]{7,64}")
_HEADS, _TAGS = "refs/heads/", "refs/tags/"

Body = TypeVar("Body", bound=Struct)


class SentRepository(Struct, frozen=True):
    """Repository that a delivery is about."""

    id: str | None = None
    """Id at the forge."""
    urls: tuple[str, ...] = ()
    """Addresses as the forge spells them."""


class Push(Struct, frozen=True):
    """New head of a branch."""

    branch: str
    sha: str | None
    """None if the branch was deleted."""


class PullRequestChange(Struct, frozen=True):
    """Pull request that was opened, changed or closed."""

    action: str
    """Word of the forge."""
    event: PullRequestEvent


class Ping(Struct, frozen=True):
    """Test of the webhook."""


class Ignored(Struct, frozen=True):
    """Event that changes nothing here."""

    reason: str


Event = Push | PullRequestChange | Ping | Ignored


class Delivery(Struct, frozen=True, kw_only=True):
    """A delivery, read."""

    id: str
    """Id that the forge gave it; a repeated delivery has the same."""
    name: str
    """Name of the event at the forge."""
    repository: SentRepository
    events: tuple[Event, ...]


class MalformedDelivery(UsageError):
    """The body of a delivery does not have the form of its event."""


def decode(body: bytes, kind: type[Body]) -> Body:
    """Return *body*, JSON, as *kind*. Raises MalformedDelivery for another form."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:  # its text names the field, and never quotes a value
        raise MalformedDelivery(f"Malformed delivery: {error}") from None
    except (UnicodeDecodeError, RecursionError):
        raise MalformedDelivery("Malformed delivery: it is not JSON in UTF-8") from None


def push_of(ref: str, sha: str, *, is_deleted: bool = False) -> Event:
    """Return the event of a push to *ref*; a commit of zeros is a deletion."""
    if ref.startswith(_TAGS):
        return Ignored(f"{shown(ref)} is a tag")
    # The name may contain slashes, so only the prefix is cut off.
    if not ref.startswith(_HEADS):
        return Ignored(f"{shown(ref) or 'the reference'} is not a branch")
    branch = ref.removeprefix(_HEADS)
    if is_deleted or not sha.strip("0"):
        return Push(branch, None)
    if not _SHA.fullmatch(sha):
        return Ignored(f"the commit of {shown(branch)} is malformed")
    return Push(branch, sha)


def pull_request_of(action: str, event: PullRequestEvent) -> Event:
    """Return the event of a pull request, cleaned; ignored if its branches have invalid names."""
    for branch in (event.base_branch, event.head_branch):
        try:
            check_branch(branch)
        except UsageError:
            return Ignored(f"pull request {event.number} has an invalid branch name")
    sha = event.head_sha
    cleaned = msgspec.structs.replace(
        event,
        title=shown(event.title, LONGEST_TITLE) or f"Pull request {event.number}",
        url=_web_address(event.url),
        head_url=_web_address(event.head_url),
        head_sha=sha if sha is not None and _SHORT_SHA.fullmatch(sha) else None,
    )
    return PullRequestChange(shown(action), cleaned)


def shown(text: str, most: int = LONGEST_NAME) -> str:
    """Return *text* of a delivery on one line, without control characters."""
    # PostgreSQL stores no NUL, and pages show the text.
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: most * 4]).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def time_of(text: str | None, now: datetime) -> datetime:
    """Return a time of a forge; *now* for a malformed one, and at the most."""
    try:
        # Older versions of GitLab send `2026-11-22 10:00:00 UTC`.
        found = datetime.fromisoformat((text or "").replace(" UTC", "+00:00").replace("Z", "+00:00"))
    except ValueError:
        return now
    if found.tzinfo is None:
        found = found.replace(tzinfo=timezone.utc)
    # A time in the future would make every later event look old.
    return min(found, now)


def _web_address(text: str | None) -> str | None:
    """Return an address of HTTP; None for anything else, which a page must not link to."""
    if text is None or len(text) > _MOST_CHARACTERS or not text.isprintable() or " " in text:
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and parts.netloc and "@" not in parts.netloc else None
