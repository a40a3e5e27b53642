"""Deliveries of GitLab: https://docs.gitlab.com/user/project/integrations/webhook_events"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from recce_meta.repositories.types import PullRequestEvent, PullRequestState
from recce_meta.repositories.webhooks.events import (
    Event,
    Ignored,
    Number,
    SentRepository,
    decode,
    pull_request_of,
    push_of,
    shown,
    time_of,
)

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


def repository_of(body: bytes) -> SentRepository:
    """Return the project of a delivery. Raises MalformedDelivery."""
    found = decode(body, _LabOfProject)
    project = found.project or _LabProject()
    number = project.id if project.id is not None else found.project_id
    urls = tuple(filter(None, (project.web_url, project.git_http_url)))
    return SentRepository(None if number is None else str(number), urls)


def read_gitlab(headers: Mapping[str, str], body: bytes, now: datetime) -> tuple[Event, ...]:
    """Return the events of a delivery. Raises MalformedDelivery."""
    kind = decode(body, _LabKind).object_kind or ""
    if kind == "push":
        push = decode(body, _LabPushBody)
        return (push_of(push.ref, push.after or ""),)
    if kind == "merge_request":
        return (_merge_request(decode(body, _LabMergeRequestBody), now),)
    return (Ignored(f"the event {shown(kind) or 'without a name'} is not used"),)


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
