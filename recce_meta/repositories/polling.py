"""Polling of connected repositories: their branches, and the open pull requests of each connection.

One `ls-remote` serves all connections of a repository with the same login, and a new head requests a job. The
list of pull requests is the net under deliveries that got lost. Intervals have a jitter, so that repositories
spread out; few repositories of one host are polled at the same time, and a host that asks for fewer requests
is left alone for that long.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from itertools import groupby
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from recce_meta.errors import RecceMetaError, UnknownNameError, first_line, first_of
from recce_meta.models.run import Trigger
from recce_meta.repositories.forges.base import ForgeFailure
from recce_meta.repositories.forges.login import ConnectionLogins
from recce_meta.repositories.forges.open import open_forge
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.state.connections import (
    LastCommit,
    due_connections,
    get_connection,
    last_commits,
    note_poll,
    polled_connections,
    postpone_poll,
    update_connection,
)
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import active_jobs, last_job, last_run, request_job
from recce_meta.repositories.state.pull_requests import list_pull_requests, note_pull_request
from recce_meta.repositories.state.types import (
    HEALING_FAILURES,
    QUALITY,
    SCAN,
    ExtractionJob,
    JobRequest,
    PullRequest,
    PullRequestEvent,
    PullRequestState,
    RepositoryConnection,
)
from recce_meta.repositories.state.webhooks import clear_stale, list_stale

LONGEST = timedelta(days=1)
"""Longest pause before a commit is extracted again that failed for a reason that may heal."""
_MOST_DOUBLINGS = 20


class PollSettings(Struct, frozen=True, kw_only=True):
    """Settings of polling."""

    seconds: float = 5
    """Pause between two looks for connections that are due."""
    jitter: float = 0.1
    """Largest share by which an interval is longer or shorter."""
    of_host: int = 2
    """Number of repositories of one host that are polled at the same time."""
    at_once: int = 10
    """Number of repositories that are polled at the same time."""
    failed_minutes: float = 60
    """Interval after a failure, if that of the connection is shorter and the failure does not heal."""


class Poller:
    """Polls the repositories that are due, each time it is called.

    *watch* is called for each connection whose branches were read; it raises no RecceMetaError.
    """

    def __init__(
        self,
        state: State,
        logins: ConnectionLogins,
        settings: PollSettings,
        *,
        watch: Callable[[RepositoryConnection], Awaitable[None]] | None = None,
    ) -> None:
        self._state = state
        self._watch = watch
        self._logins = logins
        self._settings = settings
        self._all = asyncio.Semaphore(settings.at_once)
        self._hosts: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(settings.of_host))
        self._quiet: dict[str, datetime] = {}
        """Hosts that asked for fewer requests, and until when they are left alone."""

    async def __call__(self) -> None:
        """Poll what is due, then pause."""
        found = await asyncio.to_thread(due_connections, self._state, datetime.now(timezone.utc))
        for one in [one for one in found if one.database is not None]:
            await asyncio.to_thread(self._request_due, one)
        found = [one for one in found if one.database is None]
        due = {_login(one) for one in found}
        # Those not due yet come along, so that one answer serves all and their times converge.
        siblings = await asyncio.to_thread(polled_connections, self._state, {one.repo_url for one in found})
        # `groupby` only joins neighbours, so the order has to be that of the key.
        groups = groupby(sorted(siblings, key=_login), key=_login)
        polled = [tuple(group) for login, group in groups if login in due]
        ended = await asyncio.gather(*map(self._poll, polled), return_exceptions=True)
        await asyncio.sleep(self._settings.seconds)
        for group, error in zip(polled, ended, strict=True):
            if error is not None:  # a defect, which must not ask the server again and again
                await self._postpone(group, datetime.now(timezone.utc) + self._pause(group))
        for error in filter(None, ended):
            raise error

    def _request_due(self, connection: RepositoryConnection) -> None:
        """Request the scan and the measurement of a database that are due, and note when the next one is."""
        now, next_at = datetime.now(timezone.utc), []
        intervals = intervals_of(connection)
        for name, minutes in intervals.items():
            last = last_job(self._state, connection.id, name)
            at = now if last is None else last.requested_at + timedelta(minutes=minutes)
            # The first measurement follows the first scan.
            if name == QUALITY and SCAN in intervals and last_run(self._state, connection.id, SCAN) is None:
                at = now + timedelta(minutes=1)
            elif at <= now:
                if last is None or last.status.is_over:
                    self._request(connection, name)
                at = now + self._pause_of(minutes)
            next_at.append(at)
        postpone_poll(self._state, [connection.id], min(next_at, default=now + LONGEST))

    def _request(self, connection: RepositoryConnection, name: str) -> None:
        request_job(
            self._state,
            connection.id,
            JobRequest(branch=name, trigger=Trigger.POLL, requested_by="schedule", source=connection.source),
        )

    async def _poll(self, group: Sequence[RepositoryConnection]) -> None:
        """Poll one repository for all its connections with the same login."""
        host = urlsplit(group[0].repo_url).netloc
        # The host first: a repository that waits for its host must not hold one of the common places.
        async with self._hosts[host], self._all:
            until = self._quiet.get(host)
            # Looked up after the wait, in which another repository of the host may have been refused.
            if until is not None and until > datetime.now(timezone.utc):
                await self._postpone(group, until)
                return
            try:
                client = await self._logins.client(group[0])
                heads = await client.heads({branch for one in group for branch in one.branches})
            except GitFailure as error:
                await self._fail(group, host, error)
            except RecceMetaError as error:
                await self._note(group, str(error), self._pause(group))
            else:
                await self._answer(group, heads)
                if self._watch is not None:
                    for one in group:
                        await self._watch(one)

    async def _fail(self, group: Sequence[RepositoryConnection], host: str, error: GitFailure) -> None:
        pause = self._pause(group)
        if error.retry_after is not None:
            pause = max(pause, timedelta(seconds=error.retry_after))
            self._quiet[host] = datetime.now(timezone.utc) + timedelta(seconds=error.retry_after)
        elif not error.can_retry:
            pause = max(pause, timedelta(minutes=self._settings.failed_minutes))
        # Only a person can heal these; other failures say nothing about login and address.
        is_disconnected = error.kind in (GitFailureKind.TOKEN, GitFailureKind.ADDRESS)
        await self._note(group, error.message, pause, is_disconnected=is_disconnected)

    async def _answer(self, group: Sequence[RepositoryConnection], heads: dict[str, str]) -> None:
        known = await asyncio.to_thread(last_commits, self._state, [one.id for one in group])
        # Read after the heads: a job that has no commit by then resolves this head or a newer one.
        active = await asyncio.to_thread(active_jobs, self._state)
        stale = await asyncio.to_thread(list_stale, self._state, [one.id for one in group])
        now = datetime.now(timezone.utc)
        pause = self._pause(group)
        for one in group:
            deleted = stale.get(one.id, set())
            # A webhook has reported their deletion, which is not a failure of the connection.
            gone = [branch for branch in one.branches if branch not in heads and branch not in deleted]
            if exist := deleted & heads.keys():
                await asyncio.to_thread(clear_stale, self._state, one.id, exist)
            error = f"Branch {first_of(gone, 3)} is gone" if gone else None
            for branch in set(one.branches) & heads.keys():
                last, head = known.get((one.id, branch)), heads[branch]
                is_known = last is not None and last.sha == head and not may_try_again(last, one, now)
                if not is_known and head not in _coming(active, one.id, branch, head):
                    await asyncio.to_thread(
                        request_job,
                        self._state,
                        one.id,
                        JobRequest(branch=branch, trigger=Trigger.POLL, requested_by="poll"),
                    )
            await asyncio.to_thread(note_poll, self._state, [one.id], now + pause, error)

    def _pause(self, group: Collection[RepositoryConnection]) -> timedelta:
        return self._pause_of(min(one.poll_minutes or 0 for one in group))

    def _pause_of(self, minutes: float) -> timedelta:
        return timedelta(
            minutes=minutes * random.uniform(1 - self._settings.jitter, 1 + self._settings.jitter)
        )

    async def _postpone(self, group: Sequence[RepositoryConnection], until: datetime) -> None:
        await asyncio.to_thread(postpone_poll, self._state, [one.id for one in group], until)

    async def _note(
        self,
        group: Sequence[RepositoryConnection],
        error: str | None,
        pause: timedelta,
        *,
        is_disconnected: bool = False,
    ) -> None:
        at, ids = datetime.now(timezone.utc) + pause, [one.id for one in group]
        await asyncio.to_thread(note_poll, self._state, ids, at, error, is_disconnected=is_disconnected)


def intervals_of(connection: RepositoryConnection) -> dict[str, float]:
    """Return the minutes between two scans and between two measurements of a database; never is left out."""
    options = connection.database
    found = {SCAN: connection.poll_minutes, QUALITY: None if options is None else options.quality_minutes}
    return {name: minutes for name, minutes in found.items() if minutes is not None}


def may_try_again(last: LastCommit, connection: RepositoryConnection, now: datetime) -> bool:
    """Return True if the last job of a commit failed, and the next attempt may succeed.

    The first attempt comes with the next look, and each pause is twice as long as the one before.
    """
    if last.failure not in HEALING_FAILURES:
        return False
    # Half an interval less: a look may come early.
    # The exponent is bounded: `timedelta` would overflow before `min` could cut it.
    intervals = 2 ** min(last.failures - 1, _MOST_DOUBLINGS) - 0.5
    return now >= last.ended_at + min(timedelta(minutes=(connection.poll_minutes or 0) * intervals), LONGEST)


def _coming(active: Sequence[ExtractionJob], connection_id: str, branch: str, head: str) -> Iterator[str]:
    """Yield the commits that jobs extract which wait or run; one that has no commit yet takes the head."""
    for job in active:
        if (job.connection_id, job.branch) == (connection_id, branch):
            yield job.commit_sha or head


def _login(connection: RepositoryConnection) -> tuple[str, str, str]:
    """Return what connections share that are polled together: the repository and the login.

    A connection with a secret of its own is polled alone: the secret of another one may be able to read
    branches that its secret cannot read.
    """
    if connection.github_app is None and connection.token_env is not None:
        return connection.repo_url, "variable", connection.token_env
    if connection.github_app is not None or connection.has_token:
        return connection.repo_url, "own secret", connection.id
    return connection.repo_url, "none", ""


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

    def __init__(self, state: State, logins: ConnectionLogins, environ: Mapping[str, str]) -> None:
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
