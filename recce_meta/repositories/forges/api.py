"""Requests to the API of a forge, and the cause of each refusal.

Forges hide what a token may not see: they answer 404 where 403 would prove that something exists.
`ForgeRight` records for which requests a 404 may mean a missing right.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, ClassVar, Protocol, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from recce_meta.errors import shorten
from recce_meta.repositories.forges.base import ForgeFailure, ForgeFailureKind, RemoteHook
from recce_meta.repositories.git.http import HttpAnswer, HttpClient, HttpFailure, HttpFailureKind
from recce_meta.repositories.git.outcome import wait_of
from recce_meta.repositories.state.secrets import Scrubber

CONTEXT = "recce_meta"
"""Name of the commit status."""
MOST_PULL_REQUESTS = 1_000
MOST_COMMENTS = 5_000
"""Comments of one pull request that are searched."""
DEFAULT_WAIT = 60.0
"""Seconds to wait if a forge limits requests and gives no time."""
_CUT = "\n\nThis comment was too long and has been cut."
_LIMITED = re.compile(r"rate limit|too many requests|requested too many times|abuse detection", re.I)
_READ_ONLY = re.compile(r"archived|read-only|\blocked\b", re.I)
_NEXT = re.compile(r'rel="?next"?')
_TEXTS = ("message", "error", "error_description", "detail", "errors", "fields")
_LONGEST_DETAIL = 300

Row = TypeVar("Row")


class ForgeRight(Struct, frozen=True):
    """What a request does, and the right that it needs."""

    action: str
    """Completes the sentence `The token may not …`."""
    needed: str
    """Permission, scope or role, in the words of the forge."""
    is_hidden: bool = False
    """Whether the forge may answer 404 if the right is missing."""

    @property
    def shown(self) -> ForgeRight:
        """The same for a thing whose id is known: a 404 means that it is gone."""
        return replace(self, is_hidden=False)


class ForgeApi:
    """Requests to the API at *base* with one login; failures do not contain *secrets*."""

    def __init__(
        self,
        client: HttpClient,
        *,
        forge: str,
        base: str,
        headers: Mapping[str, str],
        secrets: Sequence[str],
        token_hint: str = "",
    ) -> None:
        self.forge = forge
        self._token_hint = token_hint
        self.base = base
        self._client = client
        self._headers = {"Accept": "application/json", **headers}
        self._secrets = tuple(secrets)

    async def call(self, right: ForgeRight, method: str, path: str, body: object = None) -> HttpAnswer:
        """Send a request, and return the answer if it is a success."""
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body).encode()
        try:
            answer = await self._client.send(method, f"{self.base}{path}", headers=headers, body=data)
        except HttpFailure as error:
            raise self._unanswered(error) from None
        if 200 <= answer.status < 300:
            return answer
        raise self._failure(right, answer, Scrubber([*self._secrets, *_secrets_in(body)]))

    async def read(
        self, right: ForgeRight, method: str, path: str, shape: type[Row], body: object = None
    ) -> Row:
        """Send a request, and return the answer in the given shape."""
        return self.decode(await self.call(right, method, path, body), shape)

    async def find_user(self, right: ForgeRight, shape: type[Row]) -> Row | None:
        """Return the user of the token; None without the right to read it, which is not needed otherwise."""
        try:
            return await self.read(right.shown, "GET", "/user", shape)
        except ForgeFailure as error:
            if error.kind not in (ForgeFailureKind.SCOPE, ForgeFailureKind.GONE):
                raise
            return None

    async def pages(
        self, right: ForgeRight, path: str, shape: type[Row], *, most: int, size: str = "per_page=100"
    ) -> AsyncIterator[Row]:
        """Yield at most *most* rows of a list, page by page; *size* is the parameter for rows of a page."""
        joint = "&" if "?" in path else "?"
        count, page = 0, 1
        while True:
            answer = await self.call(right, "GET", f"{path}{joint}{size}&page={page}")
            rows = self.decode(answer, list[shape])  # type: ignore[valid-type]
            for row in rows[: most - count]:
                yield row
            count, page = count + len(rows), page + 1
            if not rows or count >= most or not _has_next(answer, count):
                return

    def decode(self, answer: HttpAnswer, shape: type[Row]) -> Row:
        """Return the body of *answer* in the given shape."""
        try:
            return msgspec.json.decode(answer.body, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise ForgeFailure(
                ForgeFailureKind.REFUSED,
                f"{self.base} is not the API of {self.forge}",
                hint="check the address and the type of the connection",
            ) from None

    def _unanswered(self, error: HttpFailure) -> ForgeFailure:
        is_outage = error.kind in (HttpFailureKind.NETWORK, HttpFailureKind.CERTIFICATE)
        kind = ForgeFailureKind.OUTAGE if is_outage else ForgeFailureKind.REFUSED
        return ForgeFailure(kind, error.message, hint=error.hint)

    def _failure(self, right: ForgeRight, answer: HttpAnswer, scrubber: Scrubber) -> ForgeFailure:
        """Return the failure of an answer that is not a success."""
        status, wait = answer.status, wait_of(answer.headers)
        said = scrubber.scrub(shorten(" ".join("; ".join(_texts(answer)).split()), _LONGEST_DETAIL))
        shown = f"status {status}: {said}" if said else f"status {status}"
        if status == 401:
            return ForgeFailure(
                ForgeFailureKind.TOKEN,
                f"{self.forge} refuses the token ({shown})",
                hint="it may be expired or revoked: create one, and replace it with `recce-meta connection "
                f"set NAME --ask-token`{self._token_hint}",
            )
        # GitHub answers 403 both for its limits and for missing rights.
        if status == 429 or (status == 403 and (wait is not None or _LIMITED.search(said))):
            return ForgeFailure(
                ForgeFailureKind.RATE_LIMIT,
                f"{self.forge} asks for fewer requests ({shown})",
                hint="the next attempt waits; a token of its own helps",
                retry_after=wait or DEFAULT_WAIT,
            )
        if status >= 500 or status == 408:
            return ForgeFailure(
                ForgeFailureKind.OUTAGE,
                f"{self.forge} does not work: {self.base} answered with {shown}",
                hint="see the status page of the server; the next attempt may succeed",
                retry_after=wait,
            )
        if status == 403 and not _READ_ONLY.search(said):
            return self._forbidden(right, answer, shown)
        if status in (404, 410) and right.is_hidden:
            return self._forbidden(right, answer, f"{shown}, which may hide a missing right")
        if status in (404, 410) or 300 <= status < 400 or status == 405:
            return ForgeFailure(
                ForgeFailureKind.GONE,
                f"{self.forge} does not find what is needed to {right.action} ({shown})",
                hint="it may be deleted, moved, or hidden from the token: check the address of the connection"
                f", and that the token has {right.needed}",
            )
        return ForgeFailure(
            ForgeFailureKind.REFUSED,
            f"{self.forge} refuses to {right.action} ({shown})",
            hint="see the message of the server",
        )

    def _forbidden(self, right: ForgeRight, answer: HttpAnswer, shown: str) -> ForgeFailure:
        named = _named_rights(answer)
        also = f" (the server names {named})" if named else ""
        return ForgeFailure(
            ForgeFailureKind.SCOPE,
            f"The token may not {right.action} on {self.forge} ({shown})",
            hint=f"give it {right.needed}{also}",
        )


def _has_next(answer: HttpAnswer, count: int) -> bool:
    """Return True if a further page exists, by the headers of GitHub, GitLab or Gitea."""
    total = answer.headers.get("x-total-count", "")
    is_linked = _NEXT.search(answer.headers.get("link", "")) is not None
    return is_linked or (total.isdecimal() and int(total) > count)


def _texts(answer: HttpAnswer) -> Iterator[str]:
    """Yield the messages in the body of a refusal."""
    try:
        body = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # A page of a proxy, which says nothing that the status does not.
        return
    yield from _leaves(body)


def _leaves(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth < 4:
        for one in value:
            yield from _leaves(one, depth + 1)
    elif isinstance(value, dict) and depth < 4:
        # The names of fields are GitLab's and Bitbucket's way to report which value is wrong.
        is_named = not any(name in value for name in _TEXTS)
        for name, one in value.items():
            if name in _TEXTS:
                yield from _leaves(one, depth + 1)
            elif is_named and depth > 0:
                yield from (f"{name} {text}" for text in _leaves(one, depth + 1))


def _named_rights(answer: HttpAnswer) -> str | None:
    """Return the rights that the answer asks for.

    GitHub names them in a header ("Permissions required for fine-grained personal access tokens"), and
    Bitbucket in `error.detail.required`.
    """
    for name in ("x-accepted-github-permissions", "x-accepted-oauth-scopes"):
        if found := answer.headers.get(name):
            return shorten(found, 100)
    try:
        required = msgspec.json.decode(answer.body)["error"]["detail"]["required"]
        return shorten(", ".join(map(str, required)), 100)
    except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError):
        return None


def _secrets_in(body: object) -> Iterator[str]:
    """Yield the secrets that a request has sent, which a refusal may quote."""
    if isinstance(body, dict):
        for name, value in body.items():
            if name in ("secret", "token", "signing_token") and isinstance(value, str):
                yield value
            yield from _secrets_in(value)


class ForgeRights(Struct, frozen=True, kw_only=True):
    """The rights that the requests of a client need."""

    look: ForgeRight
    hook: ForgeRight
    comment: ForgeRight
    status: ForgeRight
    pull_requests: ForgeRight


class SentHook(Protocol):
    """Shape of a webhook, which each forge has its own of."""

    @property
    def remote(self) -> RemoteHook:
        """The webhook as every forge has it."""


class RepositoryClient(ABC):
    """Client for the repository at the path *root* of *api*, with all that concerns its webhook."""

    rights: ClassVar[ForgeRights]
    hook: ClassVar[type[SentHook]]
    hook_list: ClassVar[str] = "/hooks"
    """Path of the list of webhooks."""
    hook_change: ClassVar[str] = "PUT"
    """Method of a change of a webhook."""
    new_hook: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Names and values of the fields that only a new webhook has."""
    size: ClassVar[str] = "per_page=100"
    """Parameter for the rows of a page."""

    def __init__(self, api: ForgeApi, root: str) -> None:
        self._api = api
        self._root = root

    async def set_hook(self, url: str, secret: str, *, hook_id: str | None = None) -> RemoteHook:
        """Create the webhook that calls *url*, or change the one with this id or address."""
        if hook_id is not None:
            try:
                return await self._change_hook(hook_id, url, secret)
            except ForgeFailure as error:
                if error.kind is not ForgeFailureKind.GONE:
                    raise
        # GitLab, Bitbucket and Gitea would create a second one for the same address.
        for hook in await self._hooks():
            if hook.url == url:
                return await self._change_hook(hook.hook_id, url, secret)
        return await self._create_hook(url, secret)

    async def remove_hook(self, hook_id: str) -> None:
        """Remove a webhook, if it exists."""
        try:
            await self._delete_hook(hook_id)
        except ForgeFailure as error:
            if error.kind is not ForgeFailureKind.GONE:
                raise
            # A token without the right gets the same 404, but no list.
            await self._hooks()

    def _pages(self, right: ForgeRight, path: str, shape: type[Row], *, most: int) -> AsyncIterator[Row]:
        """Return at most *most* rows of a list."""
        return self._api.pages(right, path, shape, most=most, size=self.size)

    async def _hooks(self) -> Sequence[RemoteHook]:
        rows = self._pages(self.rights.hook, f"{self._root}{self.hook_list}", self.hook, most=1_000)
        return [row.remote async for row in rows]

    async def _create_hook(self, url: str, secret: str) -> RemoteHook:
        body = dict(self.new_hook) | self._hook(url, secret)
        return (await self._api.read(self.rights.hook, "POST", f"{self._root}/hooks", self.hook, body)).remote

    async def _change_hook(self, hook_id: str, url: str, secret: str) -> RemoteHook:
        """Change a webhook; raise a failure of the kind GONE if it does not exist."""
        path, body = f"{self._root}/hooks/{segment(hook_id)}", self._hook(url, secret)
        right = self.rights.hook.shown
        return (await self._api.read(right, self.hook_change, path, self.hook, body)).remote

    async def _delete_hook(self, hook_id: str) -> None:
        """Remove a webhook; raise a failure of the kind GONE if it does not exist."""
        await self._api.call(self.rights.hook.shown, "DELETE", f"{self._root}/hooks/{segment(hook_id)}")

    @abstractmethod
    def _hook(self, url: str, secret: str) -> dict[str, object]:
        """Return the body of a request for a webhook that calls *url*."""


def segment(value: str) -> str:
    """Return *value* as one segment of a path."""
    return quote(value, safe="")


def cut_comment(text: str, most: int) -> str:
    """Return *text* in at most *most* characters, cut at the end of a line, with a note."""
    if len(text) <= most:
        return text
    kept = text[: most - len(_CUT)]
    return kept[: kept.rfind("\n") if "\n" in kept else None].rstrip() + _CUT


def utc(time: datetime) -> datetime:
    """Return a time of an answer in UTC."""
    return (time if time.tzinfo else time.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
