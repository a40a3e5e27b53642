"""Jobs of connected databases: a scan, or a measurement of quality, recorded in a store of the worker.

A job has two stages: RESOLVE connects to the database, EXTRACT reads it and records the result. The ids of
runs and measurements are made of the job's, so a job that is resumed records nothing twice. A failed attempt
records nothing: its reason is that of the job.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from typing import Any

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.quality import (
    QualityLocation,
    QualityRequest,
    fail_conditions,
    measure_request,
    settings_of,
)
from recce_meta.api.quality_tables import TableSelection
from recce_meta.api.scan import ScanOptions, scan, without_store
from recce_meta.errors import (
    AuthenticationFailed,
    ConfigurationError,
    ConnectionFailed,
    DatabaseNotFound,
    RecceMetaError,
    StoreLocked,
    UsageError,
    WarehouseError,
    mask_errors,
    plural,
)
from recce_meta.extractors.database import ScanScope
from recce_meta.report.terminal import one_line
from recce_meta.repositories.extraction.databases import (
    CORRECT,
    MOST_CONNECTIONS,
    open_database,
    said_of,
    scope_of,
)
from recce_meta.repositories.extraction.workflow import JobRun, Result, StageFailed, StageFunction
from recce_meta.repositories.recording import TargetStores
from recce_meta.repositories.state.connections import read_secret
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import last_run
from recce_meta.repositories.state.projects import claim_project
from recce_meta.repositories.state.requests import secrets_in
from recce_meta.repositories.state.secrets import read_keys
from recce_meta.repositories.state.types import SCAN, RepositoryConnection, Stage, project_of, run_id_of_job

LOCK_SECONDS = 600.0
"""Time to wait for another process that writes to the store."""
_MOST_WARNINGS = 20
"""Lines in the log of a job about what could not be read."""
_NO_DATABASE = "3D000"
"""SQLSTATE of a database that does not exist."""
PROGRESS_SECONDS = 1.0
"""Least time between two lines about the progress of a job."""
Read = Callable[[UnifiedSqlAdapter, UnifiedSqlAdapter], dict[str, Any]]
"""Reads a database, the first adapter, and records in the store of the second adapter and the schema. Returns
the result of the stage with `warnings`: what could not be read."""


class DatabaseJobs:
    """Stages of jobs of databases that record in *stores*; *environ* is the environment of the service."""

    def __init__(self, state: State, stores: TargetStores, environ: Mapping[str, str]) -> None:
        self._state = state
        self._stores = stores
        self._environ = environ

    def stages(self, of_repositories: Mapping[Stage, StageFunction]) -> Mapping[Stage, StageFunction]:
        """Return the functions of all stages: those of *of_repositories* for jobs of repositories."""
        own: Mapping[Stage, StageFunction] = {Stage.RESOLVE: self._resolve, Stage.EXTRACT: self._extract}
        return {stage: partial(_chosen, own.get(stage), other) for stage, other in of_repositories.items()}

    async def _resolve(self, run: JobRun) -> Result:
        """Connect to the database."""
        database, url = await self._open(run.connection)
        with closing(database), mask_errors(lambda: secrets_in(url)):
            try:
                await asyncio.to_thread(database.connect)
            except WarehouseError as error:
                raise _failed(error, database) from None
        return {"next": Stage.EXTRACT.value, "message": f"connected to {database.place.address}"}

    async def _extract(self, run: JobRun) -> Result:
        """Scan or measure the database."""
        connection = run.connection
        # A run that another connection has recorded under this name must not be mixed with this one.
        await asyncio.to_thread(
            claim_project, self._state, connection, project_of(connection), connection.environment
        )
        database, url = await self._open(connection)
        work = self._scan if run.job.branch == SCAN else self._measure
        reading = _StoppableRead(database, work(run, _Progress(run)))
        with closing(database), mask_errors(lambda: secrets_in(url)):
            try:
                result = await self._stores.read(connection.store, reading, reading.stop)
            except WarehouseError as error:
                # A failure of the store, such as a full disk, is not one of the database.
                if isinstance(error, StoreLocked) or not database.place.has_raised(error):
                    raise
                raise _failed(error, database) from None
        for warning in result.pop("warnings")[:_MOST_WARNINGS]:
            await run.log(warning)
        return {"ends": True, **result}

    async def _open(self, connection: RepositoryConnection) -> tuple[UnifiedSqlAdapter, str | None]:
        assert connection.database is not None
        url = await asyncio.to_thread(stored_url, self._state, connection, self._environ)
        with mask_errors(lambda: secrets_in(url)):
            try:
                return await open_database(connection.database, url, self._environ), url
            except (ConfigurationError, UsageError) as error:
                raise StageFailed(
                    one_line(error.message), hint=error.hint or CORRECT, kind="database"
                ) from None

    def _scan(self, run: JobRun, progress: _Progress) -> Read:
        connection = run.connection

        def work(database: UnifiedSqlAdapter, store: UnifiedSqlAdapter) -> dict[str, Any]:
            options = ScanOptions(
                environment=connection.environment,
                project=project_of(connection),
                run_id=run_id_of_job(run.job.id),
                # The folder that the worker runs in says nothing about a database.
                git=None,
                keeps_failure=False,
            )
            scope = _scope(connection, database, store)
            report = scan(database, store=store, scope=scope, options=options, tell=progress)
            changes = 0 if report.diff is None else len(report.diff.changes)
            said = "first scan" if report.previous is None else plural(changes, "change")
            return {
                "run_id": report.run.run_id,
                "is_new": report.is_new,
                "counts": {
                    "objects": report.run.node_count,
                    "columns": report.counts.columns,
                    "dependencies": report.run.edge_count,
                },
                "message": f"{plural(report.run.node_count, 'object')}, {said}",
                "warnings": report.warnings,
            }

        return work

    def _measure(self, run: JobRun, progress: _Progress) -> Read:
        connection = run.connection
        scanned = last_run(self._state, connection.id, SCAN)

        def work(database: UnifiedSqlAdapter, store: UnifiedSqlAdapter) -> dict[str, Any]:
            scope = _scope(connection, database, store)
            result = measure_request(
                QualityLocation(database=database, store=store, project=project_of(connection)),
                QualityRequest(
                    chosen=TableSelection(exclude=scope.exclude, scope=scope, may_be_empty=True),
                    run=scanned,
                    settings=settings_of(None),
                    fail_on=fail_conditions(connection.fail_on, None),
                    threads=MOST_CONNECTIONS,
                    quality_run_id=run_id_of_job(run.job.id),
                    keeps_failure=False,
                ),
                progress,
            )
            measured = result.quality.run
            if measured.reason is not None:
                raise StageFailed(
                    measured.reason, hint="see the rights of its user: connection test", kind="database"
                )
            measured_count = measured.table_count - measured.failed_count
            score = "" if measured.score is None else f", score {measured.score:.0f}"
            failed = f", {plural(measured.failed_count, 'table')} failed" if measured.failed_count else ""
            unmeasured = [f"{one.name}: {one.reason}" for one in result.quality.tables if one.reason]
            found = [one.message for one in result.violations]
            issues = f", {plural(len(found), 'condition')} met" if found else ""
            return {
                "run_id": measured.run_id,
                "is_new": True,
                "counts": {
                    "objects": measured.table_count,
                    "issues": measured.failed_count + len(result.violations),
                },
                "message": f"{plural(measured_count, 'table')} measured{score}{failed}{issues}",
                "warnings": (*found, *unmeasured, *result.notes),
            }

        return work


def stored_url(state: State, connection: RepositoryConnection, environ: Mapping[str, str]) -> str | None:
    """Return the stored URL of a database; None if it has none. Raises ConfigurationError without its key."""
    options = connection.database
    if options is None or not options.has_url:
        return None
    return read_secret(state, read_keys(environ, state), connection.id, "url")


async def _chosen(own: StageFunction | None, other: StageFunction, run: JobRun) -> Result:
    if run.connection.database is None:
        return await other(run)
    return {"is_skipped": True} if own is None else await own(run)


def _scope(
    connection: RepositoryConnection, database: UnifiedSqlAdapter, store: UnifiedSqlAdapter
) -> ScanScope:
    assert connection.database is not None
    scope = scope_of(connection.database)
    return without_store(scope, database, store)


class _StoppableRead:
    """Work on a database and a store in a thread, which can be stopped."""

    def __init__(self, database: UnifiedSqlAdapter, work: Read) -> None:
        self._database = database
        self._work = work
        self._store: UnifiedSqlAdapter | None = None
        self._is_stopped = False

    def __call__(self, adapter: UnifiedSqlAdapter) -> dict[str, Any]:
        """Do the work with a connection of its own to the store, which waits long for other writers."""
        if self._is_stopped:
            raise RecceMetaError("The job was stopped")
        with adapter.sibling(lock_timeout=LOCK_SECONDS) as store:
            self._store = store
            # One DuckDB file cannot be opened twice with different settings in one process.
            database = store if store.place.reaches_same(self._database.place) else self._database
            return self._work(database, store)

    def stop(self) -> None:
        """Stop the running statement; the work then ends with its error."""
        self._is_stopped = True
        self._database.cancel()
        if self._store is not None:
            self._store.cancel()


class _Progress:
    """Lines for the log of a job from the thread that does its work: at most one a second."""

    def __init__(self, run: JobRun) -> None:
        self._run = run
        self._loop = asyncio.get_running_loop()
        self._next = 0.0

    def __call__(self, message: str) -> None:
        """Add *message*, unless another one was added a moment ago."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + PROGRESS_SECONDS
            asyncio.run_coroutine_threadsafe(self._log(message), self._loop)

    async def _log(self, message: str) -> None:
        await self._run.log(message)


def _failed(error: WarehouseError, database: UnifiedSqlAdapter) -> StageFailed:
    """Return the failure of a stage because of *error* of *database*; one of the network is tried again."""
    # A wrong password that is tried again may lock its user out, and a missing database stays missing.
    is_final = isinstance(error, (AuthenticationFailed, DatabaseNotFound)) or error.code == _NO_DATABASE
    is_network = isinstance(error, ConnectionFailed) and database.place.server is not None and not is_final
    can_retry = error.retriable or is_network
    message, hint = said_of(error, database)
    return StageFailed(message, hint=hint, kind="database", can_retry=can_retry)
