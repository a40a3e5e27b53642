"""Facts about GitLab, and its deliveries.

https://docs.gitlab.com/user/project/integrations/webhook_events
"""

from __future__ import annotations

import re
from datetime import datetime

from msgspec import Struct

from recce_meta.repositories.forges.api import ForgeApi
from recce_meta.repositories.forges.base import ForgeClient
from recce_meta.repositories.forges.events import (
    Event,
    Ignored,
    Number,
    SentRepository,
    decode,
    is_equal,
    is_standard,
    pull_request_of,
    push_of,
    shown,
    time_of,
)
from recce_meta.repositories.forges.forge import Forge, Headers, HookForm
from recce_meta.repositories.forges.gitlab.client import EVENTS, LONGEST_COMMENT, GitLabClient
from recce_meta.repositories.git.address import RepositoryAddress
from recce_meta.repositories.state.types import PullRequestEvent, PullRequestState

_ACTIONS = frozenset(("open", "reopen", "close", "merge"))
_STATES = {"merged": PullRequestState.MERGED, "closed": PullRequestState.CLOSED}


class _LabProject(Struct, frozen=True):
    id: int | None = None
    web_url: str | None = None
    git_http_url: str | None = None


class _LabOfProject(Struct, frozen=True):
    project: _LabProject | None = None
    project_id: int | None = None


class _LabKind(Struct, frozen=True):
    object_kind: str | None = None


class _LabPushBody(Struct, frozen=True):
    ref: str
    after: str | None = None


class _LabCommit(Struct, frozen=True):
    id: str | None = None


class _LabMergeRequest(Struct, frozen=True):
    iid: Number
    source_branch: str
    target_branch: str
    source_project_id: int | None = None
    target_project_id: int | None = None
    title: str | None = None
    url: str | None = None
    state: str | None = None
    action: str | None = None
    oldrev: str | None = None
    """Commit before, if new commits were pushed."""
    last_commit: _LabCommit | None = None
    updated_at: str | None = None


class _LabChanges(Struct, frozen=True):
    target_branch: object = None


class _LabMergeRequestBody(Struct, frozen=True):
    object_attributes: _LabMergeRequest
    changes: _LabChanges | None = None


class GitLab(Forge):
    """gitlab.com, and servers of GitLab."""

    name = "gitlab"
    title = "GitLab"
    hosts = re.compile(r"(?:.+\.)?gitlab\.com|gitlab\..+")
    token_user = "oauth2"
    longest_comment = LONGEST_COMMENT
    hook_events = EVENTS
    hook_form = HookForm(
        "/-/hooks",
        (
            "Signing token, or Secret token if the form has no other: the secret below",
            "Trigger: Push events and Merge request events",
            "Press Add webhook",
        ),
    )
    delivery_headers = ("webhook-id", "idempotency-key", "x-gitlab-event-uuid")
    event_headers = ("x-gitlab-event",)
    needed_rights = "use the API (scope api) as a Maintainer of the project"
    head_reference = "refs/merge-requests/{number}/head"

    def api_base(self, address: RepositoryAddress) -> str:
        """Return the address of the API of the server of a project."""
        return f"{address.server}/api/v4"

    def client(self, api: ForgeApi, address: RepositoryAddress, *, app: str | None) -> ForgeClient:
        """Return a client for the project at *address*."""
        return GitLabClient(api, address.repository)

    def is_repository(self, path: str) -> bool:
        """Return True if *path* may be one of a project, which groups may contain."""
        return path.count("/") >= 2

    def path_hint(self, server: str, path: str) -> str | None:
        """Return what to enter if *path* is one of a page of a project."""
        project, mark, _ = path.partition("/-/")
        return f"use {server}{project}" if mark else None

    def repository_of(self, body: bytes) -> SentRepository:
        """Return the project of a delivery. Raises MalformedDelivery."""
        found = decode(body, _LabOfProject)
        project = found.project or _LabProject()
        number = project.id if project.id is not None else found.project_id
        urls = tuple(filter(None, (project.web_url, project.git_http_url)))
        return SentRepository(None if number is None else str(number), urls)

    def read(self, headers: Headers, body: bytes, now: datetime) -> tuple[Event, ...]:
        """Return the events of a delivery. Raises MalformedDelivery."""
        kind = decode(body, _LabKind).object_kind or ""
        if kind == "push":
            push = decode(body, _LabPushBody)
            return (push_of(push.ref, push.after or ""),)
        if kind == "merge_request":
            return (_merge_request(decode(body, _LabMergeRequestBody), now),)
        return (Ignored(f"the event {shown(kind) or 'without a name'} is not used"),)

    def is_signed(self, headers: Headers, body: bytes, secret: str, now: float) -> bool:
        """Return True if the delivery has the secret itself, or a signature of Standard Webhooks.

        https://docs.gitlab.com/user/project/integrations/webhooks
        """
        # Both are computed, so that the answer takes as long for a missing header as for a wrong one.
        has_signature = is_standard(headers, body, secret, now)
        has_secret = is_equal(headers.get("x-gitlab-token", ""), secret)
        # GitLab sends the token as well: it must not replace a signature that is wrong or too old.
        return has_signature if "webhook-signature" in headers else has_secret


def _merge_request(body: _LabMergeRequestBody, now: datetime) -> Event:
    found, changes = body.object_attributes, body.changes or _LabChanges()
    action = found.action or ""
    # Changes of the title, labels and reviewers are updates as well.
    has_commits = action == "update" and (found.oldrev is not None or changes.target_branch is not None)
    if action not in _ACTIONS and not has_commits:
        return Ignored(f"merge request {found.iid}: {shown(action) or 'the event'} changes no commit")
    source = found.source_project_id
    return pull_request_of(
        action,
        PullRequestEvent(
            number=found.iid,
            title=found.title or "",
            url=found.url,
            state=_STATES.get(found.state or "", PullRequestState.OPEN),
            base_branch=found.target_branch,
            head_branch=found.source_branch,
            head_sha=None if found.last_commit is None else found.last_commit.id,
            # The source is missing once the fork was deleted.
            is_fork=source is None or source != found.target_project_id,
            updated_at=time_of(found.updated_at, now),
        ),
    )
