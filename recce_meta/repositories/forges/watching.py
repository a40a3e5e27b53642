"""Open pull requests of a connection, read with each poll: the net under deliveries that got lost."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone

import msgspec

from recce_meta.errors import RecceMetaError, UnknownNameError, first_line
from recce_meta.models.run import Trigger
from recce_meta.repositories.forges.base import ForgeFailure
from recce_meta.repositories.forges.open import open_forge
from recce_meta.repositories.login import Logins
from recce_meta.repositories.polling import may_try_again
from recce_meta.repositories.state.connections import get_connection, last_commits, update_connection
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.pull_requests import list_pull_requests, note_pull_request
from recce_meta.repositories.state.types import (
    PullRequest,
    PullRequestEvent,
    PullRequestState,
    RepositoryConnection,
)

MOST = 1_000
"""Number of pull requests that a forge lists; a longer list does not show which ones are closed."""
UNLISTED = "Pull requests cannot be listed: "
"""Beginning of the errors that the next call may remove."""
_EVENT_FIELDS = PullRequestEvent.__struct_fields__

log = logging.getLogger(__name__)


class PullRequestWatch:
    """Reads the open pull requests of a connection each time it is called.

    *environ* is the environment of the service.
    """

    def __init__(self, state: State, logins: Logins, environ: Mapping[str, str]) -> None:
        self._state = state
        self._logins = logins
        self._environ = environ
        self._quiet: dict[str, datetime] = {}
        """Connections whose forge asked for fewer requests, and until when they are skipped."""
        self._missing: dict[str, frozenset[int]] = {}
        """Open pull requests that the last list of a connection did not have."""

    async def __call__(self, connection: RepositoryConnection) -> None:
        """Note what has changed since the last call; a failure is stored in the connection."""
        has_token = connection.has_token or connection.token_env or connection.github_app
        if not (connection.watches_pull_requests and has_token) or connection.is_upload_only:
            return
        now = datetime.now(timezone.utc)
        if self._quiet.get(connection.id, now) > now:
            return
        try:
            client = await open_forge(connection, self._logins, self._environ)
            if client is None:
                return
            # Before the list: one that is opened after it must not be taken for closed.
            stored = await asyncio.to_thread(
                list_pull_requests, self._state, connection.id, is_open=True, limit=10 * MOST
            )
            listed = await client.pull_requests()
            await asyncio.to_thread(self._note, connection, stored, listed, now)
            await asyncio.to_thread(self._set_error, connection, None)
        except UnknownNameError:
            pass  # the connection was removed meanwhile
        except RecceMetaError as error:
            if isinstance(error, ForgeFailure) and error.retry_after is not None:
                self._quiet[connection.id] = now + timedelta(seconds=error.retry_after)
            scrub = self._logins.scrubber(connection).scrub
            await asyncio.to_thread(self._set_error, connection, scrub(f"{UNLISTED}{error.message}"))

    def _note(
        self,
        connection: RepositoryConnection,
        stored: Sequence[PullRequest],
        listed: Sequence[PullRequestEvent],
        now: datetime,
    ) -> None:
        known = {one.number: one for one in stored}
        commits = last_commits(self._state, [connection.id])
        # As for deliveries: with another base, nothing here is compared, and a stored one is closed.
        followed = [event for event in listed if event.base_branch in connection.branches]
        for event in followed:
            before = known.get(event.number)
            # A new connection must not comment on all pull requests that it finds.
            if before is None and event.updated_at < connection.created_at:
                continue
            labels = () if before is None else (before.head_label, before.base_label)
            last = [commits[connection.id, label] for label in labels if (connection.id, label) in commits]
            is_waiting = any(one.failure and not may_try_again(one, connection, now) for one in last)
            if before is None or _event_of(before) != event or not is_waiting:
                self._note_one(connection, event)
        if len(listed) < MOST:
            self._close(connection, known, frozenset(known) - {event.number for event in followed})

    def _close(
        self, connection: RepositoryConnection, known: Mapping[int, PullRequest], missing: frozenset[int]
    ) -> None:
        """Close what two lists in succession lack: the pages of one may shift while it is read."""
        for number in missing & self._missing.get(connection.id, frozenset()):
            # With the stored time, so that any newer event counts more.
            closed = msgspec.structs.replace(_event_of(known[number]), state=PullRequestState.CLOSED)
            self._note_one(connection, closed)
        self._missing[connection.id] = missing

    def _note_one(self, connection: RepositoryConnection, event: PullRequestEvent) -> None:
        note_pull_request(self._state, connection, event, trigger=Trigger.POLL, requested_by="poll")

    def _set_error(self, connection: RepositoryConnection, error: str | None) -> None:
        """Store *error* in the connection, unless it has an error of a comment or of a webhook."""
        shown = get_connection(self._state, connection.id).forge_error
        if shown == error or (shown is not None and not shown.startswith(UNLISTED)):
            return
        update_connection(self._state, connection.id, forge_error=error)
        if error is not None:
            log.warning("connection %s: %s", connection.name, first_line(error))


def _event_of(stored: PullRequest) -> PullRequestEvent:
    return PullRequestEvent(**{name: getattr(stored, name) for name in _EVENT_FIELDS})
