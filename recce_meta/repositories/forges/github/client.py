"""API of GitHub, of GitHub Enterprise Cloud with data residency (ghe.com) and of GitHub Enterprise Server.

Sources in docs.github.com: "REST API endpoints for repository webhooks", "… for issue comments", "… for
commit statuses", "… for pull requests", "Permissions required for fine-grained personal access tokens",
"Rate limits for the REST API", "Troubleshooting the REST API" (404 in place of 403).
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from recce_meta.repositories.forges.api import ForgeRight, ForgeRights, utc
from recce_meta.repositories.forges.base import StatusState
from recce_meta.repositories.forges.hub_client import HubClient, HubObject
from recce_meta.repositories.state.types import PullRequestEvent

EVENTS = ("push", "pull_request")
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_RIGHTS = ForgeRights(
    look=ForgeRight("read the repository", "the permission Metadata: read", is_hidden=True),
    hook=ForgeRight(
        "set up the webhook",
        "the permission Webhooks: read and write (classic tokens: the scope admin:repo_hook)",
        is_hidden=True,
    ),
    comment=ForgeRight(
        "write comments", "the permission Pull requests: read and write (classic tokens: the scope repo)"
    ),
    status=ForgeRight(
        "set commit statuses",
        "the permission Commit statuses: read and write (classic tokens: the scope repo:status)",
        is_hidden=True,
    ),
    pull_requests=ForgeRight(
        "read pull requests",
        "the permission Pull requests: read (classic tokens: the scope repo)",
        is_hidden=True,
    ),
)


class _GitHubBranch(Struct, frozen=True):
    ref: str
    sha: str
    repo: HubObject | None = None
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


class GitHubClient(HubClient):
    """Client for one repository."""

    rights = _RIGHTS
    longest_description = 140
    new_hook = (("name", "web"),)
    order = "sort=updated&direction=desc"
    neutral = StatusState.ERROR.value
    no_url = None
    pull_request = _GitHubPullRequest

    def _hook(self, url: str, secret: str) -> dict[str, object]:
        # The whole configuration: a change without the secret would remove it.
        config = {"url": url, "content_type": "json", "secret": secret, "insecure_ssl": "0"}
        return {"active": True, "events": EVENTS, "config": config}
