"""Signatures of deliveries: each forge proves in its own way that it knows the secret of the webhook.

- GitHub and Bitbucket send the HMAC-SHA256 of the body, GitHub in `X-Hub-Signature-256`, Bitbucket in
  `X-Hub-Signature`, which at GitHub has a weaker one.
- Gitea and Forgejo send the same without a prefix.
- GitLab sends the secret itself, or a signature of Standard Webhooks, which includes id and time of the
  delivery: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

Every comparison takes the same time for any text, and no header makes one raise.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence

from recce_meta.repositories.types import ForgeName

TOLERANCE = 300.0
"""Seconds by which the time of a delivery may differ from that of this machine."""
PREFIX = "whsec_"
"""Beginning of secrets, which Standard Webhooks and GitLab require."""
_MOST_SIGNATURES = 10
"""Signatures of one delivery that are compared; a sender that rotates its keys sends two."""
_DUMMY = PREFIX + base64.b64encode(bytes(32)).decode()
"""Secret for the work that a delivery without a known repository takes as well."""


def new_secret() -> str:
    """Return a secret of 32 random bytes that every forge accepts."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def is_signed(
    forge: ForgeName, headers: Mapping[str, str], body: bytes, secret: str | None, *, now: float
) -> bool:
    """Return True if *headers* prove that the sender of *body* knows *secret*.

    Without a secret the same work is done in vain. The names in *headers* are in lower case; *now* is the
    time in seconds since 1970.
    """
    is_proven = _PROOFS[forge](headers, body, secret or _DUMMY, now)
    return is_proven and secret is not None


def _is_equal(given: str, expected: str) -> bool:
    # As bytes: `compare_digest` raises for text that is not ASCII.
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def _digest(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _by_digest(*names: str, prefix: str = "") -> Callable[[Mapping[str, str], bytes, str, float], bool]:
    """Return a proof by the digest of the body in the first header of *names* that is there."""

    def is_proven(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> bool:
        given = next((headers[name] for name in names if name in headers), "")
        return _is_equal(given, prefix + _digest(secret, body))

    return is_proven


def _by_gitlab(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> bool:
    # Both are computed, so that the answer takes as long for a missing header as for a wrong one.
    is_standard = _is_standard(headers, body, secret, now)
    is_token = _is_equal(headers.get("x-gitlab-token", ""), secret)
    # GitLab sends the token as well: it must not replace a signature that is wrong or too old.
    return is_standard if "webhook-signature" in headers else is_token


def _is_standard(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> bool:
    """Return True if the delivery has a valid and recent signature of Standard Webhooks."""
    sent_id, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    signed = f"{sent_id}.{sent_at}.".encode("utf-8", "surrogatepass") + body
    expected = base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode()
    given = headers.get("webhook-signature", "").split()[:_MOST_SIGNATURES]
    # All are compared, whichever is right.
    equal = [_is_equal(one, f"v1,{expected}") for one in given]
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


_PROOFS: Mapping[ForgeName, Callable[[Mapping[str, str], bytes, str, float], bool]] = {
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    ForgeName.GITHUB: _by_digest("x-hub-signature-256", prefix="sha256="),
    # https://docs.gitlab.com/user/project/integrations/webhooks
    ForgeName.GITLAB: _by_gitlab,
    # https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks
    ForgeName.BITBUCKET: _by_digest("x-hub-signature", prefix="sha256="),
    # https://forgejo.org/docs/latest/user/webhooks
    ForgeName.GITEA: _by_digest("x-forgejo-signature", "x-gitea-signature"),
}


def first_proven(
    forge: ForgeName, headers: Mapping[str, str], body: bytes, candidates: Sequence[str | None], *, now: float
) -> int | None:
    """Return the position of the first of *candidates*, secrets, that the delivery proves; None if none.

    All are tried, so that the time reveals neither the position nor the number of secrets that are set.
    """
    proven = [is_signed(forge, headers, body, secret, now=now) for secret in candidates]
    return proven.index(True) if True in proven else None
