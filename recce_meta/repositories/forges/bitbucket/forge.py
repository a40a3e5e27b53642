"""Facts about Bitbucket Cloud, its deliveries, and pushes of Bitbucket Data Center.

https://support.atlassian.com/bitbucket-cloud/docs/event-payloads
https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html
"""

from __future__ import annotations

import re
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from recce_meta.repositories.forges.api import ForgeApi
from recce_meta.repositories.forges.base import ForgeClient
from recce_meta.repositories.forges.bitbucket.client import EVENTS, LONGEST_COMMENT, BitbucketClient
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
from recce_meta.repositories.forges.forge import Forge, Headers, HeadSource, HookForm
from recce_meta.repositories.git.address import RepositoryAddress
from recce_meta.repositories.git.client import HEADS
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.state.types import PullRequest, PullRequestEvent, PullRequestState

_PULL_REQUESTS = frozenset(
    f"pullrequest:{action}" for action in ("created", "updated", "fulfilled", "rejected")
)
_STATES = {
    "MERGED": PullRequestState.MERGED,
    "DECLINED": PullRequestState.CLOSED,
    "SUPERSEDED": PullRequestState.CLOSED,
}
MOST_CHANGES = 100
"""Changes of one push that are read."""


class _BucketLink(Struct, frozen=True):
    href: str | None = None


class _BucketLinks(Struct, frozen=True):
    html: _BucketLink | None = None
    clone: tuple[_BucketLink, ...] | None = None

    @property
    def page(self) -> str | None:
        return None if self.html is None else self.html.href


class _BucketRepository(Struct, frozen=True):
    uuid: str | None = None
    id: int | None = None
    """Id at Bitbucket Data Center."""
    links: _BucketLinks | None = None


class _BucketOfRepository(Struct, frozen=True):
    repository: _BucketRepository | None = None


class _BucketTarget(Struct, frozen=True):
    hash: str | None = None


class _BucketReference(Struct, frozen=True):
    type: str
    name: str
    target: _BucketTarget | None = None


class _BucketChange(Struct, frozen=True):
    new: _BucketReference | None = None
    old: _BucketReference | None = None


class _BucketPush(Struct, frozen=True):
    changes: tuple[_BucketChange, ...] = ()


class _BucketPushBody(Struct, frozen=True):
    push: _BucketPush


class _BucketServerReference(Struct, frozen=True):
    id: str


class _BucketServerChange(Struct, frozen=True):
    ref: _BucketServerReference
    type: str
    to_hash: str = field(name="toHash")


class _BucketServerPushBody(Struct, frozen=True):
    changes: tuple[_BucketServerChange, ...] = ()


class _BucketBranch(Struct, frozen=True):
    name: str


class _BucketSide(Struct, frozen=True):
    branch: _BucketBranch
    commit: _BucketTarget | None = None
    repository: _BucketRepository | None = None


class _BucketPullRequest(Struct, frozen=True):
    id: Number
    source: _BucketSide
    destination: _BucketSide
    title: str | None = None
    state: str | None = None
    links: _BucketLinks | None = None
    updated_on: str | None = None


class _BucketPullRequestBody(Struct, frozen=True):
    pullrequest: _BucketPullRequest


class Bitbucket(Forge):
    """bitbucket.org."""

    name = "bitbucket"
    title = "Bitbucket"
    hosts = re.compile(r"(?:.+\.)?bitbucket\.org|bitbucket\..+")
    token_user = "x-token-auth"
    longest_comment = LONGEST_COMMENT
    hook_events = EVENTS
    hook_form = HookForm(
        "/admin/webhooks",
        (
            "Secret: the one below",
            "Triggers: Repository push, and Pull request created, updated, merged and declined",
            "Press Save",
        ),
    )
    delivery_headers = ("x-request-uuid", "x-request-id")
    event_headers = ("x-event-key",)
    # https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks
    signature_headers = ("x-hub-signature",)
    signature_prefix = "sha256="
    needed_rights = (
        "write the repository, pull requests and webhooks (repository:write, pullrequest:write, webhook)"
    )
    takes_users = True
    token_hint = "; Bitbucket takes access tokens of a repository as TOKEN, and API tokens as EMAIL:TOKEN"
    address_hint = "; Bitbucket Data Center is not supported"

    def api_base(self, address: RepositoryAddress) -> str:
        """Return the address of the API of the server of a repository."""
        is_cloud = address.host in ("bitbucket.org", "www.bitbucket.org")
        server = replace(address, host="api.bitbucket.org").server if is_cloud else address.server
        return f"{server}/2.0"

    def client(self, api: ForgeApi, address: RepositoryAddress, *, app: str | None) -> ForgeClient:
        """Return a client for the repository at *address*."""
        return BitbucketClient(api, address.repository, server=address.server)

    def head_source(self, request: PullRequest) -> HeadSource:
        """Return the branch of a pull request, in the fork if it is of one: it has no other reference."""
        if request.is_fork and request.head_url is None:
            raise GitFailure(
                GitFailureKind.BRANCH,
                f"The fork of pull request {request.number} is not known",
                hint="it may be deleted or private; push the branch to the repository itself",
            )
        return HeadSource(f"{HEADS}{request.head_branch}", request.head_url if request.is_fork else None)

    def repository_of(self, body: bytes) -> SentRepository:
        """Return the repository of a delivery. Raises MalformedDelivery."""
        found = decode(body, _BucketOfRepository).repository or _BucketRepository()
        links = found.links or _BucketLinks()
        addresses = [links.page, *(one.href for one in links.clone or ())]
        number = found.uuid if found.id is None else str(found.id)
        return SentRepository(number, tuple(filter(None, addresses)))

    def read(self, headers: Headers, body: bytes, now: datetime) -> tuple[Event, ...]:
        """Return the events of a delivery. Raises MalformedDelivery."""
        name = self.event_name(headers)
        if name == "diagnostics:ping":
            return (Ping(),)
        if name == "repo:push":
            changes = decode(body, _BucketPushBody).push.changes
            return tuple(_pushed(one) for one in changes[:MOST_CHANGES]) or (
                Ignored("the push has no change"),
            )
        if name == "repo:refs_changed":
            moved = decode(body, _BucketServerPushBody).changes[:MOST_CHANGES]
            found = (push_of(one.ref.id, one.to_hash, is_deleted=one.type == "DELETE") for one in moved)
            return tuple(found) or (Ignored("the push has no change"),)
        if name in _PULL_REQUESTS:
            return (_pull_request(name, decode(body, _BucketPullRequestBody).pullrequest, now),)
        return (Ignored(f"the event {shown(name) or 'without a name'} is not used"),)


def _pushed(change: _BucketChange) -> Event:
    reference = change.new or change.old
    if reference is None:
        return Ignored("the change names no branch")
    kind = "heads" if reference.type == "branch" else "tags"
    sha = change.new.target.hash if change.new is not None and change.new.target is not None else None
    return push_of(f"refs/{kind}/{reference.name}", sha or "", is_deleted=change.new is None)


def _pull_request(name: str, found: _BucketPullRequest, now: datetime) -> Event:
    source, own = found.source.repository, found.destination.repository
    # The repository of a fork that was deleted is missing.
    is_fork = source is None or own is None or source.uuid != own.uuid
    return pull_request_of(
        name.partition(":")[2],
        PullRequestEvent(
            number=found.id,
            title=found.title or "",
            url=None if found.links is None else found.links.page,
            state=_STATES.get(found.state or "", PullRequestState.OPEN),
            base_branch=found.destination.branch.name,
            head_branch=found.source.branch.name,
            head_sha=None if found.source.commit is None else found.source.commit.hash,
            is_fork=is_fork,
            # Bitbucket gives the head of a fork no reference in the repository itself.
            head_url=source.links.page if is_fork and source is not None and source.links else None,
            updated_at=time_of(found.updated_on, now),
        ),
    )
