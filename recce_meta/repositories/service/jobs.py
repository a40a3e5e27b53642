"""Jobs of one connection: requests, cancelling, progress, logs and statistics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models.run import Trigger
from recce_meta.repositories.service.answers import (
    ConnectionStatistics,
    ExtractAnswer,
    JobAnswer,
    JobDetails,
    ProgressAnswer,
    job_answer,
    progress_answer,
    stage_answers,
    statistics_answer,
)
from recce_meta.repositories.state import jobs
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.requests import Caller
from recce_meta.repositories.state.tasks import add_follow_up
from recce_meta.repositories.state.types import (
    ExtractionJob,
    JobEvent,
    JobRequest,
    JobStatus,
    RepositoryConnection,
)


class JobNotFound(UnknownNameError):
    """The connection has no such job."""


@dataclass(frozen=True, slots=True)
class ConnectionJobs:
    """Jobs of *connection* in *state*; those of other connections do not exist here."""

    state: State
    connection: RepositoryConnection

    def extract(
        self,
        *,
        caller: Caller,
        branch: str | None = None,
        is_forced: bool = False,
        trigger: Trigger = Trigger.MANUAL,
        admit: Callable[[], None] | None = None,
    ) -> ExtractAnswer:
        """Request an extraction of *branch*, by default the main one.

        *admit* may refuse a new job by an exception. Raises UnknownNameError for a branch that is not
        followed, and UsageError for a connection that is only uploaded to.
        """
        if self.connection.is_upload_only:
            raise UsageError(
                f"{self.connection.name} has no repository to read: its runs come from uploads",
                hint="recce-meta record --to SERVER --connection NAME",
            )
        branch = branch or self.connection.branch
        if branch not in self.connection.branches:
            raise UnknownNameError("branch", branch, self.connection.branches)
        return self.request(branch, caller, trigger, is_forced=is_forced, admit=admit)

    def request(
        self,
        branch: str,
        caller: Caller,
        trigger: Trigger,
        *,
        is_forced: bool = False,
        admit: Callable[[], None] | None = None,
    ) -> ExtractAnswer:
        """Request a job of *branch*, which is followed; *admit* may refuse a new one by an exception."""
        requested = jobs.request_job(
            self.state,
            self.connection.id,
            JobRequest(
                branch=branch,
                trigger=trigger,
                requested_by=caller.name,
                is_forced=is_forced,
                source=self.connection.source,
            ),
            admit=admit,
        )
        job = requested.job
        return ExtractAnswer(job_id=job.id, status=job.status, joined=requested.joined)

    def cancel(self, job_id: str) -> JobAnswer:
        """Cancel a job: a worker stops it, and a waiting one never starts. Raises JobNotFound."""
        ended = jobs.request_cancel(self.state, self._find(job_id).id)
        # A commit whose job never began would stay pending at its forge.
        if ended.status is JobStatus.CANCELLED:
            add_follow_up(self.state, ended)
        return job_answer(ended)

    def progress(self, job_id: str | None = None) -> ProgressAnswer | None:
        """Return the progress of a job, by default the current or the last one; None without any job.

        Raises JobNotFound.
        """
        if job_id is not None:
            job: ExtractionJob | None = self._find(job_id)
        else:
            job = jobs.current_job(self.state, self.connection.id)
        return None if job is None else progress_answer(job, jobs.events_after(self.state, job.id))

    def events(self, job_id: str, *, after: int = 0) -> list[JobEvent]:
        """Return the log of a job after the line *after*. Raises JobNotFound."""
        return jobs.events_after(self.state, self._find(job_id).id, after)

    def newest(self, *, limit: int = 50, before: str | None = None) -> list[JobAnswer]:
        """Return the jobs, newest first; *before* is the id of the last known one."""
        found = jobs.list_jobs(self.state, self.connection.id, limit=limit, before=before)
        return [job_answer(job) for job in found]

    def last_run(self) -> str | None:
        """Return the id of the last run of the main branch; None without any."""
        return jobs.last_run(self.state, self.connection.id, self.connection.branch)

    def details(self, job_id: str) -> JobDetails:
        """Return one job with its steps and its log. Raises JobNotFound."""
        job = self._find(job_id)
        log = jobs.events_after(self.state, job.id)
        return JobDetails(job=job_answer(job), stages=stage_answers(job, log), log=log)

    def statistics(self, *, days: int = 30) -> ConnectionStatistics:
        """Return the statistics of the last *days*."""
        found = jobs.job_statistics(self.state, self.connection.id, days)
        return statistics_answer(self.connection.id, found)

    def _find(self, job_id: str) -> ExtractionJob:
        """Return a job of the connection. Raises JobNotFound, also for one of another connection."""
        try:
            job = jobs.get_job(self.state, job_id)
        except UnknownNameError:
            job = None
        if job is None or job.connection_id != self.connection.id:
            # The same error as for an unknown job: it must not reveal the jobs of other connections.
            own = jobs.list_jobs(self.state, self.connection.id)
            raise JobNotFound("job", job_id, [one.id for one in own])
        return job
