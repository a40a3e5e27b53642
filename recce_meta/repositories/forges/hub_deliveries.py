"""Deliveries of GitHub, and of Gitea and Forgejo, whose bodies have the same form.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
https://docs.gitea.com/usage/webhooks
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from recce_meta.repositories.forges.events import (
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
from recce_meta.repositories.state.types import PullRequestEvent, PullRequestState

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


def read(name: str, body: bytes, now: datetime) -> tuple[Event, ...]:
    """Return the events of a delivery whose event is *name*. Raises MalformedDelivery."""
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
