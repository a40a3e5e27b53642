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
from recce_meta.repositories.follow_ups.events import Event, EventKind, add_event
from recce_meta.repositories.state.connections import get_connection
from recce_meta.repositories.state.follow_ups import earlier_job
from recce_meta.repositories.state.job_files import read_job_files
from recce_meta.repositories.state.jobs import at_failed_stage, get_job
from recce_meta.repositories.types import (
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
        if job.source is not JobSource.BRANCH or job.status not in (JobStatus.SUCCESS, JobStatus.FAILED):
            return
        before = await asyncio.to_thread(earlier_job, self._state, job, JobStatus.SUCCESS, JobStatus.FAILED)
        success = await asyncio.to_thread(earlier_job, self._state, job, JobStatus.SUCCESS)
        # Without an earlier success nothing has become worse or better.
        if before is not None and success is not None and connection.notify:
            await self._add_events(connection, job, before, success)
        if job.run_id is not None and job.status is JobStatus.SUCCESS:
            files = await asyncio.to_thread(read_job_files, self._state, job.id)
            base = None if success is None or success.run_id == job.run_id else success.run_id
            await self._context.check(connection, files, base, job.run_id)

    async def _add_events(
        self,
        connection: RepositoryConnection,
        job: ExtractionJob,
        before: ExtractionJob,
        success: ExtractionJob,
    ) -> None:
        if job.status is JobStatus.FAILED:
            job = await asyncio.to_thread(at_failed_stage, self._state, job)
            # A branch that stays broken is reported once.
            events = [self._failure(connection, job)] if before.status is JobStatus.SUCCESS else []
        else:
            events = [self._recovery(connection, job)] if before.status is JobStatus.FAILED else []
            if job.run_id and success.run_id and job.run_id != success.run_id:
                events += await self._breaking(connection, job, success.run_id, job.run_id)
        for event in events:
            await asyncio.to_thread(add_event, self._state, connection, event)

    def _failure(self, connection: RepositoryConnection, job: ExtractionJob) -> Event:
        step = f" in {job.stage.value}" if job.stage else ""
        lines = [job.error or "The job failed", *([f"Hint: {job.hint}"] if job.hint else [])]
        return Event(
            kind=EventKind.FAILURE,
            job_id=job.id,
            connection=connection.name,
            branch=job.branch,
            title=f"{connection.name}: the extraction of {job.branch} failed{step}",
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
            title=f"{connection.name}: the extraction of {job.branch} works again",
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
