"""Receiving of deliveries: from headers and body to jobs, without belief in either before the signature.

A delivery that is not proven gets no reason: the sender must not learn which repositories are connected, or
how far a guess came. The same work is done for all of them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone

from msgspec import Struct

from recce_meta.errors import RecceMetaError, UnknownNameError
from recce_meta.repositories.forges.events import Delivery, SentRepository
from recce_meta.repositories.forges.registry import (
    first_proven,
    read_delivery,
    repository_key,
    repository_path,
    sent_repository,
)
from recce_meta.repositories.state.connections import get_connection
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.secrets import SecretField, read_keys, unseal
from recce_meta.repositories.state.types import ForgeName, RepositoryConnection, WebhookDelivery
from recce_meta.repositories.state.webhooks import (
    FORMER_SECRET,
    SECRET,
    HookCandidate,
    note_delivery,
    webhook_candidates,
)
from recce_meta.repositories.webhooks.effects import HookEffect, HookOutcome, apply_event

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
