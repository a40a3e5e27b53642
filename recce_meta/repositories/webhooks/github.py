"""Deliveries of GitHub, and of Gitea and Forgejo, whose bodies have the same form.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
https://docs.gitea.com/usage/webhooks
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from recce_meta.repositories.types import PullRequestEvent, PullRequestState
from recce_meta.repositories.webhooks.events import (
    Event,
    Ignored,
    Number,
    Ping,
    SentRepository,
    decode,
    pull_request_of,
    push_of,
    shown,
    time_of,
)

_ACTIONS = frozenset(("opened", "reopened", "synchronize", "synchronized", "closed"))
"""Actions of pull requests that change commits or state; Gitea spells one of them differently."""


class _HubRepository(Struct, frozen=True):
    id: int | None = None
    html_url: str | None = None
    clone_url: str | None = None


class _HubOfRepository(Struct, frozen=True):
    repository: _HubRepository | None = None


class _HubPushBody(Struct, frozen=True):
    ref: str
    after: str | None = None
    deleted: bool | None = None


class _HubDeleteBody(Struct, frozen=True):
    ref: str
    ref_type: str


class _HubSide(Struct, frozen=True):
    ref: str
    sha: str | None = None
    repo: _HubRepository | None = None
    label: str | None = None
    """Gitea: the name that its author gave it."""


class _HubPullRequest(Struct, frozen=True):
    number: Number
    base: _HubSide
    head: _HubSide
    title: str | None = None
    html_url: str | None = None
    state: str | None = None
    merged: bool | None = None
    updated_at: str | None = None


class _HubChanges(Struct, frozen=True):
    base: object = None
    """GitHub: the branch before."""
    ref: object = None
    """Gitea: the branch before."""


class _HubPullRequestBody(Struct, frozen=True):
    action: str
    pull_request: _HubPullRequest
    changes: _HubChanges | None = None


def repository_of(body: bytes) -> SentRepository:
    """Return the repository of a delivery. Raises MalformedDelivery."""
    found = decode(body, _HubOfRepository).repository or _HubRepository()
    urls = tuple(filter(None, (found.html_url, found.clone_url)))
    return SentRepository(None if found.id is None else str(found.id), urls)


def read_github(headers: Mapping[str, str], body: bytes, now: datetime) -> tuple[Event, ...]:
    """Return the events of a delivery of GitHub. Raises MalformedDelivery."""
    return _read(headers.get("x-github-event", ""), body, now)


def read_gitea(headers: Mapping[str, str], body: bytes, now: datetime) -> tuple[Event, ...]:
    """Return the events of a delivery of Gitea or Forgejo. Raises MalformedDelivery."""
    name = gitea_event(headers)
    # Gitea sends no push when a branch is deleted.
    if name == "delete":
        deleted = decode(body, _HubDeleteBody)
        prefix = "refs/heads/" if deleted.ref_type == "branch" else "refs/tags/"
        ref = deleted.ref if deleted.ref.startswith("refs/") else prefix + deleted.ref
        return (push_of(ref, "", is_deleted=True),)
    return _read("pull_request" if name == "pull_request_sync" else name, body, now)


def gitea_event(headers: Mapping[str, str]) -> str:
    """Return the name of the event of a delivery of Gitea or Forgejo."""
    return headers.get("x-forgejo-event") or headers.get("x-gitea-event", "")


def _read(name: str, body: bytes, now: datetime) -> tuple[Event, ...]:
    if name == "ping":
        return (Ping(),)
    if name == "push":
        push = decode(body, _HubPushBody)
        return (push_of(push.ref, push.after or "", is_deleted=push.deleted is True),)
    if name == "pull_request":
        return (_pull_request(decode(body, _HubPullRequestBody), now),)
    return (Ignored(f"the event {shown(name) or 'without a name'} is not used"),)


def _pull_request(body: _HubPullRequestBody, now: datetime) -> Event:
    found, changes = body.pull_request, body.changes or _HubChanges()
    has_new_base = body.action == "edited" and (changes.base is not None or changes.ref is not None)
    if body.action not in _ACTIONS and not has_new_base:
        return Ignored(f"pull request {found.number}: {shown(body.action)} changes no commit")
    state = PullRequestState.OPEN
    if found.state == "closed":
        state = PullRequestState.MERGED if found.merged else PullRequestState.CLOSED
    # Gitea: a push to refs/for/BRANCH needs no right to write, and names the repository itself as its own.
    is_foreign = found.head.ref.startswith("refs/")
    label = found.head.label if is_foreign else None
    # A fork that was deleted has no repository any more.
    own = found.base.repo and found.base.repo.id
    is_fork = is_foreign or found.head.repo is None or own is None or found.head.repo.id != own
    return pull_request_of(
        body.action,
        PullRequestEvent(
            number=found.number,
            title=found.title or "",
            url=found.html_url,
            state=state,
            base_branch=found.base.ref,
            # The label of GitHub has a colon, which no branch has.
            head_branch=label if label and ":" not in label else found.head.ref,
            head_sha=found.head.sha,
            is_fork=is_fork,
            updated_at=time_of(found.updated_at, now),
        ),
    )
