"""Deliveries: from headers and body to jobs, stale branches and stored pull requests.

Neither headers nor body are believed before the signature. A delivery that is not proven gets no reason: the
sender must not learn which repositories are connected, or how far a guess came. The same work is done for all
of them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from enum import Enum
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.errors import RecceMetaError, UnknownNameError
from recce_meta.models.run import Trigger
from recce_meta.repositories.forges.events import Delivery, Event, Ignored, Ping, Push, SentRepository, shown
from recce_meta.repositories.forges.registry import (
    first_proven,
    read_delivery,
    repository_key,
    repository_path,
    sent_repository,
)
from recce_meta.repositories.state.connections import get_connection, postpone_poll
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import request_cancel, request_job
from recce_meta.repositories.state.pull_requests import get_pull_request, note_pull_request
from recce_meta.repositories.state.secrets import SecretField, read_keys, unseal
from recce_meta.repositories.state.types import (
    ForgeName,
    JobRequest,
    JobStatus,
    PullRequestEvent,
    PullRequestState,
    RepositoryConnection,
    WebhookDelivery,
)
from recce_meta.repositories.state.webhooks import (
    FORMER_SECRET,
    SECRET,
    HookCandidate,
    clear_stale,
    mark_stale,
    newest_job,
    note_delivery,
    webhook_candidates,
)

REQUESTED_BY = "webhook"


class HookOutcome(str, Enum):
    """What became of a delivery."""

    QUEUED = "queued"
    """A job waits or runs for it."""
    NOTED = "noted"
    """The state has changed, and no job is needed."""
    IGNORED = "ignored"
    PING = "ping"


class HookEffect(Struct, frozen=True, kw_only=True):
    """What one event has caused."""

    outcome: HookOutcome
    reason: str | None = None
    """Why no job was requested."""
    job_id: str | None = None


def apply_event(state: State, connection: RepositoryConnection, event: Event, now: datetime) -> HookEffect:
    """Store what *event* means for *connection*, and request its jobs.

    Raises UnknownNameError if the connection was removed meanwhile.
    """
    if isinstance(event, Ping):
        return HookEffect(outcome=HookOutcome.PING)
    if isinstance(event, Ignored):
        return _ignored(event.reason)
    if connection.is_upload_only:
        return _ignored(f"the runs of {connection.name} only come from uploads")
    if connection.is_paused:
        return _ignored(f"{connection.name} is paused")
    if isinstance(event, Push):
        return _push(state, connection, event, now)
    return _pull_request(state, connection, event.event)


def _push(state: State, connection: RepositoryConnection, push: Push, now: datetime) -> HookEffect:
    branch = push.branch
    if branch not in connection.branches:
        return _ignored(f"the branch {shown(branch)} is not followed")
    if push.sha is None:
        for job_id in mark_stale(state, connection.id, branch):
            request_cancel(state, job_id)
        # Deliveries arrive in any order: a look finds out if the branch exists again.
        postpone_poll(state, [connection.id], now)
        return HookEffect(
            outcome=HookOutcome.NOTED, reason=f"the branch {branch} was deleted: its environment is stale"
        )
    clear_stale(state, connection.id, [branch])
    newest = newest_job(state, connection.id, branch)
    # By commit and not by the id of the delivery: one that is sent again after a failure must be served.
    if newest is not None and newest.commit_sha == push.sha:
        is_done, is_running = newest.status is JobStatus.SUCCESS, newest.status is JobStatus.RUNNING
        # The head is known, so the next look can wait.
        if (is_done or is_running) and connection.poll_minutes is not None:
            postpone_poll(state, [connection.id], now + timedelta(minutes=connection.poll_minutes))
        if is_done:
            return _ignored(f"the commit {push.sha[:10]} of {branch} was extracted before")
        if is_running:
            return HookEffect(outcome=HookOutcome.QUEUED, job_id=newest.id)
    # Not with this commit: the job takes the head, which may be newer.
    requested = request_job(
        state, connection.id, JobRequest(branch=branch, trigger=Trigger.WEBHOOK, requested_by=REQUESTED_BY)
    )
    return HookEffect(outcome=HookOutcome.QUEUED, job_id=requested.job.id)


def _pull_request(state: State, connection: RepositoryConnection, sent: PullRequestEvent) -> HookEffect:
    event = replace(sent, head_url=_on_same_host(sent.head_url, connection.repo_url))
    name, is_open = f"pull request {event.number}", event.state is PullRequestState.OPEN
    if is_open and not connection.watches_pull_requests:
        return _ignored(f"pull requests of {connection.name} are not compared")
    if event.base_branch not in connection.branches:
        if not _is_stored(state, connection, event.number):
            return _ignored(f"{name}: its base branch {shown(event.base_branch)} is not followed")
        # It has another base now, which nothing here is compared with.
        event, is_open = replace(event, state=PullRequestState.CLOSED) if is_open else event, False
    requested = note_pull_request(
        state, connection, event, trigger=Trigger.WEBHOOK, requested_by=REQUESTED_BY
    )
    if requested:
        return HookEffect(outcome=HookOutcome.QUEUED, job_id=requested[0].job.id)
    reason = f"{name} needs no other job" if is_open else f"{name} is no longer compared"
    return HookEffect(outcome=HookOutcome.NOTED, reason=reason)


def _is_stored(state: State, connection: RepositoryConnection, number: int) -> bool:
    try:
        return get_pull_request(state, connection.id, number) is not None
    except UnknownNameError:
        return False


def _on_same_host(head_url: str | None, repo_url: str) -> str | None:
    """Return the address of a fork; None for one on another host than the repository."""
    if head_url is None or urlsplit(head_url).netloc.lower() != urlsplit(repo_url).netloc.lower():
        return None
    return head_url


def _ignored(reason: str) -> HookEffect:
    return HookEffect(outcome=HookOutcome.IGNORED, reason=reason)


_MOST_CACHED = 10_000
"""Secrets that are cached."""
_ORDER = (HookOutcome.QUEUED, HookOutcome.NOTED, HookOutcome.IGNORED, HookOutcome.PING)
"""Outcomes of several events; the first that occurs is that of the delivery."""

log = logging.getLogger(__name__)


class ReceivedDelivery(Struct, frozen=True, kw_only=True):
    """What became of a delivery, as it is answered."""

    status: HookOutcome
    reason: str | None = None
    """Why no job was requested."""
    job_id: str | None = None
    """The first requested job."""


class HookReceiver:
    """Receiver of the deliveries for the connections of one state; threads may share it."""

    def __init__(self, state: State, environ: Mapping[str, str]) -> None:
        """Receive deliveries for *state*; *environ* has the keys of secrets."""
        self._state = state
        self._environ = environ
        self._secrets: dict[str, str] = {}
        """Secrets by their sealed text, so that a new one is read without any notice."""
        self._refused: set[str] = set()
        """Sealed secrets that no key opens, which the log has."""

    def receive(
        self, forge: ForgeName, headers: Mapping[str, str], body: bytes, *, connection_id: str | None = None
    ) -> ReceivedDelivery | None:
        """Answer a delivery; None if it is not proven.

        The names in *headers* are in lower case. *connection_id* is the one in the address of the webhook;
        without it, the repository decides. Raises WarehouseError if the state cannot be used.
        """
        now = datetime.now(timezone.utc)
        # PostgreSQL refuses a NUL with an error, which would be another answer.
        is_possible = connection_id is None or connection_id.isprintable()
        candidates = webhook_candidates(self._state, forge, connection_id) if is_possible else []
        # Read in both cases, so that they take the same time.
        sent = sent_repository(forge, body)
        if connection_id is None:
            candidates = _of_repository(candidates, sent)
        proven = self._proven(forge, headers, body, candidates, now)
        if not proven:
            return None
        delivery = read_delivery(forge, headers, body, now)
        found = [self._apply(one, delivery, now, is_current=is_current) for one, is_current in proven]
        effects = [effect for effect in found if effect is not None]
        return _joined(effects) if effects else None

    def _proven(
        self,
        forge: ForgeName,
        headers: Mapping[str, str],
        body: bytes,
        candidates: Sequence[HookCandidate],
        now: datetime,
    ) -> list[tuple[HookCandidate, bool]]:
        """Return the candidates whose secret the delivery proves, and if it is their current one."""
        found = []
        for one in candidates:
            pair = (
                self._opened(one.connection_id, SECRET, one.secret),
                self._opened(one.connection_id, FORMER_SECRET, one.former_secret),
            )
            position = first_proven(forge, headers, body, pair, now=now.timestamp())
            if position is not None:
                found.append((one, position == 0))
        if not candidates:
            # The same work as for one candidate, whose time would otherwise show that it exists.
            first_proven(forge, headers, body, (None, None), now=now.timestamp())
        return found

    def _apply(
        self, candidate: HookCandidate, delivery: Delivery, now: datetime, *, is_current: bool
    ) -> HookEffect | None:
        """Store a proven delivery with its effects; None if the connection was removed meanwhile."""
        try:
            connection = get_connection(self._state, candidate.connection_id)
            effect = self._effect(connection, delivery, now)
            is_own = _is_own(connection, delivery.repository)
            note_delivery(
                self._state,
                WebhookDelivery(
                    connection_id=connection.id,
                    delivery_id=delivery.id,
                    event=delivery.name,
                    received_at=now,
                    outcome=effect.outcome.value,
                    reason=effect.reason,
                    job_id=effect.job_id,
                ),
                repository_id=delivery.repository.id if is_own else None,
                is_current=is_current,
            )
        except UnknownNameError:
            return None
        return effect

    def _effect(self, connection: RepositoryConnection, delivery: Delivery, now: datetime) -> HookEffect:
        # The webhook of a group or an organisation sends events of its other repositories, too.
        if not _is_own(connection, delivery.repository):
            return HookEffect(outcome=HookOutcome.IGNORED, reason="the delivery is about another repository")
        return _joined_effect([apply_event(self._state, connection, one, now) for one in delivery.events])

    def _opened(self, connection_id: str, field: SecretField, sealed: str | None) -> str | None:
        """Return a secret from memory if it was opened before; None if it cannot be opened."""
        if sealed is None:
            return None
        known = self._secrets.get(sealed)
        if known is not None:
            return known
        try:
            # Read for each new secret: another process may have added a key.
            keys = read_keys(self._environ, self._state)
            opened = unseal(keys, connection_id, field, sealed)
        except RecceMetaError as error:
            # The sender is not proven, so only the log has the reason; once, because anyone may send.
            if sealed not in self._refused:
                log.error("Deliveries for connection %s are refused: %s", connection_id, error.message)
            self._refused.add(sealed)
            return None
        if len(self._secrets) >= _MOST_CACHED:
            self._secrets.clear()
        self._secrets[sealed] = opened
        return opened


def _of_repository(candidates: Sequence[HookCandidate], sent: SentRepository) -> list[HookCandidate]:
    """Return the candidates of the repository *sent*, which is not proven yet."""
    keys = {key for key in map(repository_key, sent.urls) if key is not None}
    return [
        one
        for one in candidates
        if (sent.id is not None and one.repository_id == sent.id) or repository_key(one.repo_url) in keys
    ]


def _is_own(connection: RepositoryConnection, sent: SentRepository) -> bool:
    """Return True if the repository *sent* is that of *connection*; its name may have changed."""
    if connection.repository_id is not None and connection.repository_id == sent.id:
        return True
    # By owner and name alone: a forge behind a proxy may know itself by another host.
    path = repository_path(connection.repo_url)
    return path is not None and path in map(repository_path, sent.urls)


def _joined_effect(effects: Sequence[HookEffect]) -> HookEffect:
    """Return the effect of a delivery with several events."""
    outcome = min((effect.outcome for effect in effects), key=_ORDER.index)
    reasons = dict.fromkeys(effect.reason for effect in effects if effect.reason is not None)
    ids = [effect.job_id for effect in effects if effect.job_id is not None]
    return HookEffect(
        outcome=outcome, reason="; ".join(reasons)[:_LONGEST] or None, job_id=ids[0] if ids else None
    )


_LONGEST = 1_000


def _joined(effects: Sequence[HookEffect]) -> ReceivedDelivery:
    found = _joined_effect(effects)
    return ReceivedDelivery(status=found.outcome, reason=found.reason, job_id=found.job_id)
