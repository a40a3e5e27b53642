"""Proofs that the sender of a delivery knows the secret of its webhook, for the classes of forges.

Every comparison takes the same time for any text, and no header makes one raise.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence

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
