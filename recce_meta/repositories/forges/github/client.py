"""API of GitHub, of GitHub Enterprise Cloud with data residency (ghe.com) and of GitHub Enterprise Server.

Sources in docs.github.com: "REST API endpoints for repository webhooks", "… for issue comments", "… for
commit statuses", "… for pull requests", "Permissions required for fine-grained personal access tokens",
"Rate limits for the REST API", "Troubleshooting the REST API" (404 in place of 403).
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
from recce_meta.repositories.forges.base import ForgeFailure, ForgeFailureKind, RemoteHook, StatusState
from recce_meta.repositories.state.types import PullRequestEvent

LONGEST_COMMENT = 65_000
"""GitHub refuses 65,536 characters; some of them count twice."""
LONGEST_DESCRIPTION = 140
EVENTS = ("push", "pull_request")
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_LOOK = ForgeRight("read the repository", "the permission Metadata: read", is_hidden=True)
_HOOK = ForgeRight(
    "set up the webhook",
    "the permission Webhooks: read and write (classic tokens: the scope admin:repo_hook)",
    is_hidden=True,
)
_COMMENT = ForgeRight(
    "write comments", "the permission Pull requests: read and write (classic tokens: the scope repo)"
)
_STATUS = ForgeRight(
    "set commit statuses",
    "the permission Commit statuses: read and write (classic tokens: the scope repo:status)",
    is_hidden=True,
)
_PULL_REQUESTS = ForgeRight(
    "read pull requests",
    "the permission Pull requests: read (classic tokens: the scope repo)",
    is_hidden=True,
)


class _GitHubRepository(Struct, frozen=True):
    id: int


class _GitHubUser(Struct, frozen=True):
    id: int


class _GitHubAppName(Struct, frozen=True):
    id: int
    client_id: str | None = None


class _GitHubComment(Struct, frozen=True):
    id: int
    body: str | None = None
    user: _GitHubUser | None = None
    performed_via_github_app: _GitHubAppName | None = None


class _GitHubHookConfig(Struct, frozen=True):
    url: str = ""


class _GitHubHook(Struct, frozen=True):
    id: int
    config: _GitHubHookConfig
    events: tuple[str, ...] = ()
    active: bool = True

    @property
    def remote(self) -> RemoteHook:
        return RemoteHook(
            hook_id=str(self.id), url=self.config.url, events=self.events, is_active=self.active
        )


class _GitHubBranch(Struct, frozen=True):
    ref: str
    sha: str
    repo: _GitHubRepository | None = None
    """None if the fork is deleted."""


class _GitHubPullRequest(Struct, frozen=True):
    number: int
    title: str
    html_url: str
    updated_at: datetime
    base: _GitHubBranch
    head: _GitHubBranch

    @property
    def event(self) -> PullRequestEvent:
        return PullRequestEvent(
            number=self.number,
            title=self.title,
            url=self.html_url,
            base_branch=self.base.ref,
            head_branch=self.head.ref,
            head_sha=self.head.sha,
            is_fork=self.head.repo is None or self.head.repo != self.base.repo,
            updated_at=utc(self.updated_at),
        )


class GitHubClient(HookKeeper):
    """Client for one repository; *app* is the id of the GitHub App whose token *api* uses, if any."""

    def __init__(self, api: ForgeApi, repository: str, *, app: str | None = None) -> None:
        self._api = api
        self._root = f"/repos{repository}"
        self._app = app
        self._user: _GitHubUser | None = None

    async def repository_id(self) -> str:
        """Return the id of the repository, which stays when its name changes."""
        return str((await self._api.read(_LOOK, "GET", self._root, _GitHubRepository)).id)

    async def find_comment(self, number: int, marker: str) -> str | None:
        """Return the id of the oldest comment of this login on a pull request that contains *marker*."""
        await self._find_user()
        path = f"{self._root}/issues/{number}/comments"
        async for comment in self._api.pages(_COMMENT, path, _GitHubComment, most=MOST_COMMENTS):
            if marker in (comment.body or "") and self._is_own(comment):
                return str(comment.id)
        return None

    def _is_own(self, comment: _GitHubComment) -> bool:
        if self._app is not None:
            via = comment.performed_via_github_app
            return via is not None and self._app in (str(via.id), via.client_id)
        return self._user is None or comment.user == self._user

    async def _find_user(self) -> None:
        """Find the user of the token; tokens of apps have none."""
        if self._app is not None or self._user is not None:
            return
        try:
            self._user = await self._api.read(_LOOK.shown, "GET", "/user", _GitHubUser)
        except ForgeFailure as error:
            if error.kind not in (ForgeFailureKind.SCOPE, ForgeFailureKind.GONE):
                raise

    async def write_comment(self, number: int, text: str, *, comment_id: str | None = None) -> str:
        """Change the comment *comment_id*, or create one if it is None, and return its id."""
        method, path = "POST", f"{self._root}/issues/{number}/comments"
        if comment_id is not None:
            method, path = "PATCH", f"{self._root}/issues/comments/{segment(comment_id)}"
        body = {"body": cut_comment(text, LONGEST_COMMENT)}
        return str((await self._api.read(_COMMENT, method, path, _GitHubComment, body)).id)

    async def set_status(self, sha: str, state: StatusState, description: str, *, url: str | None) -> None:
        """Set the status of a commit; the states have the names of GitHub."""
        body = {
            "state": (StatusState.ERROR if state is StatusState.NEUTRAL else state).value,
            "context": CONTEXT,
            "description": shorten(description, LONGEST_DESCRIPTION),
            "target_url": url,
        }
        await self._api.call(_STATUS, "POST", f"{self._root}/statuses/{segment(sha)}", body)

    async def pull_requests(self) -> Sequence[PullRequestEvent]:
        """Return the open pull requests, at most 1,000; the last changed ones first."""
        path = f"{self._root}/pulls?state=open&sort=updated&direction=desc"
        rows = self._api.pages(_PULL_REQUESTS, path, _GitHubPullRequest, most=MOST_PULL_REQUESTS)
        return [row.event async for row in rows]

    async def _hooks(self) -> Sequence[RemoteHook]:
        rows = self._api.pages(_HOOK, f"{self._root}/hooks", _GitHubHook, most=1_000)
        return [row.remote async for row in rows]

    async def _create_hook(self, url: str, secret: str) -> RemoteHook:
        body = {"name": "web", **_hook(url, secret)}
        return (await self._api.read(_HOOK, "POST", f"{self._root}/hooks", _GitHubHook, body)).remote

    async def _change_hook(self, hook_id: str, url: str, secret: str) -> RemoteHook:
        path = f"{self._root}/hooks/{segment(hook_id)}"
        hook = await self._api.read(_HOOK.shown, "PATCH", path, _GitHubHook, _hook(url, secret))
        return hook.remote

    async def _delete_hook(self, hook_id: str) -> None:
        await self._api.call(_HOOK.shown, "DELETE", f"{self._root}/hooks/{segment(hook_id)}")


def _hook(url: str, secret: str) -> dict[str, object]:
    # The whole configuration: a change without the secret would remove it.
    config = {"url": url, "content_type": "json", "secret": secret, "insecure_ssl": "0"}
    return {"active": True, "events": EVENTS, "config": config}
