"""Forges, found by name, by the address of a repository, or by what a delivery contains.

Each folder of this package is one, and its module `forge` has the class. `plugins.forge_names` lists them
without importing any. Of a delivery, the repository is read first, then its proof, then its events: each
forge proves in its own way that it knows the secret of the webhook, with `Forge.is_signed`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import cache
from urllib.parse import urlsplit

from msgspec.structs import replace

from recce_meta.errors import UnknownNameError
from recce_meta.plugins import FORGES, class_of, forge_names
from recce_meta.repositories.forges.events import (
    PREFIX,
    Delivery,
    Ignored,
    MalformedDelivery,
    SentRepository,
    shown,
)
from recce_meta.repositories.forges.forge import Forge
from recce_meta.repositories.git.address import AddressRules, RepositoryAddress, parse_repository
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.state.types import ForgeName


@cache
def find_forge(name: str) -> Forge | None:
    """Return the forge *name*; None for another name, such as `git` for a plain server."""
    found = next((one for one in forge_names() if one == name), None)
    if found is None:
        return None
    return class_of(f"{FORGES}.{found}.forge", Forge)()  # type: ignore[type-abstract]


def forge_named(name: str) -> Forge:
    """Return the forge *name*. Raises UnknownNameError."""
    found = find_forge(name)
    if found is None:
        raise UnknownNameError("forge", name, forge_names())
    return found


def parse_address(text: str, rules: AddressRules | None = None) -> RepositoryAddress:
    """Return the normal form of an address, with the forge that its host shows.

    >>> parse_address("https://GitHub.com/dbt-labs/jaffle-shop.git/").url
    'https://github.com/dbt-labs/jaffle-shop'

    Raises GitFailure if the address is not one of an HTTPS repository, contains credentials, or is a page.
    """
    address = parse_repository(text, rules)
    forge = next((one for one in map(forge_named, forge_names()) if one.hosts.fullmatch(address.host)), None)
    if forge is None:
        return address
    path = address.repository if forge.has_suffix else address.path
    hint = forge.path_hint(address.server, path)
    if hint is not None:
        message = f"The address is not one of a repository: {address.server}{path}"
        raise GitFailure(GitFailureKind.ADDRESS, message, hint=hint)
    return replace(
        address,
        path=path,
        forge=forge.name,
        has_suffix=forge.has_suffix,
        token_user=forge.token_user,
    )


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
