"""Reports to pull requests: one comment that is kept up to date, and the status of the head commit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from datetime import datetime, timezone
from hashlib import sha256
from typing import TypeVar

from msgspec import Struct

from recce_meta.api.diff import NOT_COMPARED, parse_fail_on
from recce_meta.errors import (
    ConfigurationError,
    RecceMetaError,
    StoreNotFound,
    StoreOutdated,
    UnknownNameError,
    UsageError,
    WarehouseError,
)
from recce_meta.models.run import ExtractionTier
from recce_meta.profiles.discovery import PROJECT_FILE
from recce_meta.report.labels import short_sha
from recce_meta.report.markdown import MAX_CHARS
from recce_meta.report.review.verdict import WITHOUT_DBT
from recce_meta.repositories.follow_ups.checks import config_of
from recce_meta.repositories.follow_ups.comments import (
    CommitVerdict,
    comment_marker,
    failure_comment,
    failure_verdict,
    incomparable_comment,
    refused_comment,
    refused_verdict,
    report_comment,
    report_verdict,
)
from recce_meta.repositories.follow_ups.context import TaskContext
from recce_meta.repositories.follow_ups.runner import TaskRefused, can_retry
from recce_meta.repositories.forges.base import ForgeClient, ForgeFailure, ForgeFailureKind, StatusState
from recce_meta.repositories.forges.registry import find_forge
from recce_meta.repositories.git.failures import GitFailure
from recce_meta.repositories.state.connections import get_connection, list_connections, update_connection
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import (
    at_failed_stage,
    get_job,
    is_never_read_by_dbt,
    needs_lower_base,
    read_job_files,
)
from recce_meta.repositories.state.pull_requests import (
    change_report,
    get_pull_request,
    request_base_again,
)
from recce_meta.repositories.state.types import (
    NO_PROJECT,
    ExtractionJob,
    JobStatus,
    PullRequest,
    PullRequestState,
    RepositoryConnection,
    Task,
)
from recce_meta.telemetry import COMMENTS

T = TypeVar("T")

log = logging.getLogger(__name__)

NO_CONDITIONS: frozenset[str] = frozenset()
_NO_STORE = "The store of the connection could not be read; the log of the worker has the reason"


class Report(Struct, frozen=True, kw_only=True):
    """What is reported to a pull request."""

    sha: str | None
    """Commit of the status."""
    verdict: CommitVerdict
    url: str | None
    """Page that the status links to."""
    text: str | None = None
    """Comment; None to leave the comment as it is."""
    reported: str | None = None
    """Compared runs: `BASE_RUN CURRENT_RUN`."""


class ReportSubject(Struct, frozen=True, kw_only=True):
    """A pull request to report to, with its connection and its jobs."""

    connection: RepositoryConnection
    pull_request: PullRequest
    base: ExtractionJob
    head: ExtractionJob
    name: str | None
    """Name of the connection if its repository has several."""


class PullRequestReporter:
    """Handler of reports; a report that the pull request has already needs no request."""

    def __init__(self, context: TaskContext) -> None:
        self._context = context
        self._state = context.state

    async def __call__(self, task: Task) -> None:
        """Report the state of the jobs of a pull request, or the comparison of their runs."""
        subject = await asyncio.to_thread(
            _subject, self._state, task.connection_id, int(task.payload["number"])
        )
        if subject is None:
            return
        report = await self._report(subject)
        if report is not None:
            await self._write(subject, report)

    async def _report(self, subject: ReportSubject) -> Report | None:
        """Return what to report now; None if nothing is new."""
        head, base, pull_request = subject.head, subject.base, subject.pull_request
        sha = head.commit_sha or pull_request.head_sha
        if not (head.status.is_over and base.status.is_over):
            return self._pending(pull_request, head, sha)
        if head.is_refused and not is_never_read_by_dbt(head, base):
            return self._refusal(subject, sha)
        for job in (head, base):
            if job.status is not JobStatus.SUCCESS or job.run_id is None:
                ended = await asyncio.to_thread(at_failed_stage, self._state, job)
                return self._failure(subject, ended, sha)
        if needs_lower_base(head, base) and not subject.connection.requires_dbt:
            # If a newer event has requested other jobs, their end leads to the next report.
            await asyncio.to_thread(request_base_again, self._state, head, base)
            return self._pending(pull_request, head, sha)
        if base.tier is not head.tier:
            return self._unlike(subject, sha)
        return await self._comparison(subject, sha)

    def _pending(self, pull_request: PullRequest, head: ExtractionJob, sha: str | None) -> Report | None:
        # Once for each commit: later jobs of the commit keep the verdict until they end.
        if sha is None or _is_same_commit(pull_request.status_sha, sha):
            return None
        verdict = CommitVerdict.of(StatusState.PENDING, "The commit is extracted")
        return Report(sha=sha, verdict=verdict, url=self._context.links.job(head))

    def _refusal(self, subject: ReportSubject, sha: str | None) -> Report:
        """Return the report of a commit that dbt refuses; what was read without it proves nothing."""
        connection, head, url = subject.connection, subject.head, self._context.links.job(subject.head)
        is_new = subject.base.status is JobStatus.SUCCESS and subject.base.tier is ExtractionTier.GOLD
        why = self._reason(subject, head)
        if is_new and head.failure == NO_PROJECT:
            why = f"{PROJECT_FILE} is gone"
        text = refused_comment(connection.id, why, name=subject.name, url=url)
        verdict = refused_verdict(why, is_new=is_new)
        return Report(sha=sha, verdict=verdict, url=url, text=text)

    def _unlike(self, subject: ReportSubject, sha: str | None) -> Report:
        """Return the report of two runs of different tiers: what they have is not alike, though unchanged."""
        lower = next(job for job in (subject.base, subject.head) if job.tier is not ExtractionTier.GOLD)
        side = "Base" if lower is subject.base else "Head"
        why = f"{side} was read without dbt: {self._reason(subject, lower) or 'no reason is stored'}"
        url = self._context.links.job(lower)
        text = incomparable_comment(subject.connection.id, why, None, name=subject.name, url=url)
        verdict = CommitVerdict.of(StatusState.ERROR, f"Not compared: {why[0].lower()}{why[1:]}")
        return Report(sha=sha, verdict=verdict, url=url, text=text)

    def _failure(self, subject: ReportSubject, job: ExtractionJob, sha: str | None) -> Report:
        connection, url = subject.connection, self._context.links.job(job)
        # The text of a database may name hosts and folders.
        why = _NO_STORE if job.failure == "store" else self._reason(subject, job) or job.status.value
        text = failure_comment(connection.id, job, error=why, name=subject.name, url=url)
        return Report(sha=sha, verdict=failure_verdict(job, why), url=url, text=text)

    async def _comparison(self, subject: ReportSubject, sha: str | None) -> Report:
        connection, links = subject.connection, self._context.links
        runs = subject.base.run_id or "", subject.head.run_id or ""
        url = links.diff(connection.store, *runs)
        # Files of a fork decide nothing, and their queries are not run.
        files = (
            {}
            if subject.pull_request.is_fork
            else await asyncio.to_thread(read_job_files, self._state, subject.head.id)
        )
        notes: tuple[str, ...] = ()
        try:
            diff = await self._context.diff(connection.store, *runs)
            conditions, notes = _conditions(connection, files)
            is_counted = connection.previews_data and _lacks_preview(subject) is None
            outcome = await self._context.check(connection, files, *runs, previews=is_counted)
            verdict = report_verdict(diff, conditions, outcome)
        except RecceMetaError as error:
            if can_retry(error) or isinstance(error, ConfigurationError):
                raise
            # The text of a database may name hosts and folders, which readers of a forge must not see.
            is_ours = not isinstance(error, (WarehouseError, StoreNotFound, StoreOutdated))
            message, hint = (error.message, error.hint) if is_ours else (_NO_STORE, None)
            if not is_ours:
                log.error(
                    "%s: the runs cannot be read: %s",
                    connection.name,
                    self._context.scrub(connection, error.message),
                )
            text = incomparable_comment(connection.id, message, hint, name=subject.name, url=url)
            failed = CommitVerdict.of(StatusState.ERROR, message)
            return Report(sha=sha, verdict=failed, url=url, text=text, reported=" ".join(runs))
        if notes:
            # A gate that cannot be read must not pass.
            verdict = CommitVerdict.of(StatusState.ERROR, notes[0])
        if limits := self._limits(subject):
            notes = (*notes, *limits)
            may_pass = connection.accepts_without_dbt or verdict.state is not StatusState.SUCCESS
            state = verdict.state if may_pass else StatusState.NEUTRAL
            said = verdict.description.removeprefix(f"{WITHOUT_DBT} · ")
            verdict = CommitVerdict.of(state, f"{WITHOUT_DBT}: {said}")
        to, forge = links.store(connection.store), find_forge(connection.type)
        text = report_comment(
            connection.id,
            diff,
            outcome,
            name=subject.name,
            to=to,
            notes=(*notes, *_left_out(subject)),
            max_chars=MAX_CHARS if forge is None else min(MAX_CHARS, forge.longest_comment),
        )
        return Report(sha=sha, verdict=verdict, url=url, text=text, reported=" ".join(runs))

    def _limits(self, subject: ReportSubject) -> tuple[str, ...]:
        """Return a sentence if both sides were read without dbt, with the reason."""
        if subject.head.tier in (None, ExtractionTier.GOLD):
            return ()
        why = self._reason(subject, subject.head, subject.base)
        return ("Both sides were read without dbt" + (f": {why}" if why else ""),)

    def _reason(self, subject: ReportSubject, *jobs: ExtractionJob) -> str:
        """Return the first reason of *jobs* for a lower tier, or for their failure."""
        reasons = (job.fallback or job.error for job in jobs if job.fallback or job.error)
        return " ".join(self._context.scrub(subject.connection, next(reasons, None) or "").split())

    async def _write(self, subject: ReportSubject, report: Report) -> None:
        """Write what the pull request does not have yet, and store what it has now."""
        stored = subject.pull_request
        digest = stored.comment_digest if report.text is None else sha256(report.text.encode()).hexdigest()
        is_new_text = digest != stored.comment_digest
        status = report.sha, report.verdict.state.value
        # A new text, such as that of another base, has another page and description.
        is_new_status = report.sha is not None and (
            is_new_text or status != (stored.status_sha, stored.status_state)
        )
        if not is_new_text and not is_new_status:
            await self._note(subject, reported=report.reported or stored.reported, error=None)
            return
        client = await self._try(subject, self._context.open_forge(subject.connection))
        if client is None:
            await self._note(subject, reported=report.reported, reported_at=_now(), error=None)
            return
        refusal: TaskRefused | None = None
        if is_new_text and report.text is not None:
            try:
                comment_id = await self._try(subject, self._comment(client, stored, report.text), "comment")
            except TaskRefused as error:
                refusal = error  # the token may still be able to set a status
            else:
                # At once: a report that breaks off must not create a second comment. Its status is still due.
                await self._note(subject, comment_id=comment_id, comment_digest=digest, status_state=None)
        if report.sha is not None:
            is_former = stored.status_sha is not None and not _is_same_commit(stored.status_sha, report.sha)
            if is_former and stored.status_state == StatusState.PENDING.value:
                await self._end_former(subject, client, report.sha)
            setting = client.set_status(
                report.sha, report.verdict.state, report.verdict.description, url=report.url
            )
            await self._try(subject, setting, "status")
            await self._note(subject, status_sha=report.sha, status_state=report.verdict.state.value)
        if refusal is not None:
            raise refusal
        await self._note(
            subject,
            reported=report.reported or stored.reported,
            reported_at=_now(),
            base_sha=subject.base.commit_sha or stored.base_sha,
            error=None,
        )
        # A status proves nothing about the right to comment.
        if is_new_text and subject.connection.forge_error is not None:
            await asyncio.to_thread(_set_forge_error, self._state, subject.connection.id, None)

    async def _end_former(self, subject: ReportSubject, client: ForgeClient, sha: str) -> None:
        """End the pending status of the former head: *sha* has replaced it, so that no report follows."""
        former = str(subject.pull_request.status_sha)
        verdict = CommitVerdict.of(StatusState.ERROR, f"Not compared: {short_sha(sha)} replaced this commit")
        setting = client.set_status(former, verdict.state, verdict.description, url=None)
        try:
            await self._try(subject, setting, "status")
        except ForgeFailure as error:
            # After a forced push, the forge may have deleted the commit.
            if can_retry(error):
                raise
            log.info("no status of %s, a former head: %s", former, error.message)

    async def _comment(self, client: ForgeClient, stored: PullRequest, text: str) -> str:
        """Create or change the comment, and return its id."""
        marker = comment_marker(stored.connection_id)
        # A report that broke off may have created one.
        known = stored.comment_id or await client.find_comment(stored.number, marker)
        if known is not None:
            try:
                return await client.write_comment(stored.number, text, comment_id=known)
            except ForgeFailure as error:
                if error.kind is not ForgeFailureKind.GONE:
                    raise
        return await client.write_comment(stored.number, text)

    async def _try(self, subject: ReportSubject, request: Awaitable[T], writes: str | None = None) -> T:
        """Return the result of *request*; store its failure, and count what it *writes*.

        Raises TaskRefused if a person has to change the login, or its rights.
        """
        forge = subject.connection.type
        try:
            answer = await request
            if writes is not None:
                COMMENTS.count(forge, writes, "written")
            return answer
        except (ForgeFailure, GitFailure, ConfigurationError) as error:
            if writes is not None:
                COMMENTS.count(forge, writes, "failed")
            message = self._context.scrub(subject.connection, error.message)
            await self._note(subject, error=message)
            if can_retry(error) or (
                isinstance(error, ForgeFailure)
                and error.kind not in (ForgeFailureKind.SCOPE, ForgeFailureKind.TOKEN)
            ):
                raise
            shown = "; ".join(filter(None, (message, error.hint)))
            if await asyncio.to_thread(_set_forge_error, self._state, subject.connection.id, shown):
                log.warning("connection %s cannot report: %s", subject.connection.name, message)
            raise TaskRefused(message, hint=error.hint) from None

    async def _note(self, subject: ReportSubject, **fields: object) -> None:
        """Store *fields* of the report, unless all of them are stored."""
        pull_request = await asyncio.to_thread(
            get_pull_request, self._state, subject.connection.id, subject.pull_request.number
        )
        changes = {name: value for name, value in fields.items() if getattr(pull_request, name) != value}
        if changes:
            await asyncio.to_thread(_change, self._state, pull_request, changes)


def _subject(state: State, connection_id: str, number: int) -> ReportSubject | None:
    """Return what to report to; None if nothing is to be reported, or it was removed meanwhile."""
    try:
        connection = get_connection(state, connection_id)
        pull_request = get_pull_request(state, connection_id, number)
        if pull_request.head_job is None or pull_request.base_job is None:
            return None
        head, base = (get_job(state, job) for job in (pull_request.head_job, pull_request.base_job))
    except UnknownNameError:
        return None
    if pull_request.state is not PullRequestState.OPEN or not connection.watches_pull_requests:
        return None
    same = [one for one in list_connections(state) if one.repo_url == connection.repo_url]
    name = connection.name if len(same) > 1 else None
    return ReportSubject(connection=connection, pull_request=pull_request, base=base, head=head, name=name)


def _conditions(
    connection: RepositoryConnection, files: dict[str, str]
) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the conditions of the connection, or of the repository, and sentences about invalid ones."""
    given = connection.fail_on
    try:
        if not given:
            given = config_of(files).fail_on.diff
        if not given:
            return NO_CONDITIONS, ()
        # No data is compared here.
        return parse_fail_on(",".join(given), of_data=True) - {NOT_COMPARED}, ()
    except (UsageError, ConfigurationError) as error:
        return NO_CONDITIONS, (f"The conditions of fail_on cannot be read: {error.message}",)


def _left_out(subject: ReportSubject) -> tuple[str, ...]:
    """Return sentences about what the comment lacks, as that of a fork does."""
    gap = _lacks_preview(subject) if subject.connection.previews_data else None
    gaps = () if gap is None else (f"Rows that the edits change were not counted: {gap}",)
    if not subject.pull_request.is_fork:
        return gaps
    files = "Checks, quality rules and conditions" if subject.connection.runs_checks else "Conditions"
    return (f"{files} in files of this fork were not applied", *gaps)


def _lacks_preview(subject: ReportSubject) -> str | None:
    """Return why no query of the pull request's SQL is sent; None if nothing forbids it."""
    if subject.pull_request.is_fork:
        return "the SQL of a fork is not run"
    if not subject.connection.profile.schema:
        return "the schema of the target is not set"
    if not subject.base.tier is subject.head.tier is ExtractionTier.GOLD:
        return "without dbt, macros are guessed"
    return None


def _set_forge_error(state: State, connection_id: str, error: str | None) -> bool:
    """Store *error* in the connection, and return True if it is new."""
    try:
        if get_connection(state, connection_id).forge_error == error:
            return False
        update_connection(state, connection_id, forge_error=error)
    except UnknownNameError:
        return False
    return True


def _change(state: State, pull_request: PullRequest, changes: dict[str, object]) -> None:
    change_report(state, pull_request.connection_id, pull_request.number, **changes)


def _is_same_commit(stored: str | None, sha: str) -> bool:
    # Some answers of forges have shortened commits.
    return stored is not None and (stored.startswith(sha) or sha.startswith(stored))


def _now() -> datetime:
    return datetime.now(timezone.utc)
