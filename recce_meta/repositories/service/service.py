"""Operations on connections and jobs that the command line, the API and the pages share."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Collection, Mapping
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from recce_meta.errors import ConfigurationError, UnknownNameError, UsageError, mask_errors
from recce_meta.lazy import LazyModule
from recce_meta.models.run import Trigger
from recce_meta.repositories.forges.registry import parse_address
from recce_meta.repositories.git.address import AddressRules
from recce_meta.repositories.git.environment import GitLimits
from recce_meta.repositories.service.answers import (
    ActiveJob,
    AddedConnection,
    ConnectionAnswer,
    ConnectionTest,
    ExtractAnswer,
    active_job,
    connection_answer,
)
from recce_meta.repositories.service.deliveries import HookReceiver
from recce_meta.repositories.service.fields import (
    changed_fields,
    claiming_connection,
    has_new_login,
    new_connection,
    refuse_contradictions,
    request_of,
)
from recce_meta.repositories.service.jobs import ConnectionJobs
from recce_meta.repositories.service.webhooks import PUBLIC_URL, HookSetup, WebhookAnswer, run_in_thread
from recce_meta.repositories.state import connections, jobs, workers
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.projects import check_owner, follow_login, hand_over_project
from recce_meta.repositories.state.requests import (
    SECRET_FIELDS,
    Caller,
    ConnectionChange,
    NewConnection,
    check_request,
    given_secrets,
    refuse_owner_fields,
    refuse_untrusted,
    secrets_of,
)
from recce_meta.repositories.state.secrets import Keys, SecretField, read_keys
from recce_meta.repositories.state.tasks import repeat_reports
from recce_meta.repositories.state.types import RepositoryConnection, project_of

if TYPE_CHECKING:
    from recce_meta.repositories.notifications import sending
    from recce_meta.repositories.service import databases, probe
else:  # most operations test nothing
    probe = LazyModule("recce_meta.repositories.service.probe")
    databases = LazyModule("recce_meta.repositories.service.databases")
    sending = LazyModule("recce_meta.repositories.notifications.sending")

WORKER_SECONDS = 30.0
"""Age of the last heartbeat of a worker that still counts as running."""
CONCURRENT_TESTS = 2
"""Tests of connections that run at the same time: each may fetch gigabytes."""


class ConnectionNotFound(UnknownNameError):
    """No connection has this name or id."""


class ConnectionTestFailed(ConfigurationError):
    """The test of a new connection failed; `test` is its result."""

    def __init__(self, test: ConnectionTest) -> None:
        problem = next(check for check in test.checks if check.ok is False)
        super().__init__(f"{problem.name}: {problem.detail}", hint=problem.hint)
        self.test = test


class RepositoryService:
    """Connections and jobs in one state database."""

    def __init__(
        self,
        state: State,
        *,
        environ: Mapping[str, str],
        stores: Collection[str] | None = None,
        limits: GitLimits | None = None,
        work: Path | None = None,
    ) -> None:
        """Serve *state*; *environ* has the keys of secrets and the rules of addresses.

        *stores* are the names of the stores that connections may record runs in; None for any name. *limits*
        are those of the repositories that a test fetches. *work* is the work folder of the worker in this
        process; None without one.
        """
        self.state = state
        self.work = work
        self._environ = environ
        self._stores = stores
        self._limits = limits
        self._rules = AddressRules.read(environ)
        # Tests run in the server's process, outside of the queue that limits jobs.
        self._tests = asyncio.Semaphore(CONCURRENT_TESTS)
        self.key_file: Path | None = None
        """File of the key that encrypts secrets, once one was used."""
        self.public_url: str | None = environ.get(PUBLIC_URL) or None
        """Address of the server, which forges call."""
        self._only: str | None = None

    def limited_to(self, connection_id: str) -> RepositoryService:
        """Return this service for a caller that may know only one connection; others do not exist for it."""
        limited = copy(self)
        limited._only = connection_id
        return limited

    # Connections

    async def test(self, request: NewConnection, *, caller: Caller) -> ConnectionTest:
        """Test *request* without storing it: address, token, branch, dbt project, adapter.

        Raises UsageError for an invalid field.
        """
        self._check(request, caller)
        if (own := request.database) is not None:
            async with self._tests:
                return await probe.test_database(databases.new_options(own, caller), own.url, self._environ)
        return await self._tested(request)

    async def _tested(self, request: NewConnection) -> ConnectionTest:
        """Return the test of *request*, when few others are running."""
        async with self._tests:
            with mask_errors(lambda: secrets_of(request)):
                return await probe.test_connection(request, self._rules, self._environ, self._limits)

    async def test_stored(self, name: str) -> ConnectionTest:
        """Test the connection *name*, a name or an id, with its stored secret. Raises ConnectionNotFound."""
        connection = await asyncio.to_thread(self.find, name)
        if (database := connection.database) is not None:
            url = await asyncio.to_thread(self._secret, connection, "url")
            async with self._tests:
                return await probe.test_database(database, url, self._environ)
        return await self._tested(await asyncio.to_thread(self._as_request, connection))

    async def test_notifications(self, name: str) -> ConnectionTest:
        """Send a test to each address of notifications of the connection *name*.

        Raises ConnectionNotFound, UsageError for a connection without addresses, and NotificationFailed if
        the addresses cannot be read.
        """
        connection = await asyncio.to_thread(self.find, name)
        async with self._tests:
            checks = await sending.send_tests(self.state, self._environ, connection)
        return ConnectionTest(ok=all(check.ok for check in checks), checks=checks)

    async def add(
        self, request: NewConnection, *, caller: Caller, is_tested: bool = True, has_claim: bool = False
    ) -> AddedConnection:
        """Store a connection and request its first extractions; test it before unless *is_tested* is False.

        If it *has_claim*, its project is handed over to it. Raises UsageError for an invalid field or a used
        name, ConnectionTestFailed for a failed test, and OtherRepository if another one owns the project.
        """
        self._check(request, caller)
        refuse_untrusted(request.isolation, is_trusted=request.is_trusted)
        # A missing key or a used name is found before the test, which may fetch for minutes.
        keys = await asyncio.to_thread(self._keys_for, request)
        is_tested = is_tested and not request.is_upload_only
        found = await self.test(request, caller=caller) if is_tested else None
        if found is not None and not found.ok:
            raise ConnectionTestFailed(found)
        project = None if found is None else found.project
        if has_claim and project is None:
            hint = "leave out --no-test, or claim it later: recce-meta connection claim NAME PROJECT"
            raise UsageError("Only a test finds the project to claim", hint=hint)
        if found is not None and project is not None and not has_claim:
            claiming = claiming_connection(request, found, self._rules)
            await asyncio.to_thread(check_owner, self.state, claiming, project)
        added = await asyncio.to_thread(self._store, request, keys, found, caller)
        stored = await asyncio.to_thread(self.find, added.connection.id)
        if has_claim:
            await asyncio.to_thread(hand_over_project, self.state, stored, str(project))
        await self._hooks().connect(stored)
        return added

    def _keys_for(self, request: NewConnection) -> Keys | None:
        """Return the keys for the secrets of *request*, None without any.

        Raises UsageError for an invalid address or a used name.
        """
        if not request.is_upload_only and request.database is None:
            parse_address(request.repo_url, self._rules)
        if request.name is not None and any(one.name == request.name for one in self.list()):
            raise UsageError(f"A connection '{request.name}' exists", hint="choose another name")
        return self._keys() if given_secrets(request) else None

    def _store(
        self, request: NewConnection, keys: Keys | None, found: ConnectionTest | None, caller: Caller
    ) -> AddedConnection:
        """Store the connection of *request*, which was *found* to work, and request its first extractions."""
        used = [one.name for one in self.list()]
        connection = new_connection(request, found, caller=caller, rules=self._rules, used=used)
        given = given_secrets(request)
        connection = connections.add_connection(self.state, connection, keys=keys, secrets=given)
        # A first scan precedes the first measurement, and nothing is read of what is only uploaded.
        first = () if connection.is_upload_only else connection.branches
        first = first[:1] if connection.database is not None else first
        own = ConnectionJobs(self.state, connection)
        requested = [own.request(one, caller, Trigger.CONNECT) for one in first]
        return AddedConnection(connection=self.get(connection.id), test=found, jobs=requested)

    def list(self) -> list[ConnectionAnswer]:
        """Return all connections by name."""
        return [connection_answer(one) for one in self._connections()]

    def _connections(self) -> builtins.list[RepositoryConnection]:
        found = connections.list_connections(self.state)
        return found if self._only is None else [one for one in found if one.id == self._only]

    def get(self, name: str) -> ConnectionAnswer:
        """Return the connection *name*, a name or an id. Raises ConnectionNotFound."""
        return connection_answer(self.find(name))

    def set(self, name: str, change: ConnectionChange, *, caller: Caller) -> ConnectionAnswer:
        """Change fields of the connection *name*. Raises ConnectionNotFound, and UsageError for a field."""
        connection = self.find(name)
        if connection.database is not None:
            change = databases.about_database(change)
        self._check(change, caller)
        refuse_contradictions(connection, change)
        keys = self._keys() if given_secrets(change) else None
        fields, changed = changed_fields(connection, change, caller)
        now = connections.update_connection(self.state, connection.id, keys=keys, secrets=changed, **fields)
        follow_login(self.state, connection, now, project_of(now))
        if has_new_login(change):
            repeat_reports(self.state, connection.id)
        return self.get(connection.id)

    def claim(self, name: str, project: str, *, caller: Caller) -> ExtractAnswer | None:
        """Make the repository of the connection *name* the owner of *project*, and extract its main branch.

        Other repositories may no longer record the project in this store and environment. Returns the request
        for the extraction, None for a connection that is only uploaded to. Raises ConnectionNotFound.
        """
        connection = self.find(name)
        hand_over_project(self.state, connection, project)
        if connection.is_upload_only:
            return None
        return ConnectionJobs(self.state, connection).extract(caller=caller, is_forced=True)

    def rotate(self) -> int:
        """Encrypt all stored secrets with the first key again; return how many there are."""
        return connections.rotate_secrets(self.state, self._keys())

    def remove(self, name: str) -> ConnectionAnswer:
        """Cancel the jobs of the connection *name* and remove it with its secrets and history.

        Recorded runs stay in their store. Raises ConnectionNotFound.
        """
        connection = self.find(name)
        for job in jobs.active_jobs(self.state):
            if job.connection_id == connection.id:
                jobs.request_cancel(self.state, job.id)
        run_in_thread(self._hooks().remove(connection))
        connections.remove_connection(self.state, connection.id)
        return connection_answer(connection)

    # Webhooks

    def webhook(self, name: str) -> WebhookAnswer:
        """Return the webhook of a connection, without its secret. Raises ConnectionNotFound."""
        return self._hooks().answer(self.find(name))

    async def set_up_webhook(self, name: str, *, is_rotated: bool = False) -> WebhookAnswer:
        """Set up the webhook of a connection, or return the steps; see `HookSetup.set_up`.

        Raises ConnectionNotFound.
        """
        connection = await asyncio.to_thread(self.find, name)
        return await self._hooks().set_up(connection, is_rotated=is_rotated)

    def receiver(self) -> HookReceiver:
        """Return a receiver of the deliveries of forges."""
        return HookReceiver(self.state, self._environ)

    def _hooks(self) -> HookSetup:
        limits = self._limits or GitLimits()
        return HookSetup(self.state, self._environ, limits, self._keys, public_url=self.public_url)

    # Jobs

    def jobs_of(self, name: str) -> ConnectionJobs:
        """Return the jobs of the connection *name*, a name or an id. Raises ConnectionNotFound."""
        return ConnectionJobs(self.state, self.find(name))

    def active(self) -> builtins.list[ActiveJob]:
        """Return the jobs of all connections that wait or run, oldest first."""
        names = {one.id: one.name for one in self._connections()}
        found = (job for job in jobs.active_jobs(self.state) if self._only in (None, job.connection_id))
        return [active_job(job, names.get(job.connection_id, "")) for job in found]

    def has_worker(self) -> bool:
        """Return True if a worker runs."""
        stale = {one.name for one in workers.stale_workers(self.state, WORKER_SECONDS)}
        return any(one.name not in stale for one in workers.list_workers(self.state))

    def find(self, name: str) -> RepositoryConnection:
        """Return the connection *name*, a name or an id, as it is stored. Raises ConnectionNotFound."""
        try:
            found = connections.get_connection(self.state, name)
        except UnknownNameError as error:
            # A hint would name other connections.
            known = error.known if self._only is None else ()
            raise ConnectionNotFound(error.kind, error.name, known) from None
        if self._only not in (None, found.id):
            raise ConnectionNotFound("connection", name, ())
        return found

    def _check(self, request: NewConnection | ConnectionChange, caller: Caller) -> None:
        refuse_owner_fields(request, caller)
        with mask_errors(lambda: secrets_of(request)):
            # Errors quote the invalid value, and a user may have put a token into the wrong field.
            check_request(request, stores=self._stores)
            if request.database not in (None, UNSET):
                databases.check_database(request)

    def _keys(self) -> Keys:
        keys = read_keys(self._environ, self.state)
        self.key_file = keys.file
        return keys

    def _as_request(self, connection: RepositoryConnection) -> NewConnection:
        """Return the request that would add *connection*, with its secrets."""
        stored: dict[str, Any] = {
            name: self._secret(connection, field) for name, field in SECRET_FIELDS.items()
        }
        return request_of(connection, stored)

    def _secret(self, connection: RepositoryConnection, field: SecretField) -> str | None:
        # Without this look, a connection to a public repository would need a key in the environment.
        has_url = connection.database is not None and connection.database.has_url
        if not {"token": connection.has_token, "url": has_url}.get(field, connection.github_app):
            return None
        return connections.read_secret(self.state, self._keys(), connection.id, field)
