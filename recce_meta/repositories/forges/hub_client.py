"""The part of the API of GitHub that Gitea and Forgejo have as well, with the same shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from msgspec import Struct

from recce_meta.errors import shorten
from recce_meta.repositories.forges.api import (
    CONTEXT,
    MOST_COMMENTS,
    MOST_PULL_REQUESTS,
    ForgeApi,
    RepositoryClient,
    cut_comment,
    segment,
)
from recce_meta.repositories.forges.base import RemoteHook, StatusState
from recce_meta.repositories.state.types import PullRequestEvent

LONGEST_COMMENT = 65_000
"""GitHub refuses 65,536 characters; some of them count twice."""


class HubObject(Struct, frozen=True):
    """A repository or a user."""

    id: int


class HubApp(Struct, frozen=True):
    """The GitHub App that wrote a comment."""

    id: int
    client_id: str | None = None


class HubComment(Struct, frozen=True):
    """A comment on an issue or a pull request."""

    id: int
    body: str | None = None
    user: HubObject | None = None
    performed_via_github_app: HubApp | None = None


class _HubHookConfig(Struct, frozen=True):
    url: str = ""


class HubHook(Struct, frozen=True):
    """A webhook."""

    id: int
    config: _HubHookConfig
    events: tuple[str, ...] = ()
    active: bool = True

    @property
    def remote(self) -> RemoteHook:
        """The webhook as every forge has it."""
        return RemoteHook(
            hook_id=str(self.id), url=self.config.url, events=self.events, is_active=self.active
        )


class HubPullRequest(Protocol):
    """Shape of a pull request, which each forge has its own of."""

    @property
    def event(self) -> PullRequestEvent:
        """The pull request as every forge has it."""


class HubClient(RepositoryClient):
    """Client for one repository. *app* is the id of the GitHub App whose token *api* uses, if any."""

    hook = HubHook
    hook_change = "PATCH"
    longest_description: ClassVar[int]
    order: ClassVar[str]
    """Parameters for the last changed pull requests first."""
    neutral: ClassVar[str]
    """State of a commit that was compared without dbt."""
    no_url: ClassVar[str | None]
    """Address of a status without one."""
    pull_request: ClassVar[type[HubPullRequest]]

    def __init__(self, api: ForgeApi, repository: str, *, app: str | None = None) -> None:
        super().__init__(api, f"/repos{repository}")
        self._app = app
        self._user: HubObject | None = None

    async def repository_id(self) -> str:
        """Return the id of the repository, which stays when its name changes."""
        return str((await self._api.read(self.rights.look, "GET", self._root, HubObject)).id)

    async def find_comment(self, number: int, marker: str) -> str | None:
        """Return the id of the oldest comment of this login on a pull request that contains *marker*."""
        # Tokens of apps have no user.
        if self._app is None and self._user is None:
            self._user = await self._api.find_user(self.rights.look, HubObject)
        path = f"{self._root}/issues/{number}/comments"
        async for comment in self._pages(self.rights.comment, path, HubComment, most=MOST_COMMENTS):
            if marker in (comment.body or "") and self._is_own(comment):
                return str(comment.id)
        return None

    def _is_own(self, comment: HubComment) -> bool:
        if self._app is not None:
            via = comment.performed_via_github_app
            return via is not None and self._app in (str(via.id), via.client_id)
        return self._user is None or comment.user == self._user

    async def write_comment(self, number: int, text: str, *, comment_id: str | None = None) -> str:
        """Change the comment *comment_id*, or create one if it is None, and return its id."""
        method, path = "POST", f"{self._root}/issues/{number}/comments"
        if comment_id is not None:
            method, path = "PATCH", f"{self._root}/issues/comments/{segment(comment_id)}"
        body = {"body": cut_comment(text, LONGEST_COMMENT)}
        return str((await self._api.read(self.rights.comment, method, path, HubComment, body)).id)

    async def set_status(self, sha: str, state: StatusState, description: str, *, url: str | None) -> None:
        """Set the status of a commit; the states have the names of the forge."""
        body = {
            "state": self.neutral if state is StatusState.NEUTRAL else state.value,
            "context": CONTEXT,
            "description": shorten(description, self.longest_description),
            "target_url": url or self.no_url,
        }
        await self._api.call(self.rights.status, "POST", f"{self._root}/statuses/{segment(sha)}", body)

    async def pull_requests(self) -> Sequence[PullRequestEvent]:
        """Return the open pull requests, at most 1,000; the last changed ones first."""
        path, right = f"{self._root}/pulls?state=open&{self.order}", self.rights.pull_requests
        rows = self._pages(right, path, self.pull_request, most=MOST_PULL_REQUESTS)
        return [row.event async for row in rows]
