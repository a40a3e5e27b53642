"""What recce_meta knows of a forge: each folder of this package has one subclass."""

from __future__ import annotations

import base64
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar

from msgspec import Struct

from recce_meta.repositories.forges.api import ForgeApi
from recce_meta.repositories.forges.base import ForgeClient
from recce_meta.repositories.forges.events import Event, SentRepository, has_digest
from recce_meta.repositories.git.address import TOKEN_USER, RepositoryAddress
from recce_meta.repositories.state.types import PullRequest

Headers = Mapping[str, str]
_PAGE = re.compile(r"/(?:-|tree|blob|src|commits?|pulls?|branches|merge_requests)(?:/.*)?")
"""Path of a page of a repository, which a browser shows."""
_IGNORED_USERS = ("", "x-token-auth", "oauth2")
"""User names before a token that git servers require or ignore; an API takes the token alone."""


class HookForm(Struct, frozen=True):
    """Page of a forge on which a person creates a webhook."""

    path: str
    """Path below the repository's page."""
    fields: tuple[str, ...]
    """What the person enters, in the words of the page."""


class HeadSource(Struct, frozen=True):
    """Place of the head of a pull request."""

    reference: str
    url: str | None = None
    """Address of the repository; None for the one that the pull request belongs to."""


class Forge(ABC):
    """Facts about one forge, and its client. Subclasses connect to no server."""

    name: ClassVar[str]
    """Name of the folder, and the type of connections."""
    title: ClassVar[str]
    """Name for people."""
    hosts: ClassVar[re.Pattern[str]]
    """Host names of its servers, so far as a name can show it."""
    has_suffix: ClassVar[bool] = True
    """True if the server redirects an address without `.git`, or accepts both."""
    token_user: ClassVar[str] = TOKEN_USER
    """User name with which git sends a token."""
    longest_comment: ClassVar[int]
    """Characters of a comment; `write_comment` cuts a longer text at the end of a line."""
    hook_events: ClassVar[tuple[str, ...]]
    """Events of a webhook, in the words of the forge; also for a person who creates it."""
    hook_form: ClassVar[HookForm]
    needed_rights: ClassVar[str]
    """What a token needs for comments, commit statuses and webhooks."""
    token_scheme: ClassVar[str] = "Bearer"
    """Scheme of the header `Authorization` for a token."""
    takes_users: ClassVar[bool] = False
    """Whether the API takes a user name with a password, or with a token."""
    token_hint: ClassVar[str] = ""
    """Addition to the hint of an error if the forge refuses the token."""
    address_hint: ClassVar[str] = ""
    """Addition to the hint of an error if an address is not one of a repository."""
    head_reference: ClassVar[str] = "refs/pull/{number}/head"
    """Reference of the head of a pull request in the repository that it belongs to."""

    delivery_headers: ClassVar[tuple[str, ...]]
    """Headers with the id of a delivery; the first that is not empty counts."""
    event_headers: ClassVar[tuple[str, ...]]
    """Headers with the name of the event; the first that is not empty counts."""
    signature_headers: ClassVar[tuple[str, ...]] = ()
    """Headers with the HMAC-SHA256 of the body; the first that is sent counts."""
    signature_prefix: ClassVar[str] = ""
    """Text before this digest."""

    @abstractmethod
    def api_base(self, address: RepositoryAddress) -> str:
        """Return the address of the API of the server of a repository, without a slash at its end."""

    @abstractmethod
    def client(self, api: ForgeApi, address: RepositoryAddress, *, app: str | None) -> ForgeClient:
        """Return a client for the repository at *address*; *app* is the GitHub App of the token."""

    def headers(self, token: str) -> Mapping[str, str]:
        """Return the headers of requests with a token, which may be a user name and a password."""
        user, colon, password = token.partition(":")
        if colon and self.takes_users and user not in _IGNORED_USERS:
            return {"Authorization": f"Basic {base64.b64encode(token.encode()).decode()}"}
        return {"Authorization": f"{self.token_scheme} {password if colon else token}"}

    def is_repository(self, path: str) -> bool:
        """Return True if *path*, which begins with a slash, may be one of a repository."""
        return path.count("/") == 2

    def path_hint(self, server: str, path: str) -> str | None:
        """Return what to enter if *path* on *server* is not one of a repository; None if it is one."""
        if self.is_repository(path):
            return None
        page = re.fullmatch(r"(/[^/]+/[^/]+)/.+", path)
        if page and _PAGE.fullmatch(path.removeprefix(page[1])):
            return f"use {server}{page[1]}, and --subdirectory for a folder in it"
        return "enter the address of one repository, such as https://HOST/OWNER/NAME"

    def head_source(self, request: PullRequest) -> HeadSource:
        """Return where the head of a pull request is. Raises GitFailure if that is not known."""
        return HeadSource(self.head_reference.format(number=request.number))

    @abstractmethod
    def repository_of(self, body: bytes) -> SentRepository:
        """Return the repository of a delivery, whose signature is not checked yet.

        Raises MalformedDelivery.
        """

    @abstractmethod
    def read(self, headers: Headers, body: bytes, now: datetime) -> tuple[Event, ...]:
        """Return the events of a delivery that arrived at the time *now*. Raises MalformedDelivery.

        The names in *headers* are in lower case, here and below.
        """

    def delivery_id(self, headers: Headers) -> str:
        """Return the id of a delivery; empty without one."""
        return _first(headers, self.delivery_headers)

    def event_name(self, headers: Headers) -> str:
        """Return the name of the event; empty without one."""
        return _first(headers, self.event_headers)

    def is_signed(self, headers: Headers, body: bytes, secret: str, now: float) -> bool:
        """Return True if *headers* prove that the sender of *body* knows *secret*.

        *now* is the time in seconds since 1970. The work must not depend on *secret* or on the headers.
        """
        return has_digest(headers, self.signature_headers, self.signature_prefix, body, secret)


def _first(headers: Headers, names: Sequence[str]) -> str:
    return next((headers[name] for name in names if headers.get(name)), "")
