"""Jobs in the state: at most one waits for each branch of a connection; each has a log and a few small files.

A request while a job of the branch runs creates a waiting job or joins the one that exists. The connection's
row is locked meanwhile, so that concurrent requests are answered one after the other. The files are those of
the repository that tasks read after the job.
"""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, RowMapping, Select, delete, exists, func, insert, select, update

from recce_meta.errors import UnknownNameError, UsageError, quoted
from recce_meta.models.run import ExtractionTier, Trigger
from recce_meta.repositories.state.audit import AuditAction, note
from recce_meta.repositories.state.database import State, rows_as, values_of
from recce_meta.repositories.state.tables import connections, job_events, job_files, jobs
from recce_meta.repositories.state.types import (
    REFUSED_BY_DBT,
    ExtractionJob,
    JobEvent,
    JobFigures,
    JobOutcome,
    JobRequest,
    JobStatus,
    Stage,
)

_FIGURES = JobFigures.__struct_fields__
_UNFINISHED = (JobStatus.PENDING.value, JobStatus.RUNNING.value)
_EXAMPLES = 5
"""Number of last successes and failures in statistics."""


class Requested(Struct, frozen=True):
    """Answer to a request for a job."""

    job: ExtractionJob
    joined: bool
    """True if the job was waiting before."""


class StageSeconds(Struct, frozen=True, kw_only=True):
    """Seconds of one stage over several jobs."""

    stage: Stage
    jobs: int
    median: float
    percentile_95: float


class ObjectsFound(Struct, frozen=True, kw_only=True):
    """Number of objects that one job found."""

    at: datetime
    job_id: str
    branch: str
    objects: int
    columns: int | None


class JobStatistics(Struct, frozen=True, kw_only=True):
    """Jobs of a connection that were requested in the last days."""

    days: int
    jobs: Mapping[str, int]
    """Number of jobs by status; every status is a key."""
    stages: tuple[StageSeconds, ...]
    """Stages that were finished, in their order."""
    last_successes: tuple[ExtractionJob, ...]
    """The newest first."""
    last_failures: tuple[ExtractionJob, ...]
    """The newest first."""
    objects: tuple[ObjectsFound, ...]
    """Objects of successful jobs, the oldest first."""
    seconds: float
    """Seconds of all jobs together."""


def request_job(
    state: State, connection_id: str, request: JobRequest, *, admit: Callable[[], None] | None = None
) -> Requested:
    """Return the waiting job of a branch; create it if there is none.

    A waiting job gets the `wanted_sha` of the last request. It becomes forced if the request is forced, and
    that of a person if a person joins it. *admit* is called before a job is created, and may refuse that by
    an exception. Raises UnknownNameError if the connection does not exist.
    """
    with state.write() as session:
        lock_connection(session, connection_id)
        return add_job(state, session, connection_id, request, admit=admit)


def add_job(
    state: State,
    session: Connection,
    connection_id: str,
    request: JobRequest,
    *,
    admit: Callable[[], None] | None = None,
) -> Requested:
    """Do what `request_job` does in the transaction *session*, which has locked the connection."""
    branch, trigger = request.branch, request.trigger
    of_branch = (jobs.c.connection_id == connection_id, jobs.c.branch == branch)
    waiting = _find(session, select(jobs).where(*of_branch, jobs.c.status == JobStatus.PENDING.value))
    if waiting is not None:
        if request.is_forced and not waiting.is_forced:
            waiting = _change(session, waiting.id, is_forced=True)
        if request.wanted_sha != waiting.wanted_sha:
            waiting = _change(session, waiting.id, wanted_sha=request.wanted_sha)
        # A person does not wait for the pause after exceeded limits.
        if trigger is Trigger.MANUAL and waiting.trigger is not Trigger.MANUAL:
            asker = {"trigger": trigger.value, "requested_by": request.requested_by}
            waiting = _change(session, waiting.id, **asker)
        return Requested(waiting, joined=True)
    # Inside the lock, so that two requests of a connection do not both pass a limit.
    if admit is not None:
        admit()
    # The number is part of the workflow's id, so it must never be used twice in a branch.
    number = (session.scalar(select(func.max(jobs.c.number)).where(*of_branch)) or 0) + 1
    job_id = f"{connection_id}:{branch}:{number}"
    row = {
        "id": job_id,
        "connection_id": connection_id,
        "number": number,
        **msgspec.to_builtins(request),
        "status": JobStatus.PENDING.value,
        "requested_at": state.now(),
        "attempts": 0,
        "events": 0,
    }
    session.execute(insert(jobs).values(row))
    asked = {name: row[name] for name in ("branch", "trigger", "requested_by")}
    asked["forced"] = request.is_forced
    note(state, session, AuditAction.REQUEST_JOB, job_id, after=asked)
    return Requested(_job(session, job_id), joined=False)


def cancel_jobs(
    state: State, session: Connection, connection_id: str, pull_request: int
) -> list[ExtractionJob]:
    """Cancel the jobs of a pull request that wait or run, in the transaction *session*; return them."""
    query = select(jobs).where(jobs.c.connection_id == connection_id, jobs.c.pull_request == pull_request)
    query = query.where(jobs.c.status.in_(_UNFINISHED)).order_by(jobs.c.row)
    found = _jobs(session, query.with_for_update(key_share=True))
    return [_end(state, session, job, JobStatus.CANCELLED, {}) for job in found]


def start_job(state: State, job_id: str, worker: str) -> ExtractionJob:
    """Note that *worker* begins or resumes a job, and return it; a job that is over stays as it is.

    It counts as an attempt if it is the first one, or the one before was interrupted while the job worked.
    Raises UnknownNameError if the job does not exist.
    """
    with state.write() as session:
        job = _lock_job(session, job_id)
        if job.status.is_over:
            return job
        was_working = session.scalar(select(jobs.c.is_working).where(jobs.c.id == job_id))
        return _change(
            session,
            job_id,
            status=JobStatus.RUNNING.value,
            worker=worker,
            attempts=job.attempts + 1 if was_working or not job.attempts else job.attempts,
            is_working=False,
            started_at=job.started_at or state.now(),
        )


def set_stage(state: State, job_id: str, stage: Stage, *, commit_sha: str | None = None) -> ExtractionJob:
    """Note the stage that a job has reached, and its commit if it is known now; return the job.

    A job that is over, such as a cancelled one, stays as it is. Raises UnknownNameError if it does not exist.
    """
    with state.write() as session:
        job = _lock_job(session, job_id)
        if job.status.is_over:
            return job
        changed = {"commit_sha": commit_sha or job.commit_sha, "is_working": False}
        return _change(session, job_id, stage=stage.value, **changed)


def note_work(state: State, job_id: str, is_working: bool) -> None:
    """Note that a job works, or that it waits for its turn, for its store or for another attempt."""
    with state.write() as session:
        session.execute(update(jobs).where(jobs.c.id == job_id).values(is_working=is_working))


def add_event(state: State, job_id: str, stage: Stage | None, status: str, message: str = "") -> int:
    """Append an event to the log of a job and return its position.

    The caller removes secrets from *message*. Raises UnknownNameError if the job does not exist.
    """
    with state.write() as session:
        # The update locks the row, so that two writers never get the same position.
        counted = update(jobs).where(jobs.c.id == job_id).values(events=jobs.c.events + 1)
        seq = session.scalar(counted.returning(jobs.c.events))
        if seq is None:
            raise UnknownNameError("job", job_id, ())
        event = {"job_id": job_id, "seq": seq, "at": state.now(), "status": status, "message": message}
        session.execute(insert(job_events).values(event | {"stage": stage and stage.value}))
        return int(seq)


def finish_job(
    state: State, job_id: str, status: JobStatus, outcome: JobOutcome | None = None
) -> ExtractionJob:
    """Store the outcome of a job and return it; the first outcome stays.

    Seconds that its figures omit are those since the start. Raises UnknownNameError if the job does not
    exist.
    """
    with state.write() as session:
        job = _lock_job(session, job_id)
        if job.status.is_over:
            return job
        found = msgspec.to_builtins(outcome or JobOutcome())
        figures = found.pop("figures")
        found["commit_sha"] = found["commit_sha"] or job.commit_sha
        return _end(state, session, job, status, found | figures)


def request_cancel(state: State, job_id: str) -> ExtractionJob:
    """Cancel a job and return it; a job that is over stays as it is.

    Its worker sees that when it notes the next stage; the caller also cancels its workflow. Raises
    UnknownNameError if the job does not exist.
    """
    return finish_job(state, job_id, JobStatus.CANCELLED)


def get_job(state: State, job_id: str) -> ExtractionJob:
    """Return a job. Raises UnknownNameError if it does not exist."""
    with state.read() as session:
        return _job(session, job_id)


def list_jobs(
    state: State, connection_id: str, *, limit: int = 50, before: str | None = None
) -> list[ExtractionJob]:
    """Return the jobs of a connection, the newest first; only jobs older than the job *before*, if given."""
    query = select(jobs).where(jobs.c.connection_id == connection_id)
    if before is not None:
        # By position and not by offset: new jobs would move the pages while a user reads them.
        query = query.where(jobs.c.row < select(jobs.c.row).where(jobs.c.id == before).scalar_subquery())
    with state.read() as session:
        return _jobs(session, query.order_by(jobs.c.row.desc()).limit(limit))


def last_job(state: State, connection_id: str, branch: str) -> ExtractionJob | None:
    """Return the newest job of a branch; None without any."""
    of_branch = (jobs.c.connection_id == connection_id, jobs.c.branch == branch)
    with state.read() as session:
        return _find(session, select(jobs).where(*of_branch).order_by(jobs.c.row.desc()).limit(1))


def last_run(state: State, connection_id: str, branch: str) -> str | None:
    """Return the id of the run of the newest successful job of a branch; None if it has no run."""
    query = (
        select(jobs.c.run_id)
        .where(jobs.c.connection_id == connection_id, jobs.c.branch == branch)
        .where(jobs.c.status == JobStatus.SUCCESS.value, jobs.c.run_id.is_not(None))
        .order_by(jobs.c.row.desc())
        .limit(1)
    )
    with state.read() as session:
        return session.scalar(query)


def current_job(state: State, connection_id: str) -> ExtractionJob | None:
    """Return the running job of a connection, else the newest one; None if it has no jobs."""
    query = (
        select(jobs)
        .where(jobs.c.connection_id == connection_id)
        # False sorts first: a waiting job is newer than the running one, but says less.
        .order_by(jobs.c.status != JobStatus.RUNNING.value, jobs.c.row.desc())
    )
    with state.read() as session:
        return _find(session, query.limit(1))


def active_jobs(state: State) -> list[ExtractionJob]:
    """Return all jobs that wait or run, the oldest first."""
    query = select(jobs).where(jobs.c.status.in_(_UNFINISHED)).order_by(jobs.c.row)
    with state.read() as session:
        return _jobs(session, query)


def at_failed_stage(state: State, job: ExtractionJob) -> ExtractionJob:
    """Return *job*, whose last stage is always `clean_up`, with the stage that failed; None if none did."""
    failed = select(job_events.c.stage).filter_by(job_id=job.id, status="failed")
    with state.read() as session:
        found = session.scalar(failed.order_by(job_events.c.seq.desc()).limit(1))
    if found is not None:
        return msgspec.structs.replace(job, stage=Stage(found))
    return msgspec.structs.replace(job, stage=None) if job.stage is Stage.CLEAN_UP else job


def events_after(state: State, job_id: str, seq: int = 0) -> list[JobEvent]:
    """Return the events of a job after the position *seq*, in order."""
    query = (
        select(job_events)
        .where(job_events.c.job_id == job_id, job_events.c.seq > seq)
        .order_by(job_events.c.seq)
    )
    with state.read() as session:
        return rows_as(session, query, JobEvent)


def job_statistics(
    state: State, connection_id: str, days: int = 30, *, now: datetime | None = None
) -> JobStatistics:
    """Return statistics of the jobs that were requested in the *days* before *now*."""
    since = (now or datetime.now(timezone.utc)) - timedelta(days=days)
    query = select(jobs).where(jobs.c.connection_id == connection_id, jobs.c.requested_at >= since)
    with state.read() as session:
        found = _jobs(session, query.order_by(jobs.c.row))
        stages = _stage_seconds(session, query)
    counts = Counter(job.status for job in found)
    successes = [job for job in found if job.status is JobStatus.SUCCESS]
    failures = [job for job in found if job.status is JobStatus.FAILED]
    return JobStatistics(
        days=days,
        jobs={status.value: counts[status] for status in JobStatus},
        stages=tuple(_summary(stage, stages[stage]) for stage in Stage if stage in stages),
        last_successes=tuple(reversed(successes[-_EXAMPLES:])),
        last_failures=tuple(reversed(failures[-_EXAMPLES:])),
        objects=tuple(_objects(successes)),
        seconds=sum(job.figures.seconds or 0 for job in found),
    )


def _stage_seconds(session: Connection, of_jobs: Select[Any]) -> dict[Stage, list[float]]:
    """Return the seconds of each finished stage of the selected jobs, from its last start."""
    ids = of_jobs.with_only_columns(jobs.c.id)
    events = select(job_events).where(job_events.c.job_id.in_(ids), job_events.c.stage.is_not(None))
    started: dict[tuple[str, str], datetime] = {}
    seconds: defaultdict[Stage, list[float]] = defaultdict(list)
    for row in session.execute(events.order_by(job_events.c.job_id, job_events.c.seq)):
        place = (row.job_id, row.stage)
        if row.status == "started":
            started[place] = row.at
        elif row.status == "done" and place in started:
            seconds[Stage(row.stage)].append((row.at - started.pop(place)).total_seconds())
    return seconds


def _summary(stage: Stage, seconds: Sequence[float]) -> StageSeconds:
    ordered = sorted(seconds)
    return StageSeconds(
        stage=stage,
        jobs=len(ordered),
        median=statistics.median(ordered),
        # The nearest rank, a value that was measured.
        percentile_95=ordered[-(-len(ordered) * 95 // 100) - 1],
    )


def _objects(successes: Iterable[ExtractionJob]) -> Iterable[ObjectsFound]:
    for job in successes:
        if job.figures.objects is not None:
            yield ObjectsFound(
                at=job.ended_at or job.requested_at,
                job_id=job.id,
                branch=job.branch,
                objects=job.figures.objects,
                columns=job.figures.columns,
            )


def lock_connection(session: Connection, connection_id: str) -> None:
    """Let other transactions that do the same wait.

    Raises UnknownNameError if the connection does not exist.
    """
    query = select(connections.c.id).where(connections.c.id == connection_id)
    # SQLite has locked the whole file. In PostgreSQL, jobs refer to the row, which this mode allows.
    if session.scalar(query.with_for_update(key_share=True)) is None:
        raise UnknownNameError("connection", connection_id, ())


def _lock_job(session: Connection, job_id: str) -> ExtractionJob:
    return _job(session, job_id, is_locked=True)


def _job(session: Connection, job_id: str, *, is_locked: bool = False) -> ExtractionJob:
    query = select(jobs).where(jobs.c.id == job_id)
    job = _find(session, query.with_for_update(key_share=True) if is_locked else query)
    if job is None:
        raise UnknownNameError("job", job_id, ())
    return job


def _change(session: Connection, job_id: str, **values: object) -> ExtractionJob:
    session.execute(update(jobs).where(jobs.c.id == job_id).values(**values))
    return _job(session, job_id)


def _end(
    state: State, session: Connection, job: ExtractionJob, status: JobStatus, values: Mapping[str, object]
) -> ExtractionJob:
    if status is JobStatus.CANCELLED:
        note(state, session, AuditAction.CANCEL_JOB, job.id)
    # Two updates: only the database knows the time that it has stored.
    ended = _change(session, job.id, **values, status=status.value, ended_at=state.now())
    if ended.figures.seconds is not None or ended.started_at is None or ended.ended_at is None:
        return ended
    return _change(session, job.id, seconds=(ended.ended_at - ended.started_at).total_seconds())


def _find(session: Connection, query: Select[Any]) -> ExtractionJob | None:
    row = session.execute(query).mappings().first()
    return None if row is None else _from_row(row)


def _jobs(session: Connection, query: Select[Any]) -> list[ExtractionJob]:
    return [_from_row(row) for row in session.execute(query).mappings()]


def _from_row(row: RowMapping) -> ExtractionJob:
    values = values_of(row)
    figures = {name: values.pop(name) for name in _FIGURES}
    return msgspec.convert(values | {"figures": figures}, ExtractionJob)


FILES = ("checks.yml", "quality.yml", "recce_meta.yml")
"""Names of the files that are stored."""
LARGEST = 256_000
"""Bytes of a stored file."""


def put_job_file(state: State, job_id: str, name: str, content: str) -> None:
    """Store a file of a job in place of the previous one.

    Raises UsageError for another name than those in `FILES`, and for a file beyond `LARGEST`.
    """
    if name not in FILES:
        raise UsageError(f"Invalid file of a job: {quoted(name)}", hint=f"use one of {', '.join(FILES)}")
    if len(content.encode()) > LARGEST or "\0" in content:
        raise UsageError(
            f"{name} is not a text of at most {LARGEST:,} bytes", hint="split it, or remove what it repeats"
        )
    with state.write() as session:
        # Delete and insert: a stage may run twice.
        session.execute(delete(job_files).filter_by(job_id=job_id, name=name))
        session.execute(insert(job_files).values(job_id=job_id, name=name, content=content))


def read_job_files(state: State, job_id: str) -> dict[str, str]:
    """Return the content of the files of a job by name; empty if it has none.

    A job whose run was stored already has read nothing: its files are those of the job that recorded the run.
    """
    own = select(jobs.c.connection_id, jobs.c.run_id).where(jobs.c.id == job_id)
    with state.read() as session:
        found = _files_of(session, job_id)
        job = session.execute(own).first()
        if found or job is None or job.run_id is None:
            return found
        recorders = (
            select(jobs.c.id)
            .where(jobs.c.connection_id == job.connection_id, jobs.c.run_id == job.run_id)
            .where(exists().where(job_files.c.job_id == jobs.c.id))
            .order_by(jobs.c.row.desc())
        )
        recorder = session.scalar(recorders.limit(1))
        return {} if recorder is None else _files_of(session, recorder)


def _files_of(session: Connection, job_id: str) -> dict[str, str]:
    query = select(job_files.c.name, job_files.c.content).filter_by(job_id=job_id)
    return {row.name: row.content for row in session.execute(query.order_by(job_files.c.name))}


def is_never_read_by_dbt(head: ExtractionJob, base: ExtractionJob) -> bool:
    """Return True if both commits were read alike without dbt, and dbt itself did not refuse the head."""
    is_alike = head.status is base.status is JobStatus.SUCCESS and head.tier is base.tier
    return is_alike and head.tier not in (None, ExtractionTier.GOLD) and head.failure not in REFUSED_BY_DBT


def needs_lower_base(head: ExtractionJob, base: ExtractionJob) -> bool:
    """Return True if *base* was read with dbt, *head* without, and another job of the base can change that.

    A base that began after the end of its head had its chance: another job would read it with dbt again.
    """
    return (
        is_without_dbt(head)
        and base.tier is ExtractionTier.GOLD
        and base.started_at is not None
        and head.ended_at is not None
        and base.started_at < head.ended_at
    )


def is_without_dbt(head: ExtractionJob) -> bool:
    """Return True if *head* was read without dbt for a reason that is not in its commit."""
    is_lower = head.status is JobStatus.SUCCESS and head.tier is ExtractionTier.SILVER
    return is_lower and not head.is_refused
