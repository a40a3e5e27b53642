"""Upload of artifacts: received as a stream, read in a child process, recorded in the connection's store."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.record import check_name
from recce_meta.errors import DatabaseNotFound, RecceMetaError, StoreError, StoreNotFound
from recce_meta.models import Project, RunMetadata
from recce_meta.models.lineage import ColumnGraph, KnownColumns, first_warnings
from recce_meta.models.run import Extraction, ExtractionTier, Trigger
from recce_meta.repositories.extraction.claims import ProjectClaim
from recce_meta.repositories.extraction.manifest_reader import (
    Accuracy,
    ReadingRequest,
    ReadUpload,
    UploadDetails,
    read_upload,
)
from recce_meta.repositories.processes import Completed
from recce_meta.repositories.recording import object_counts
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.connections import note_outcome
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import add_event, finish_job
from recce_meta.repositories.state.projects import OtherRepository, owned_environments, owned_projects
from recce_meta.repositories.state.requests import check_branch, refuse_database
from recce_meta.repositories.state.types import (
    JobFigures,
    JobOutcome,
    JobStatus,
    RepositoryConnection,
    Stage,
    connection_environment_of,
)
from recce_meta.repositories.state.uploads import begin_upload, fail_upload, follow_upload, last_runs
from recce_meta.server.access.limits import ConnectionLimits, UploadLimits, upload_limits
from recce_meta.server.access.problems import (
    OtherEnvironment,
    OtherProject,
    UploadRefused,
)
from recce_meta.server.site.serving import Site
from recce_meta.server.stores.stores import Store
from recce_meta.store.read import run_by_id
from recce_meta.store.session import open_store
from recce_meta.store.write import RecordResult, record_run
from recce_meta.temporary import temporary_folder


class UploadExtraction(Struct, frozen=True, kw_only=True):
    """What an upload has."""

    models: int
    sources: int
    columns: int
    """Number of columns whose origin was analysed."""
    dependencies: int
    """Number of edges between nodes."""
    column_lineage: int
    """Number of edges between columns."""
    extraction_tier: ExtractionTier
    accuracy: Accuracy


class UploadAnswer(Struct, frozen=True, kw_only=True):
    """Outcome of an upload."""

    success: bool
    job_id: str
    run_id: str
    is_new: bool
    """False if the store had the run."""
    connection_id: str
    connection: str
    """Name of the connection."""
    project: str
    """Name of the dbt project."""
    environment: str
    branch: str | None
    commit_sha: str | None
    extraction: UploadExtraction
    warnings: Sequence[str]


_CLOCK_DIFFERENCE = timedelta(minutes=5)
"""Time by which the clock of a sender may be ahead."""
Receive = Callable[[Path, UploadLimits], Awaitable[UploadDetails]]
"""Function that writes an upload into a folder: UPLOAD, or its artifacts as files. Returns its details."""


class UploadPlace(Struct, frozen=True, kw_only=True):
    """Where an upload arrives, and who sends it."""

    site: Site
    service: RepositoryService
    limits: ConnectionLimits
    caller: str
    """Name of the sender, which the job stores."""


class _Upload(Struct, frozen=True, kw_only=True):
    """An upload that arrives now."""

    state: State
    connection: RepositoryConnection
    store: Store
    caller: str
    began: float


class _Recorded(Struct, frozen=True):
    job_id: str
    result: RecordResult
    figures: JobFigures


async def record_upload(
    place: UploadPlace, name: str, receive: Receive, details: UploadDetails | None = None
) -> UploadAnswer:
    """Record the upload that *receive* returns as a run of the connection *name*.

    *details* are those that are known before the upload has arrived. Raises StoreBusy if other uploads of the
    caller are not over, or if others are read for long, UsageError for a malformed upload, OtherProject,
    OtherRepository, and the errors of writing to the store. Each error of an upload that began to arrive is
    also the outcome of a job.
    """
    found = await run_in_threadpool(place.service.find, name)
    refuse_database(found)
    store = store_of(place.site, found.store)
    # After the look-up, because a connection has a name and an id, and one limit.
    with place.limits.upload_places.of((found.id, place.caller)):
        place.limits.uploads.count(found.id)
        return await _record_upload(place, found, store, receive, details or UploadDetails())


async def _record_upload(
    place: UploadPlace, found: RepositoryConnection, store: Store, receive: Receive, details: UploadDetails
) -> UploadAnswer:
    """Record the upload of a caller that has a place for it."""
    upload = _Upload(
        state=place.service.state,
        connection=found,
        store=store,
        caller=place.caller,
        began=time.monotonic(),
    )
    try:
        _check(details)
        with temporary_folder() as created:
            folder = Path(created)
            details = await receive(folder, upload_limits(found.upload_megabytes))
            _check(details)
            request = ReadingRequest(
                environment=details.run_environment(found.environment),
                branches=found.branches,
                details=details,
                most_nodes=found.upload_nodes,
            )
            async with place.limits.upload_places.reading():
                # In a child process: a manifest that needs all memory must not end the server.
                read, done = await read_upload(folder, request)
    except (RecceMetaError, ClientDisconnect) as error:
        await run_in_threadpool(_fail, upload, details, error)
        raise
    read = replace(read, project=_until_now(read.project))
    # One call: a request that is cancelled between two would leave the job as it is.
    recorded = await run_in_threadpool(_record, upload, details, read, done)
    return _answer(found, read, recorded, request.environment)


def _check(details: UploadDetails) -> None:
    """Raise UsageError for details that no run may have."""
    if details.environment is not None:
        check_name("an environment", details.environment)
    if details.branch is not None:
        check_branch(details.branch)


def _answer(
    connection: RepositoryConnection, read: ReadUpload, recorded: _Recorded, environment: str
) -> UploadAnswer:
    run, figures = recorded.result.run, recorded.figures
    counts = Counter(node.resource_type for node in read.project.nodes)
    return UploadAnswer(
        success=True,
        job_id=recorded.job_id,
        run_id=run.run_id,
        is_new=recorded.result.written,
        connection_id=connection.id,
        connection=connection.name,
        project=run.project_name,
        environment=run.environment,
        branch=run.branch,
        commit_sha=run.git_sha,
        extraction=UploadExtraction(
            models=counts["model"],
            sources=counts["source"],
            columns=figures.columns or 0,
            dependencies=figures.dependencies or 0,
            column_lineage=figures.column_lineage or 0,
            extraction_tier=read.tier,
            accuracy=read.accuracy,
        ),
        warnings=(
            *_differences(run, environment),
            *read.project.warnings,
            *first_warnings(recorded.result.column_warnings),
        ),
    )


def _differences(run: RunMetadata, environment: str) -> Sequence[str]:
    """Return a warning if the run was stored before with another environment: it stays as it is."""
    if run.environment == environment:
        return ()
    return (f"Run {run.run_id} is already recorded as {run.environment} and was not changed",)


def _fail(upload: _Upload, details: UploadDetails, error: RecceMetaError | ClientDisconnect) -> None:
    """Store why an upload could not be read, as the outcome of a job."""
    job_id = _begin(upload, details, details.branch)
    if isinstance(error, RecceMetaError):
        message, hint = error.message, error.hint
    else:
        message, hint = "The connection broke before the upload was complete", "upload again"
    add_event(upload.state, job_id, Stage.EXTRACT, "failed", message)
    fail_upload(upload.state, job_id, message, hint, "upload")


def _begin(upload: _Upload, details: UploadDetails, branch: str | None) -> str:
    """Begin the job of an upload, and return its id; a branch that is not followed has no jobs."""
    found = upload.connection
    return begin_upload(
        upload.state,
        found.id,
        branch if branch in found.branches and branch is not None else found.branch,
        requested_by=upload.caller,
        pull_request=details.pull_request,
    ).id


def _record(upload: _Upload, details: UploadDetails, read: ReadUpload, done: Completed) -> _Recorded:
    """Write *read* to the store in a job, which has an outcome however the call ends."""
    state = upload.state
    job_id = _begin(upload, details, read.branch)
    extraction = Extraction(
        connection=upload.connection.name,
        job=job_id,
        trigger=Trigger.UPLOAD,
        requested_by=upload.caller,
        tier=read.tier,
        manifest_digest=read.manifest_digest,
    )
    # The child process knows neither the job nor the caller.
    project = replace(read.project, run=replace(read.project.run, extraction=extraction))
    with ExitStack() as unfinished:
        failure = ("The upload ended unexpectedly", "read the log of the server", "unexpected")
        # For errors that are not ours.
        unfinished.callback(fail_upload, state, job_id, *failure)
        try:
            result = _write(upload, job_id, project, read.columns)
        except RecceMetaError as error:
            unfinished.pop_all()
            add_event(state, job_id, Stage.STORE, "failed", error.message)
            kind = "project" if isinstance(error, (UploadRefused, OtherRepository)) else "store"
            fail_upload(state, job_id, error.message, error.hint, kind)
            raise
        figures = _figures(read, done, time.monotonic() - upload.began)
        _finish(state, job_id, read, result, figures)
        unfinished.pop_all()
    return _Recorded(job_id, result, figures)


def _until_now(project: Project) -> Project:
    """Return *project* with the time of this server if its own is in the future, and a warning.

    Such a run would be the latest of its project until then.
    """
    now = datetime.now(timezone.utc)
    if project.run.run_at <= now + _CLOCK_DIFFERENCE:
        return project
    warning = (
        f"The time of the artifacts, {project.run.run_at:%Y-%m-%d %H:%M} UTC, is in the future: the time of "
        "the upload replaces it"
    )
    return replace(project, run=replace(project.run, run_at=now), warnings=(*project.warnings, warning))


def _write(upload: _Upload, job_id: str, project: Project, columns: ColumnGraph) -> RecordResult:
    state, store = upload.state, upload.store
    # Pages show the stages of every job, so an upload must name those that it lacks.
    for stage in (Stage.RESOLVE, Stage.CLONE, Stage.DEPENDENCIES, Stage.PARSE):
        add_event(state, job_id, stage, "skipped")
    add_event(state, job_id, Stage.EXTRACT, "done", f"{len(project.nodes):,} nodes")
    add_event(state, job_id, Stage.STORE, "started")
    claim = ProjectClaim(state=state, connection=upload.connection, job_id=job_id, run=project.run)
    with store.writing() as adapter:
        _refuse_other_project(upload, adapter, project.run)
        guard = claim.make(adapter)

        def analyse(known: KnownColumns) -> ColumnGraph:
            return _new(columns, known)

        return record_run(adapter, project, analyse=analyse, guard=guard)


def _refuse_other_project(upload: _Upload, adapter: UnifiedSqlAdapter, run: RunMetadata) -> None:
    """Raise OtherProject or OtherEnvironment if the connection records no such runs as *run*."""
    state, connection = upload.state, upload.connection
    runs = last_runs(state, connection.id)
    known = owned_projects(state, connection) or _recorded_project(adapter, runs)
    # A token for uploads must not choose the project: only its repository, or an administrator, may.
    if known and run.project_name not in known:
        raise OtherProject(run.project_name, ", ".join(sorted(known)), connection.name)
    # Nor may it take an environment of which no run is recorded yet.
    usual = connection_environment_of(run.environment)
    if usual not in owned_environments(state, connection, run.project_name):
        raise OtherEnvironment(run.environment, connection.name)


def _recorded_project(adapter: UnifiedSqlAdapter, runs: Sequence[str]) -> frozenset[str]:
    """Return the project of the newest of *runs* that is stored: of a connection older than the owners."""
    try:
        with open_store(adapter) as session:
            # Runs may have been pruned.
            stored = next((run for one in runs if (run := run_by_id(session, one)) is not None), None)
    except (StoreNotFound, DatabaseNotFound):
        return frozenset()
    return frozenset() if stored is None else frozenset([stored.project_name])


def _finish(state: State, job_id: str, read: ReadUpload, result: RecordResult, figures: JobFigures) -> None:
    """Store the success in the job and in its connection."""
    add_event(state, job_id, Stage.STORE, "done", f"run {result.run.run_id}")
    add_event(state, job_id, Stage.CLEAN_UP, "skipped")
    ended = finish_job(
        state,
        job_id,
        JobStatus.SUCCESS,
        JobOutcome(
            commit_sha=result.run.git_sha,
            run_id=result.run.run_id,
            is_new=result.written,
            tier=read.tier,
            dbt_version=result.run.dbt_version,
            figures=figures,
        ),
    )
    note_outcome(state, ended, manifest_version=result.run.manifest_version)
    follow_upload(state, ended)


def _new(columns: ColumnGraph, known: KnownColumns) -> ColumnGraph:
    """Return *columns* without the analyses that the store has."""
    # The child analysed everything: it cannot ask the store what it has.
    analyses = {key: found for key, found in columns.analyses.items() if key not in known}
    return ColumnGraph(lineage_ids=columns.lineage_ids, analyses=analyses, warnings=columns.warnings)


def _figures(read: ReadUpload, done: Completed, seconds: float) -> JobFigures:
    found = [read.columns.analyses.get(one) for one in read.columns.lineage_ids.values()]
    analyses = [one for one in found if one is not None]
    return JobFigures(
        seconds=seconds,
        cpu_seconds=done.cpu_seconds,
        peak_memory=done.peak_memory,
        **object_counts(read.project),
        columns=sum(len(one.outputs) for one in analyses),
        column_lineage=sum(len(output.sources) for one in analyses for output in one.outputs),
    )


def store_of(site: Site, name: str) -> Store:
    """Return the store *name* of a connection. Raises StoreError if the server does not open it."""
    store = site.stores.get(name)
    if store is None:
        raise StoreError(
            f"This server does not open the store '{name}' of the connection",
            hint="add it to `stores` in recce_meta.yml, or set another store: recce-meta connection set",
        )
    return store
