"""API of Gitea and of Forgejo, such as Codeberg.

Sources: "API Usage" and "OAuth2 Provider" (scopes) in docs.gitea.com, the API reference below `/api/swagger`
of each server, `routers/api/v1/utils/hook.go` and `services/convert/pull.go` in github.com/go-gitea/gitea.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from recce_meta.errors import shorten
from recce_meta.repositories.forges.api import (
    CONTEXT,
    MOST_COMMENTS,
    MOST_PULL_REQUESTS,
    ForgeApi,
    ForgeRight,
    HookKeeper,
    cut_comment,
    segment,
    utc,
)
from recce_meta.repositories.forges.base import RemoteHook, StatusState
from recce_meta.repositories.state.types import PullRequestEvent

LONGEST_COMMENT = 65_000
LONGEST_DESCRIPTION = 255
EVENTS = ("push", "delete", "pull_request")
"""A deleted branch is an event of its own: Gitea sends no push for it."""
_SIZE = "limit=50"
"""Servers give at most 50 rows by default."""
_LOOK = ForgeRight("read the repository", "the scope read:repository", is_hidden=True)
_HOOK = ForgeRight("set up the webhook", "the scope write:repository, of an administrator of the repository")
_COMMENT = ForgeRight("write comments", "the scope write:issue")
_STATUS = ForgeRight("set commit statuses", "the scope write:repository")
_PULL_REQUESTS = ForgeRight("read pull requests", "the scope read:repository", is_hidden=True)


class _GiteaRepository(Struct, frozen=True):
    id: int


class _GiteaUser(Struct, frozen=True):
    id: int


class _GiteaComment(Struct, frozen=True):
    id: int
    body: str | None = None
    user: _GiteaUser | None = None


class _GiteaHookConfig(Struct, frozen=True):
    url: str = ""


class _GiteaHook(Struct, frozen=True):
    id: int
    config: _GiteaHookConfig
    events: tuple[str, ...] = ()
    active: bool = True

    @property
    def remote(self) -> RemoteHook:
        return RemoteHook(
            hook_id=str(self.id), url=self.config.url, events=self.events, is_active=self.active
        )


class _GiteaBranch(Struct, frozen=True):
    ref: str
    sha: str = ""
    label: str = ""
    repo_id: int = -1
    """-1 if the fork is deleted."""


class _GiteaPullRequest(Struct, frozen=True):
    number: int
    title: str
    html_url: str
    updated_at: datetime
    base: _GiteaBranch
    head: _GiteaBranch

    @property
    def event(self) -> PullRequestEvent:
        # Pushes to refs/for/BRANCH need no right to write, and have no branch: their files are foreign.
        is_foreign = self.head.ref.startswith("refs/")
        return PullRequestEvent(
            number=self.number,
            title=self.title,
            url=self.html_url,
            base_branch=self.base.ref,
            head_branch=(self.head.label if is_foreign else "") or self.head.ref,
            head_sha=self.head.sha or None,
            is_fork=is_foreign or self.head.repo_id != self.base.repo_id,
            updated_at=utc(self.updated_at),
        )


class GiteaClient(HookKeeper):
    """Client for one repository."""

    def __init__(self, api: ForgeApi, repository: str) -> None:
        self._api = api
        self._root = f"/repos{repository}"
        self._user: _GiteaUser | None = None

    async def repository_id(self) -> str:
        """Return the id of the repository, which stays when its name changes."""
        return str((await self._api.read(_LOOK, "GET", self._root, _GiteaRepository)).id)

    async def find_comment(self, number: int, marker: str) -> str | None:
        """Return the id of the oldest comment of this login on a pull request that contains *marker*."""
        if self._user is None:
            self._user = await self._api.find_user(_LOOK, _GiteaUser)
        path = f"{self._root}/issues/{number}/comments"
        rows = self._api.pages(_COMMENT, path, _GiteaComment, most=MOST_COMMENTS, size=_SIZE)
        async for comment in rows:
            is_own = self._user is None or comment.user == self._user
            if marker in (comment.body or "") and is_own:
                return str(comment.id)
        return None

    async def write_comment(self, number: int, text: str, *, comment_id: str | None = None) -> str:
        """Change the comment *comment_id*, or create one if it is None, and return its id."""
        method, path = "POST", f"{self._root}/issues/{number}/comments"
        if comment_id is not None:
            method, path = "PATCH", f"{self._root}/issues/comments/{segment(comment_id)}"
        body = {"body": cut_comment(text, LONGEST_COMMENT)}
        return str((await self._api.read(_COMMENT, method, path, _GiteaComment, body)).id)

    async def set_status(self, sha: str, state: StatusState, description: str, *, url: str | None) -> None:
        """Set the status of a commit; the states have the names of Gitea."""
        body = {
            "state": "warning" if state is StatusState.NEUTRAL else state.value,
            "context": CONTEXT,
            "description": shorten(description, LONGEST_DESCRIPTION),
            "target_url": url or "",
        }
        await self._api.call(_STATUS, "POST", f"{self._root}/statuses/{segment(sha)}", body)

    async def pull_requests(self) -> Sequence[PullRequestEvent]:
        """Return the open pull requests, at most 1,000; the last changed ones first."""
        path = f"{self._root}/pulls?state=open&sort=recentupdate"
        rows = self._api.pages(_PULL_REQUESTS, path, _GiteaPullRequest, most=MOST_PULL_REQUESTS, size=_SIZE)
        return [row.event async for row in rows]

    async def _hooks(self) -> Sequence[RemoteHook]:
        rows = self._api.pages(_HOOK, f"{self._root}/hooks", _GiteaHook, most=1_000, size=_SIZE)
        return [row.remote async for row in rows]

    async def _create_hook(self, url: str, secret: str) -> RemoteHook:
        body = {"type": "gitea", **_hook(url, secret)}
        return (await self._api.read(_HOOK, "POST", f"{self._root}/hooks", _GiteaHook, body)).remote

    async def _change_hook(self, hook_id: str, url: str, secret: str) -> RemoteHook:
        # A webhook that is changed keeps its secret (`editHook` of Gitea), so a new one takes its place.
        await self._api.call(_HOOK, "PATCH", f"{self._root}/hooks/{segment(hook_id)}", _hook(url, secret))
        created = await self._create_hook(url, secret)
        await self.remove_hook(hook_id)
        return created

    async def _delete_hook(self, hook_id: str) -> None:
        await self._api.call(_HOOK, "DELETE", f"{self._root}/hooks/{segment(hook_id)}")


def _hook(url: str, secret: str) -> dict[str, object]:
    config = {"url": url, "content_type": "json", "secret": secret}
    return {"active": True, "events": EVENTS, "branch_filter": "*", "config": config}
