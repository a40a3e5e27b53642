"""Reading of deliveries: their repository before the signature is checked, all else after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from urllib.parse import urlsplit

from recce_meta.repositories.types import ForgeName
from recce_meta.repositories.webhooks import bitbucket, github, gitlab
from recce_meta.repositories.webhooks.events import (
    Delivery,
    Ignored,
    MalformedDelivery,
    Reader,
    SentRepository,
    shown,
)

FORGES = (ForgeName.GITHUB, ForgeName.GITLAB, ForgeName.BITBUCKET, ForgeName.GITEA)
"""Forges with webhooks."""
_REPOSITORIES: Mapping[ForgeName, Callable[[bytes], SentRepository]] = {
    ForgeName.GITHUB: github.repository_of,
    ForgeName.GITLAB: gitlab.repository_of,
    ForgeName.BITBUCKET: bitbucket.repository_of,
    ForgeName.GITEA: github.repository_of,
}
_READERS: Mapping[ForgeName, Reader] = {
    ForgeName.GITHUB: github.read_github,
    ForgeName.GITLAB: gitlab.read_gitlab,
    ForgeName.BITBUCKET: bitbucket.read_bitbucket,
    ForgeName.GITEA: github.read_gitea,
}
_IDS: Mapping[ForgeName, tuple[str, ...]] = {
    ForgeName.GITHUB: ("x-github-delivery",),
    ForgeName.GITLAB: ("webhook-id", "idempotency-key", "x-gitlab-event-uuid"),
    ForgeName.BITBUCKET: ("x-request-uuid", "x-request-id"),
    ForgeName.GITEA: ("x-forgejo-delivery", "x-gitea-delivery"),
}
"""Headers with the id of a delivery; the first that is there counts."""


def sent_repository(forge: ForgeName, body: bytes) -> SentRepository:
    """Return the repository that *body* names; one without id and address if it cannot be read."""
    with suppress(MalformedDelivery):
        return _REPOSITORIES[forge](body)
    return SentRepository()


def read_delivery(forge: ForgeName, headers: Mapping[str, str], body: bytes, now: datetime) -> Delivery:
    """Return a delivery that arrived at the time *now*; a body of another form is ignored.

    The names in *headers* are in lower case.
    """
    try:
        events = _READERS[forge](headers, body, now)
    except MalformedDelivery as error:
        events = (Ignored(shown(error.message)),)
    found = next((headers[name] for name in _IDS[forge] if headers.get(name)), "")
    return Delivery(
        id=shown(found),
        name=shown(_event_name(forge, headers)),
        repository=sent_repository(forge, body),
        events=events,
    )


def _event_name(forge: ForgeName, headers: Mapping[str, str]) -> str:
    if forge is ForgeName.GITEA:
        return github.gitea_event(headers)
    names = {
        ForgeName.GITHUB: "x-github-event",
        ForgeName.GITLAB: "x-gitlab-event",
        ForgeName.BITBUCKET: "x-event-key",
    }
    return headers.get(names[forge], "")


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
