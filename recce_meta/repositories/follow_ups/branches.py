"""What follows a job of a branch: notifications, checks and quality measurements."""

from __future__ import annotations

import asyncio

from recce_meta.api.diff import FAILS, failing_changes
from recce_meta.diff.scan import is_scan
from recce_meta.errors import UnknownNameError, plural, shorten
from recce_meta.models.change import Category
from recce_meta.report.markdown import diff_verdict
from recce_meta.report.review.notices import LONGEST_LINE, listed_changes
from recce_meta.repositories.follow_ups.context import TaskContext
from recce_meta.repositories.follow_ups.databases import database_events
from recce_meta.repositories.follow_ups.events import Event, EventKind, add_event
from recce_meta.repositories.state.connections import get_connection
from recce_meta.repositories.state.jobs import at_failed_stage, get_job, read_job_files
from recce_meta.repositories.state.tasks import earlier_job
from recce_meta.repositories.state.types import (
    SCAN,
    ExtractionJob,
    JobSource,
    JobStatus,
    RepositoryConnection,
    Task,
)

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
            lines=(diff_verdict(diff)[1], *listed_changes(found)),
            url=self._context.links.diff(connection.store, base, current),
        )
        return [event]


def _work(job: ExtractionJob) -> str:
    """Return what *job* did, in words."""
    if job.source is not JobSource.DATABASE:
        return f"the extraction of {job.branch}"
    return "the scan" if job.branch == SCAN else "the measurement of quality"
