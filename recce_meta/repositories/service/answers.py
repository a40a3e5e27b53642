"""Connections, jobs and statistics as the API answers them and `--format json` prints them; never a token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.models.rows import Tabular
from recce_meta.models.run import Check, ExtractionTier, Trigger
from recce_meta.repositories.options.connections import ConnectionOptions
from recce_meta.repositories.options.declaring import STORED
from recce_meta.repositories.state.jobs import JobStatistics, ObjectsFound, StageSeconds
from recce_meta.repositories.state.types import (
    ConnectionStatus,
    DatabaseOptions,
    ExtractionJob,
    ForgeName,
    JobEvent,
    JobFacts,
    JobSource,
    JobStatus,
    RepositoryConnection,
    Stage,
    placed,
    with_options,
)


@with_options(STORED, after="token_hint", renamed={"dbt_version": "required_dbt_version"})
class ConnectionAnswer(ConnectionOptions, Tabular, frozen=True, kw_only=True):
    """A connection of a repository."""

    id: str
    name: str
    type: ForgeName
    repo_url: str
    """Address, without credentials."""
    branch: str
    """Main branch."""
    branches: Sequence[str]
    """All branches that are followed; the first is the main one."""
    subdirectory: str
    """Folder of dbt_project.yml; empty for the top of the repository."""
    status: ConnectionStatus
    error: str | None
    """Why the last job failed, or the repository could not be polled."""
    last_extraction_at: datetime | None
    last_commit_sha: str | None
    next_check_at: datetime | None
    """Time of the next look at the branches."""
    manifest_version: str | None
    """Version of the schema of the last manifest."""
    manifest_uploaded: bool
    """Whether the last run came from an upload."""
    dbt_version: str | None
    """Version of dbt that parsed the last run."""
    tier: ExtractionTier | None
    """Tier of the last run."""
    has_token: bool
    """Whether an encrypted token is stored."""
    token_hint: str | None
    """Last four characters of the stored token."""
    required_dbt_version: str | None
    """Minor version of dbt that the connection asks for; None for what the project requires."""
    database: DatabaseOptions | None
    """Login and scope of a database; None for a repository."""
    forge_error: str | None
    """Why the last comment, commit status or webhook could not be written."""
    created_at: datetime
    created_by: str


def connection_answer(connection: RepositoryConnection) -> ConnectionAnswer:
    """Return *connection* as it is shown."""
    renamed: dict[str, Any] = {
        "dbt_version": connection.last_dbt_version,
        "required_dbt_version": connection.dbt_version,
    }
    # By the fields of the answer: a new field of the connection is not shown by accident.
    names = ConnectionAnswer.__struct_fields__
    return ConnectionAnswer(
        **{name: getattr(connection, name) for name in names if name not in renamed}, **renamed
    )


class ExtractAnswer(Struct, frozen=True, kw_only=True):
    """A requested extraction."""

    job_id: str
    status: JobStatus
    joined: bool
    """Whether a waiting job of the branch already covers the request."""


class StageAnswer(Struct, frozen=True, kw_only=True):
    """One step of a job."""

    name: Stage
    status: str
    """`pending`, `running`, `success`, `failed` or `skipped`."""
    started_at: datetime | None = None
    seconds: float | None = None
    message: str = ""
    """Last message of the step."""


class ProgressAnswer(Struct, frozen=True, kw_only=True):
    """The current job of a connection, or its last one."""

    job_id: str
    branch: str
    status: JobStatus
    percent: int
    stages: Sequence[StageAnswer]
    objects_extracted: int | None
    columns_extracted: int | None
    dependencies_extracted: int | None
    column_lineage_extracted: int | None
    extraction_tier: ExtractionTier | None
    error: str | None
    hint: str | None


@placed(job_id="", extraction_tier="is_new")
class JobAnswer(JobFacts, frozen=True, kw_only=True):
    """One job of a connection."""

    job_id: str
    extraction_tier: ExtractionTier | None


def job_answer(job: ExtractionJob) -> JobAnswer:
    """Return *job* as it is shown."""
    renamed: dict[str, Any] = {"job_id": job.id, "extraction_tier": job.tier}
    names = JobAnswer.__struct_fields__
    return JobAnswer(**{name: getattr(job, name) for name in names if name not in renamed}, **renamed)


class JobDetails(Struct, frozen=True, kw_only=True):
    """One job with its steps and its log."""

    job: JobAnswer
    stages: Sequence[StageAnswer]
    log: Sequence[JobEvent]


class ActiveJob(Struct, frozen=True, kw_only=True):
    """A job that waits or runs, with its connection."""

    job_id: str
    connection_id: str
    connection: str
    """Name of the connection."""
    branch: str
    status: JobStatus
    stage: Stage | None
    trigger: Trigger
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    worker: str | None


def active_job(job: ExtractionJob, name: str) -> ActiveJob:
    """Return *job* of the connection *name* as it is listed."""
    renamed: dict[str, Any] = {"job_id": job.id, "connection": name}
    names = ActiveJob.__struct_fields__
    return ActiveJob(**{field: getattr(job, field) for field in names if field not in renamed}, **renamed)


class ConnectionStatistics(Struct, frozen=True, kw_only=True):
    """Jobs of one connection that were requested in the last days."""

    connection_id: str
    days: int
    jobs: Mapping[str, int]
    """Number of jobs by status."""
    stages: Sequence[StageSeconds]
    """Seconds of each step that was finished."""
    last_successes: Sequence[JobAnswer]
    """The newest first."""
    last_failures: Sequence[JobAnswer]
    """The newest first."""
    objects: Sequence[ObjectsFound]
    """Objects of successful jobs, the oldest first."""
    seconds: float
    """Time of all jobs."""


def statistics_answer(connection_id: str, found: JobStatistics) -> ConnectionStatistics:
    """Return the statistics of a connection as they are shown."""
    return ConnectionStatistics(
        connection_id=connection_id,
        days=found.days,
        jobs=found.jobs,
        stages=found.stages,
        last_successes=list(map(job_answer, found.last_successes)),
        last_failures=list(map(job_answer, found.last_failures)),
        objects=found.objects,
        seconds=found.seconds,
    )


class ConnectionTest(Struct, frozen=True, kw_only=True):
    """Result of a test of a connection."""

    ok: bool
    """Whether an extraction can begin."""
    checks: Sequence[Check]
    """What was checked, in order; it ends with the first problem that hides the rest."""
    branch: str | None = None
    """The branch that was read."""
    commit_sha: str | None = None
    subdirectory: str | None = None
    """Folder of the dbt project that was found."""
    projects: Sequence[str] = ()
    """Folders with a dbt_project.yml, empty for the top of the repository."""
    project: str | None = None
    """Name of the dbt project."""
    adapter: str | None = None
    extraction_dbt_version: str | None = None
    """Minor version of dbt that an extraction will use."""


class AddedConnection(Struct, frozen=True, kw_only=True):
    """A connection that was added, with its test and its first jobs."""

    connection: ConnectionAnswer
    test: ConnectionTest | None
    """None if the test was skipped."""
    jobs: Sequence[ExtractAnswer]
    """First extraction of each branch."""


_WEIGHTS = {
    Stage.RESOLVE: 5,
    Stage.CLONE: 15,
    Stage.DEPENDENCIES: 15,
    Stage.PARSE: 30,
    Stage.EXTRACT: 15,
    Stage.STORE: 15,
    Stage.CLEAN_UP: 5,
}
"""Share of each step in the progress of a job, in percent."""
_OF_DATABASES = (Stage.RESOLVE, Stage.EXTRACT, Stage.CLEAN_UP)
"""Steps of a job of a database."""
_ENDED = {"done": "success", "failed": "failed", "skipped": "skipped"}


def stage_answers(job: ExtractionJob, events: Iterable[JobEvent]) -> list[StageAnswer]:
    """Return every step of *job*, as *events* describe it; a resumed step counts from its last start."""
    found = {stage: StageAnswer(name=stage, status="pending") for stage in Stage}
    for event in events:
        if event.stage is None:
            continue
        known = found[event.stage]
        started, status, seconds = known.started_at, known.status, known.seconds
        if event.status == "started":
            started, status, seconds = event.at, "running", None
        elif event.status in _ENDED:
            status = _ENDED[event.status]
            seconds = None if started is None else max((event.at - started).total_seconds(), 0.0)
        found[event.stage] = StageAnswer(
            name=event.stage,
            status=status,
            started_at=started,
            seconds=seconds,
            message=event.message or known.message,
        )
    if job.source is JobSource.DATABASE:
        found = {stage: found[stage] for stage in _OF_DATABASES}
    if job.status.is_over:  # it has cleaned up, and runs none of the other steps any more
        has_begun = any(one.status != "pending" for one in found.values())
        rest = {stage: "skipped" for stage, one in found.items() if one.status in ("pending", "running")}
        # The workflow writes no event for `clean_up`.
        if has_begun and Stage.CLEAN_UP in rest:
            rest[Stage.CLEAN_UP] = "success"
        found |= {stage: replace(found[stage], status=status) for stage, status in rest.items()}
    return list(found.values())


def progress_answer(job: ExtractionJob, events: Iterable[JobEvent]) -> ProgressAnswer:
    """Return the progress of *job*, whose log is *events*."""
    stages = stage_answers(job, events)
    whole = sum(_WEIGHTS[one.name] for one in stages)
    ended = 100 * sum(_WEIGHTS[one.name] for one in stages if one.status in ("success", "skipped")) // whole
    return ProgressAnswer(
        job_id=job.id,
        branch=job.branch,
        status=job.status,
        percent=100 if job.status is JobStatus.SUCCESS else min(ended, 99),
        stages=stages,
        objects_extracted=job.figures.objects,
        columns_extracted=job.figures.columns,
        dependencies_extracted=job.figures.dependencies,
        column_lineage_extracted=job.figures.column_lineage,
        extraction_tier=job.tier,
        error=job.error or job.refusal,
        hint=job.hint,
    )
