"""Deliveries of any forge: repository, then signature, then events.

Each forge proves in its own way that it knows the secret of the webhook: `Forge.is_signed`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from urllib.parse import urlsplit

from recce_meta.repositories.forges.events import (
    Delivery,
    Ignored,
    MalformedDelivery,
    SentRepository,
    shown,
)
from recce_meta.repositories.forges.registry import forge_named
from recce_meta.repositories.forges.signatures import PREFIX
from recce_meta.repositories.state.types import ForgeName

_DUMMY = PREFIX + base64.b64encode(bytes(32)).decode()
"""Secret for the work that a delivery without a known repository takes as well."""


def sent_repository(forge: ForgeName, body: bytes) -> SentRepository:
    """Return the repository that *body* names; one without id and address if it cannot be read."""
    with suppress(MalformedDelivery):
        return forge_named(forge).repository_of(body)
    return SentRepository()


def read_delivery(forge: ForgeName, headers: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
    """Return a delivery that arrived at the time *now*; a body of another form is ignored.

    The names in *headers* are in lower case.
    """
    sender = forge_named(forge)
    try:
        events = sender.read(headers, body, now)
    except MalformedDelivery as error:
        events = (Ignored(shown(error.message)),)
    return Delivery(
        id=shown(sender.delivery_id(headers)),
        name=shown(sender.event_name(headers)),
        repository=sent_repository(forge, body),
        events=events,
    )


def is_signed(
    forge: ForgeName, headers: Mapping[str, str], body: bytes, secret: str | None, *, now: float
) -> bool:
    """Return True if *headers* prove that the sender of *body* knows *secret*.

    Without a secret the same work is done in vain. The names in *headers* are in lower case; *now* is the
    time in seconds since 1970.
    """
    is_proven = forge_named(forge).is_signed(headers, body, secret or _DUMMY, now)
    return is_proven and secret is not None


def first_proven(
    forge: ForgeName, headers: Mapping[str, str], body: bytes, candidates: Sequence[str | None], *, now: float
) -> int | None:
    """Return the position of the first of *candidates*, secrets, that the delivery proves; None if none.

    All are tried, so that the time reveals neither the position nor the number of secrets that are set.
    """
    proven = [is_signed(forge, headers, body, secret, now=now) for secret in candidates]
    return proven.index(True) if True in proven else None


def repository_key(url: str) -> str | None:
    """Return what spellings of the address of one repository share; None for another text.

    >>> repository_key("https://GitHub.com/acme/Shop.git") == repository_key("http://github.com/acme/shop/")
    True
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    path = parts.path.rstrip("/").removesuffix(".git")
    if not host or path.count("/") < 2:
        return None
    shown_port = "" if port in (None, 80, 443) else f":{port}"
    return f"{host}{shown_port}{path}".casefold()


def repository_path(url: str) -> str | None:
    """Return owner and name of the repository at *url*; None for another text.

    A forge behind a proxy may know itself by another host.
    """
    key = repository_key(url)
    return None if key is None else "/".join(key.split("/")[-2:])
