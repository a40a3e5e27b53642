"""What a delivery reports, the same for every forge, and proofs that its sender knows the secret.

Every comparison of a proof takes the same time for any text, and no header makes one raise.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from recce_meta.errors import UsageError
from recce_meta.models.moments import utc_time
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
        # A time in the future would make every later event look old.
        return min(utc_time((text or "").replace(" UTC", "Z")), now)
    except ValueError:
        return now


def _web_address(text: str | None) -> str | None:
    """Return an address of HTTP; None for anything else, which a page must not link to."""
    if text is None or len(text) > _MOST_CHARACTERS or not text.isprintable() or " " in text:
        return None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    return text if parts.scheme in ("http", "https") and parts.netloc and "@" not in parts.netloc else None


TOLERANCE = 300.0
"""Seconds by which the time of a delivery may differ from that of this machine."""
PREFIX = "whsec_"
"""Beginning of secrets, which Standard Webhooks and GitLab require."""
_MOST_SIGNATURES = 10
"""Signatures of one delivery that are compared; a sender that rotates its keys sends two."""


def new_secret() -> str:
    """Return a secret of 32 random bytes that every forge accepts."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def is_equal(given: str, expected: str) -> bool:
    """Return True if the texts are equal; the time is the same for any text."""
    # As bytes: `compare_digest` raises for text that is not ASCII.
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def has_digest(
    headers: Mapping[str, str], names: Sequence[str], prefix: str, body: bytes, secret: str
) -> bool:
    """Return True if the first header of *names* that is sent has the HMAC-SHA256 of *body*."""
    given = next((headers[name] for name in names if name in headers), "")
    return is_equal(given, prefix + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest())


def is_standard(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> bool:
    """Return True if the delivery has a valid and recent signature of Standard Webhooks.

    It includes id and time of the delivery:
    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    sent_id, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    signed = f"{sent_id}.{sent_at}.".encode("utf-8", "surrogatepass") + body
    expected = base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode()
    given = headers.get("webhook-signature", "").split()[:_MOST_SIGNATURES]
    # All are compared, whichever is right.
    equal = [is_equal(one, f"v1,{expected}") for one in given]
    return True in equal and sent_id != "" and _is_recent(sent_at, now)


def _is_recent(sent_at: str, now: float) -> bool:
    # `isdecimal` alone accepts other digits, and a huge number would overflow.
    is_number = sent_at.isascii() and sent_at.isdecimal() and len(sent_at) <= 12
    return is_number and abs(now - int(sent_at)) <= TOLERANCE


def _key(secret: str) -> bytes:
    """Return the key in a secret of Standard Webhooks; another text is the key itself."""
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()
