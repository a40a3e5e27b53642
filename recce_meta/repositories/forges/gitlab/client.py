"""API of GitLab, on gitlab.com and on servers of one's own.

Sources in docs.gitlab.com: "Project webhooks API", "Notes API", "Commits API" (commit status), "Merge
requests API", "REST API" (pagination, namespaced paths), "Rate limits"; merge request 231325 of
gitlab-org/gitlab for `signing_token`, which older servers ignore.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

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
from recce_meta.repositories.forges.base import ForgeFailure, RemoteHook, StatusState
from recce_meta.repositories.forges.events import PREFIX
from recce_meta.repositories.state.types import PullRequestEvent

LONGEST_COMMENT = 900_000
"""GitLab refuses 1,000,000 characters."""
LONGEST_DESCRIPTION = 255
LONGEST_TARGET_URL = 255
EVENTS = ("push_events", "merge_requests_events")
_STATES: Mapping[StatusState, str] = {
    StatusState.PENDING: "pending",
    StatusState.SUCCESS: "success",
    StatusState.FAILURE: "failed",
    StatusState.ERROR: "failed",
    StatusState.NEUTRAL: "failed",
}
_SAME_STATE = "Cannot transition status via :enqueue from :pending"
_RIGHTS = ForgeRights(
    look=ForgeRight("read the project", "the scope read_api or api", is_hidden=True),
    hook=ForgeRight("set up the webhook", "the scope api and at least the role Maintainer"),
    comment=ForgeRight("write comments", "the scope api and at least the role Reporter"),
    status=ForgeRight(
        "set commit statuses",
        "the scope api and at least the role Developer; GitLab sets none on commits that are only in forks",
    ),
    pull_requests=ForgeRight("read merge requests", "the scope read_api or api", is_hidden=True),
)


class _GitLabProject(Struct, frozen=True):
    id: int


class _GitLabUser(Struct, frozen=True):
    id: int


class _GitLabNote(Struct, frozen=True):
    id: int
    body: str | None = None
    author: _GitLabUser | None = None
    system: bool = False


class _GitLabHook(Struct, frozen=True):
    id: int
    url: str
    push_events: bool = False
    merge_requests_events: bool = False
    alert_status: str = "executable"
    """Other values after repeated failures of deliveries."""

    @property
    def remote(self) -> RemoteHook:
        return RemoteHook(
            hook_id=str(self.id),
            url=self.url,
            events=tuple(name for name in EVENTS if getattr(self, name)),
            is_active=self.alert_status == "executable",
        )


class _GitLabMergeRequest(Struct, frozen=True):
    iid: int
    title: str
    web_url: str
    source_branch: str
    target_branch: str
    updated_at: datetime
    target_project_id: int
    source_project_id: int | None = None
    """None if the fork is deleted."""
    sha: str | None = None

    @property
    def event(self) -> PullRequestEvent:
        return PullRequestEvent(
            number=self.iid,
            title=self.title,
            url=self.web_url,
            base_branch=self.target_branch,
            head_branch=self.source_branch,
            head_sha=self.sha,
            is_fork=self.source_project_id != self.target_project_id,
            updated_at=utc(self.updated_at),
        )


class GitLabClient(RepositoryClient):
    """Client for one project."""

    rights = _RIGHTS
    hook = _GitLabHook

    def __init__(self, api: ForgeApi, repository: str) -> None:
        super().__init__(api, f"/projects/{segment(repository.strip('/'))}")
        self._user: _GitLabUser | None = None

    async def repository_id(self) -> str:
        """Return the id of the project, which stays when its path changes."""
        return str((await self._api.read(self.rights.look, "GET", self._root, _GitLabProject)).id)

    async def find_comment(self, number: int, marker: str) -> str | None:
        """Return the id of the oldest note of this login on a merge request that contains *marker*."""
        if self._user is None:
            self._user = await self._api.find_user(self.rights.look, _GitLabUser)
        path = f"{self._root}/merge_requests/{number}/notes?order_by=created_at&sort=asc"
        async for note in self._pages(self.rights.comment, path, _GitLabNote, most=MOST_COMMENTS):
            is_own = self._user is None or note.author == self._user
            if marker in (note.body or "") and is_own and not note.system:
                return str(note.id)
        return None

    async def write_comment(self, number: int, text: str, *, comment_id: str | None = None) -> str:
        """Change the note *comment_id*, or create one if it is None, and return its id."""
        method, path = "POST", f"{self._root}/merge_requests/{number}/notes"
        if comment_id is not None:
            method, path = "PUT", f"{path}/{segment(comment_id)}"
        body = {"body": cut_comment(text, LONGEST_COMMENT)}
        return str((await self._api.read(self.rights.comment, method, path, _GitLabNote, body)).id)

    async def set_status(self, sha: str, state: StatusState, description: str, *, url: str | None) -> None:
        """Set the status of a commit."""
        body = {
            "state": _STATES[state],
            "name": CONTEXT,
            "description": shorten(description, LONGEST_DESCRIPTION),
        }
        # A longer address would be refused, with the whole status.
        if url is not None and len(url) <= LONGEST_TARGET_URL:
            body["target_url"] = url
        try:
            await self._api.call(self.rights.status, "POST", f"{self._root}/statuses/{segment(sha)}", body)
        except ForgeFailure as error:
            # GitLab refuses the state that the commit has already.
            if _SAME_STATE not in error.message:
                raise

    async def pull_requests(self) -> Sequence[PullRequestEvent]:
        """Return the open merge requests, at most 1,000; the last changed ones first."""
        path = f"{self._root}/merge_requests?state=opened&order_by=updated_at&sort=desc"
        rows = self._pages(self.rights.pull_requests, path, _GitLabMergeRequest, most=MOST_PULL_REQUESTS)
        return [row.event async for row in rows]

    def _hook(self, url: str, secret: str) -> dict[str, object]:
        signing = {"signing_token": secret} if secret.startswith(PREFIX) else {}
        return {
            "url": url,
            "token": secret,
            **signing,
            "push_events": True,
            "merge_requests_events": True,
            "tag_push_events": False,
            "enable_ssl_verification": True,
        }
