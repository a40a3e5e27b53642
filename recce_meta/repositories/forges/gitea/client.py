"""API of Gitea and of Forgejo, such as Codeberg.

Sources: "API Usage" and "OAuth2 Provider" (scopes) in docs.gitea.com, the API reference below `/api/swagger`
of each server, `routers/api/v1/utils/hook.go` and `services/convert/pull.go` in github.com/go-gitea/gitea.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from recce_meta.repositories.forges.api import ForgeRight, ForgeRights, utc
from recce_meta.repositories.forges.base import RemoteHook
from recce_meta.repositories.forges.hub_client import HubClient
from recce_meta.repositories.state.types import PullRequestEvent

EVENTS = ("push", "delete", "pull_request")
"""A deleted branch is an event of its own: Gitea sends no push for it."""
_RIGHTS = ForgeRights(
    look=ForgeRight("read the repository", "the scope read:repository", is_hidden=True),
    hook=ForgeRight(
        "set up the webhook", "the scope write:repository, of an administrator of the repository"
    ),
    comment=ForgeRight("write comments", "the scope write:issue"),
    status=ForgeRight("set commit statuses", "the scope write:repository"),
    pull_requests=ForgeRight("read pull requests", "the scope read:repository", is_hidden=True),
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


class GiteaClient(HubClient):
    """Client for one repository."""

    rights = _RIGHTS
    longest_description = 255
    size = "limit=50"  # servers give at most 50 rows by default
    new_hook = (("type", "gitea"),)
    order = "sort=recentupdate"
    neutral = "warning"
    no_url = ""
    pull_request = _GiteaPullRequest

    async def _change_hook(self, hook_id: str, url: str, secret: str) -> RemoteHook:
        # A webhook that is changed keeps its secret (`editHook` of Gitea), so a new one takes its place.
        await super()._change_hook(hook_id, url, secret)
        created = await self._create_hook(url, secret)
        await self.remove_hook(hook_id)
        return created

    def _hook(self, url: str, secret: str) -> dict[str, object]:
        config = {"url": url, "content_type": "json", "secret": secret}
        return {"active": True, "events": EVENTS, "branch_filter": "*", "config": config}
