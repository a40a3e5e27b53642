"""API 2.0 of Bitbucket Cloud. Bitbucket Data Center has another API, which is not supported.

Sources in developer.atlassian.com, "The Bitbucket Cloud REST API": "Repositories" (webhooks), "Pullrequests",
"Commit statuses", "Authentication methods", "Scopes for the Bitbucket Cloud REST API"; in
support.atlassian.com: "Using API tokens", "API request limits".
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Struct

from recce_meta.errors import shorten
from recce_meta.repositories.forges.api import (
    CONTEXT,
    MOST_COMMENTS,
    MOST_PULL_REQUESTS,
    ForgeApi,
    ForgeRight,
    ForgeRights,
    RepositoryClient,
    cut_comment,
    segment,
    utc,
)
from recce_meta.repositories.forges.base import ForgeFailure, ForgeFailureKind, RemoteHook, StatusState
from recce_meta.repositories.git.http import HttpAnswer
from recce_meta.repositories.state.types import PullRequestEvent

LONGEST_COMMENT = 32_000
"""Bitbucket refuses more than 32,768 characters."""
LONGEST_DESCRIPTION = 255
EVENTS = (
    "repo:push",
    "pullrequest:created",
    "pullrequest:updated",
    "pullrequest:fulfilled",
    "pullrequest:rejected",
)
_STATES: Mapping[StatusState, str] = {
    StatusState.PENDING: "INPROGRESS",
    StatusState.SUCCESS: "SUCCESSFUL",
    StatusState.FAILURE: "FAILED",
    StatusState.ERROR: "FAILED",
    StatusState.NEUTRAL: "STOPPED",
}
_HTML_COMMENT = re.compile(r"<!--\s*(.*?)\s*-->", re.S)
_RIGHTS = ForgeRights(
    look=ForgeRight("read the repository", "the scope repository", is_hidden=True),
    hook=ForgeRight("set up the webhook", "the scope webhook, of an administrator of the repository"),
    comment=ForgeRight("write comments", "the scope pullrequest"),
    status=ForgeRight("set commit statuses", "the scope repository:write"),
    pull_requests=ForgeRight("read pull requests", "the scope pullrequest", is_hidden=True),
)
Shape = TypeVar("Shape")


class _BitbucketPage(Struct, frozen=True):
    values: tuple[msgspec.Raw, ...]
    next: str | None = None


class _BitbucketUser(Struct, frozen=True):
    uuid: str


class _BitbucketRepository(Struct, frozen=True):
    uuid: str
    full_name: str


class _BitbucketText(Struct, frozen=True):
    raw: str = ""


class _BitbucketThread(Struct, frozen=True):
    """Comment or line of the code that a comment belongs to."""


class _BitbucketComment(Struct, frozen=True):
    id: int
    content: _BitbucketText = _BitbucketText()
    user: _BitbucketUser | None = None
    deleted: bool = False
    inline: _BitbucketThread | None = None
    parent: _BitbucketThread | None = None

    @property
    def is_on_top(self) -> bool:
        return not self.deleted and self.inline is None and self.parent is None


class _BitbucketHook(Struct, frozen=True):
    uuid: str
    url: str
    events: tuple[str, ...] = ()
    active: bool = True

    @property
    def remote(self) -> RemoteHook:
        return RemoteHook(hook_id=self.uuid, url=self.url, events=self.events, is_active=self.active)


class _BitbucketBranch(Struct, frozen=True):
    name: str


class _BitbucketCommit(Struct, frozen=True):
    hash: str
    """The first 12 digits."""


class _BitbucketSide(Struct, frozen=True):
    branch: _BitbucketBranch
    commit: _BitbucketCommit | None = None
    repository: _BitbucketRepository | None = None
    """None if the fork is deleted."""


class _BitbucketLink(Struct, frozen=True):
    href: str


class _BitbucketLinks(Struct, frozen=True):
    html: _BitbucketLink | None = None


class _BitbucketPullRequest(Struct, frozen=True):
    id: int
    title: str
    updated_on: datetime
    source: _BitbucketSide
    destination: _BitbucketSide
    links: _BitbucketLinks = _BitbucketLinks()

    def event(self, server: str) -> PullRequestEvent:
        """Return the pull request; *server* is the address that its repositories are below."""
        head, base = self.source.repository, self.destination.repository
        is_fork = head is None or head != base
        return PullRequestEvent(
            number=self.id,
            title=self.title,
            url=self.links.html.href if self.links.html else None,
            base_branch=self.destination.branch.name,
            head_branch=self.source.branch.name,
            head_sha=self.source.commit.hash if self.source.commit else None,
            is_fork=is_fork,
            # Bitbucket has no reference for the heads of pull requests.
            head_url=f"{server}/{head.full_name}" if head is not None and is_fork else None,
            updated_at=utc(self.updated_on),
        )


class BitbucketClient(RepositoryClient):
    """Client for one repository; *server* is the address of the pages."""

    rights = _RIGHTS
    hook = _BitbucketHook
    hook_list = "/hooks?pagelen=100"

    def __init__(self, api: ForgeApi, repository: str, *, server: str) -> None:
        super().__init__(api, f"/repositories{repository}")
        self._page = f"{server}{repository}"
        self._server = server
        self._user: _BitbucketUser | None = None

    async def repository_id(self) -> str:
        """Return the UUID of the repository, in braces, which stays when its name changes."""
        return (await self._api.read(self.rights.look, "GET", self._root, _BitbucketRepository)).uuid

    async def find_comment(self, number: int, marker: str) -> str | None:
        """Return the id of the oldest comment of this login on a pull request that contains *marker*."""
        if self._user is None:
            self._user = await self._api.find_user(self.rights.look, _BitbucketUser)
        path = f"{self._root}/pullrequests/{number}/comments?sort=created_on&pagelen=100"
        wanted = _shown(marker)
        async for comment in self._pages(self.rights.comment, path, _BitbucketComment, most=MOST_COMMENTS):
            is_own = self._user is None or comment.user == self._user
            if wanted in comment.content.raw and is_own and comment.is_on_top:
                return str(comment.id)
        return None

    async def write_comment(self, number: int, text: str, *, comment_id: str | None = None) -> str:
        """Change the comment *comment_id*, or create one if it is None, and return its id."""
        method, path = "POST", f"{self._root}/pullrequests/{number}/comments"
        if comment_id is not None:
            method, path = "PUT", f"{path}/{segment(comment_id)}"
        body = {"content": {"raw": cut_comment(_shown(text), LONGEST_COMMENT)}}
        comment = await self._api.read(self.rights.comment, method, path, _BitbucketComment, body)
        if comment.deleted:
            raise ForgeFailure(
                ForgeFailureKind.GONE,
                f"The comment on pull request {number} is deleted",
                hint="a new one can be created",
            )
        return str(comment.id)

    async def set_status(self, sha: str, state: StatusState, description: str, *, url: str | None) -> None:
        """Set the status of a commit, which must have an address: by default that of the commit."""
        body = {
            "key": CONTEXT,
            "name": CONTEXT,
            "state": _STATES[state],
            "description": shorten(description, LONGEST_DESCRIPTION),
            "url": url or f"{self._page}/commits/{sha}",
        }
        path = f"{self._root}/commit/{segment(sha)}/statuses/build"
        await self._api.call(self.rights.status, "POST", path, body)

    async def pull_requests(self) -> Sequence[PullRequestEvent]:
        """Return the open pull requests, at most 1,000; the last changed ones first."""
        path = f"{self._root}/pullrequests?state=OPEN&sort=-updated_on&pagelen=50"
        rows = self._pages(self.rights.pull_requests, path, _BitbucketPullRequest, most=MOST_PULL_REQUESTS)
        return [row.event(self._server) async for row in rows]

    async def _pages(
        self, right: ForgeRight, path: str, shape: type[Shape], *, most: int
    ) -> AsyncIterator[Shape]:
        """Yield at most *most* rows of a list, page by page."""
        count, after = 0, ""
        while True:
            page = await self._api.read(right, "GET", f"{path}{after}", _BitbucketPage)
            for raw in page.values[: most - count]:
                yield self._api.decode(HttpAnswer(200, {}, bytes(raw)), shape)
            count += len(page.values)
            # Only the number of the page is used: the address could lead to another server.
            found = parse_qs(urlsplit(page.next or "").query).get("page")
            if not found or not page.values or count >= most:
                return
            after = f"&page={segment(found[0])}"

    def _hook(self, url: str, secret: str) -> dict[str, object]:
        return {
            "description": CONTEXT,
            "url": url,
            "active": True,
            "secret": secret,
            "events": EVENTS,
            "skip_cert_verification": False,
        }


def _shown(text: str) -> str:
    """Return *text* with HTML comments as definitions of links: Bitbucket shows HTML as text."""
    return _HTML_COMMENT.sub(r"[//]: # (\1)", text)
