"""What follows a job of a branch or of a database, and the removal of the runs of a closed pull request."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timezone

from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.diff import FAILS, failing_changes
from recce_meta.api.quality import fail_conditions, show_quality
from recce_meta.diff.scan import is_scan
from recce_meta.errors import (
    DatabaseNotFound,
    SelectorError,
    StoreNotFound,
    UnknownNameError,
    plural,
    shorten,
)
from recce_meta.models import RunMetadata
from recce_meta.models.change import Category
from recce_meta.quality.compare import QualityResult
from recce_meta.quality.figures import Violation
from recce_meta.report.review.notices import LONGEST_LINE, listed_changes, quality_notice, schema_notice
from recce_meta.report.review.verdict import verdict_of
from recce_meta.repositories.follow_ups.context import Event, EventKind, TaskContext, add_event
from recce_meta.repositories.state.connections import get_connection
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import at_failed_stage, get_job, read_job_files
from recce_meta.repositories.state.pull_requests import change_report, get_pull_request
from recce_meta.repositories.state.tasks import earlier_job, forget_job_files
from recce_meta.repositories.state.types import (
    SCAN,
    ExtractionJob,
    JobSource,
    JobStatus,
    PullRequest,
    PullRequestState,
    RepositoryConnection,
    Task,
    base_environment_of,
    head_environment_of,
    run_id_of_job,
)
from recce_meta.store.prune import remove_runs


async def database_events(
    context: TaskContext, connection: RepositoryConnection, job: ExtractionJob, before: ExtractionJob | None
) -> list[Event]:
    """Return the events of *job*, which succeeded as *before* did, the last one of its kind.

    What is as it was then is not an event. Of a first scan, there is none.
    """
    if job.branch == SCAN:
        if before is None or before.run_id is None or job.run_id is None or before.run_id == job.run_id:
            return []
        notice = schema_notice(await context.diff(connection.store, before.run_id, job.run_id))
        kind, url = EventKind.SCHEMA, context.links.diff(connection.store, before.run_id, job.run_id)
    else:
        result = await _measured(context, connection, job)
        if result is None or not result.violations:
            return []
        known = None if before is None else await _measured(context, connection, before)
        old = set() if known is None else set(map(_condition, known.violations))
        new = tuple(one for one in result.violations if _condition(one) not in old)
        notice = quality_notice(replace(result, violations=new))
        kind, url = EventKind.QUALITY, context.links.job(job)
    if notice is None:
        return []
    return [
        Event(
            kind=kind,
            job_id=job.id,
            connection=connection.name,
            branch=job.branch,
            title=notice.title,
            lines=tuple(context.scrub(connection, line) for line in notice.lines),
            url=url,
        )
    ]


def _condition(met: Violation) -> tuple[str | None, ...]:
    """Return what identifies a condition that is met, without its values."""
    return met.unique_id, met.column, met.figure, met.condition


async def _measured(
    context: TaskContext, connection: RepositoryConnection, job: ExtractionJob
) -> QualityResult | None:
    """Return the measurement of *job*, judged by the conditions of *connection*; None if it was removed."""
    fail_on: Sequence[str] = connection.fail_on

    def read(adapter: UnifiedSqlAdapter) -> QualityResult:
        conditions = fail_conditions(fail_on, None)
        return show_quality(adapter, run_id_of_job(job.id), fail_on=conditions)

    try:
        return await context.stores.read(connection.store, read) if fail_on else None
    except SelectorError:  # it was pruned meanwhile
        return None


_BREAKING = frozenset([Category.BREAKING.value, FAILS])


class BranchFollower:
    """Handler of what follows a job of a branch; the first job of a branch has no events."""

    def __init__(self, context: TaskContext) -> None:
        self._context = context
        self._state = context.state

    async def __call__(self, task: Task) -> None:
        """Add the events of the job, then run the checks of its commit."""
        try:
            job = await asyncio.to_thread(get_job, self._state, str(task.payload["job"]))
            connection = await asyncio.to_thread(get_connection, self._state, job.connection_id)
        except UnknownNameError:  # removed meanwhile
            return
        ended = (JobStatus.SUCCESS, JobStatus.FAILED)
        if job.source is not connection.source or job.status not in ended:
            return
        before = await asyncio.to_thread(earlier_job, self._state, job, JobStatus.SUCCESS, JobStatus.FAILED)
        success = await asyncio.to_thread(earlier_job, self._state, job, JobStatus.SUCCESS)
        if connection.notify:
            for event in await self._events(connection, job, before, success):
                await asyncio.to_thread(add_event, self._state, connection, event)
        if connection.database is None and job.run_id is not None and job.status is JobStatus.SUCCESS:
            files = await asyncio.to_thread(read_job_files, self._state, job.id)
            base = None if success is None or success.run_id == job.run_id else success.run_id
            await self._context.check(connection, files, base, job.run_id)

    async def _events(
        self,
        connection: RepositoryConnection,
        job: ExtractionJob,
        before: ExtractionJob | None,
        success: ExtractionJob | None,
    ) -> list[Event]:
        """Return the events of *job*; *before* is the last job that ended, *success* the last success."""
        # Without an earlier success nothing has become worse or better.
        last = None if before is None or success is None else before.status
        if job.status is JobStatus.FAILED:
            job = await asyncio.to_thread(at_failed_stage, self._state, job)
            # A branch that stays broken is reported once.
            return [self._failure(connection, job)] if last is JobStatus.SUCCESS else []
        events = [self._recovery(connection, job)] if last is JobStatus.FAILED else []
        if connection.database is not None:
            return events + await database_events(self._context, connection, job, success)
        base, current = success and success.run_id, job.run_id
        if base and current and base != current:
            events += await self._breaking(connection, job, base, current)
        return events

    def _failure(self, connection: RepositoryConnection, job: ExtractionJob) -> Event:
        step = f" in {job.stage.value}" if job.stage else ""
        lines = [job.error or "The job failed", *([f"Hint: {job.hint}"] if job.hint else [])]
        return Event(
            kind=EventKind.FAILURE,
            job_id=job.id,
            connection=connection.name,
            branch=job.branch,
            title=f"{connection.name}: {_work(job)} failed{step}",
            lines=tuple(
                shorten(" ".join(self._context.scrub(connection, line).split()), LONGEST_LINE)
                for line in lines
            ),
            url=self._context.links.job(job),
        )

    def _recovery(self, connection: RepositoryConnection, job: ExtractionJob) -> Event:
        return Event(
            kind=EventKind.RECOVERY,
            job_id=job.id,
            connection=connection.name,
            branch=job.branch,
            title=f"{connection.name}: {_work(job)} works again",
            lines=(f"Commit {job.commit_sha[:12]}",) if job.commit_sha else (),
            url=self._context.links.run(connection.store, job.run_id) if job.run_id else None,
        )

    async def _breaking(
        self, connection: RepositoryConnection, job: ExtractionJob, base: str, current: str
    ) -> list[Event]:
        """Return an event if the run *current* has breaking changes from *base*."""
        diff = await self._context.diff(connection.store, base, current)
        if is_scan(diff.base) or is_scan(diff.current):
            return []
        found = failing_changes(diff, _BREAKING)
        if not found:
            return []
        event = Event(
            kind=EventKind.BREAKING,
            job_id=job.id,
            connection=connection.name,
            branch=job.branch,
            title=f"{connection.name}: {plural(len(found), 'breaking change')} on {job.branch}",
            lines=(verdict_of(diff).text, *listed_changes(found)),
            url=self._context.links.diff(connection.store, base, current),
        )
        return [event]


def _work(job: ExtractionJob) -> str:
    """Return what *job* did, in words."""
    if job.source is not JobSource.DATABASE:
        return f"the extraction of {job.branch}"
    return "the scan" if job.branch == SCAN else "the measurement of quality"


class PullRequestPruner:
    """Handler of the removal; a pull request that was reopened meanwhile keeps its runs."""

    def __init__(self, context: TaskContext) -> None:
        self._context = context
        self._state = context.state

    async def __call__(self, task: Task) -> None:
        """Remove the runs that this connection has recorded for its pull request."""
        try:
            connection = await asyncio.to_thread(get_connection, self._state, task.connection_id)
            number = int(task.payload["number"])
            pull_request = await asyncio.to_thread(get_pull_request, self._state, connection.id, number)
        except UnknownNameError:
            return
        if pull_request.state is PullRequestState.OPEN or pull_request.pruned_at is not None:
            return

        def is_own(run: RunMetadata) -> bool:
            # By the id in the job's: names of connections change, and another one may take an old name.
            return run.extraction is not None and run.extraction.job.startswith(f"{connection.id}:")

        def work(adapter: UnifiedSqlAdapter) -> bool:
            # Again: the wait for the store may have been long, and a new job may use the runs.
            if get_pull_request(self._state, connection.id, number).state is PullRequestState.OPEN:
                return False
            # The environment of the connection may have changed since they were recorded.
            for environment in _environments(number, connection.environment):
                try:
                    remove_runs(adapter, is_own, environment=environment)
                except (StoreNotFound, DatabaseNotFound):
                    break
            return True

        if await self._context.stores.use(connection.store, work):
            await asyncio.to_thread(_note, self._state, pull_request)


def _environments(number: int, usual: str) -> tuple[str, ...]:
    return tuple(
        environment_of(number, one)
        for environment_of in (head_environment_of, base_environment_of)
        for one in {usual: None, "prod": None}
    )


def _note(state: State, pull_request: PullRequest) -> None:
    forget_job_files(state, pull_request.connection_id, pull_request.number)
    now = datetime.now(timezone.utc)
    change_report(state, pull_request.connection_id, pull_request.number, pruned_at=now)
