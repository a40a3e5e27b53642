"""Text of comments on pull requests and of commit statuses, and links to the pages of the server."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from msgspec import Struct

from recce_meta.api.diff import failed_text
from recce_meta.errors import UsageError, first_of, plural, shorten
from recce_meta.models.change import RunDiff
from recce_meta.models.checks import CheckReport
from recce_meta.report.addresses import Addresses, segment, server_addresses
from recce_meta.report.labels import build_problem
from recce_meta.report.markdown import MARKER, MAX_CHARS
from recce_meta.report.pull_request import pull_request_markdown
from recce_meta.report.review.verdict import verdict_of
from recce_meta.report.terminal import code, prose
from recce_meta.repositories.forges.base import StatusState
from recce_meta.repositories.state.types import ExtractionJob, JobSource, JobStatus

LONGEST_STATUS = 140
"""Characters that every forge accepts in the description of a commit status."""
LONGEST_ERROR = 300
_NAMES = 3
_NOTES = 20
_ROOM = 4_000
"""Characters reserved for what is added to the report of a diff."""

PARSED = "No build of these versions is recorded; tables may be older than the code"
"""Note of a comment with checks: runs of connected repositories are only parsed."""


class CommitVerdict(Struct, frozen=True):
    """State and description of a commit status."""

    state: StatusState
    description: str

    @classmethod
    def of(cls, state: StatusState, text: str) -> CommitVerdict:
        """Return the verdict with *text* as one line that is short enough."""
        return cls(state, shorten(" ".join(text.split()), LONGEST_STATUS))


class RepositoryResults(Struct, frozen=True, kw_only=True):
    """Results of the files of checks and of quality in the repository."""

    checks: CheckReport | None = None
    violations: tuple[str, ...] = ()
    """Sentences about expectations in quality.yml that are not met."""
    measured: int | None = None
    """Number of measured tables; None if none were measured."""
    notes: tuple[str, ...] = ()
    """Sentences about what could not be run."""
    previews: tuple[str, ...] = ()
    """What the edits do to the data of each edited node, before a build."""


NO_CHECKS = RepositoryResults()


def comment_marker(connection_id: str) -> str:
    """Return the hidden first line of the comment of a connection."""
    return f"<!-- recce_meta connection={connection_id} -->"


def report_comment(
    connection_id: str,
    diff: RunDiff,
    outcome: RepositoryResults = NO_CHECKS,
    *,
    name: str | None = None,
    to: Addresses | None = None,
    notes: Sequence[str] = (),
    max_chars: int = MAX_CHARS,
) -> str:
    """Return the comment about *diff* in about *max_chars* characters (at least 24,000).

    *name* is that of the connection if a repository has several.
    """
    text = pull_request_markdown(diff, (), outcome.checks, max_chars=max_chars - _ROOM, to=to)
    # Without the marker of the command line, whose users replace the comment that has it.
    text = _titled(text.removeprefix(f"{MARKER}\n"), name)
    parsed = [] if outcome.checks is None else [PARSED]
    remarks = _notes([*outcome.notes, *parsed, *notes])
    previews = _notes(outcome.previews)
    title = "\n#### Data of the edits, before a build\n" if previews else ""
    return f"{comment_marker(connection_id)}\n{text}" + title + previews + _quality(outcome) + remarks


def failure_comment(
    connection_id: str, job: ExtractionJob, *, error: str, name: str | None = None, url: str | None = None
) -> str:
    """Return the comment about a *job* without a run; *error* has no secret, and the page is at *url*."""
    lines = [f"### ❗ {_failure_title(job)}: {code(shorten(error, LONGEST_ERROR), LONGEST_ERROR)}"]
    if job.hint:
        lines.append(f"Hint: {prose(shorten(job.hint, LONGEST_ERROR))}")
    return _short_comment(connection_id, lines, name, url, "Open the job in recce_meta")


def refused_comment(
    connection_id: str, error: str, *, name: str | None = None, url: str | None = None
) -> str:
    """Return the comment about a commit that dbt refuses: *error* is its message, without secrets."""
    lines = [
        f"### ❌ dbt cannot read this commit: {code(shorten(error, LONGEST_ERROR), LONGEST_ERROR)}",
        "The runs are not compared: without dbt, tests, exposures and macros cannot be read whole.",
    ]
    return _short_comment(connection_id, lines, name, url, "Open the job in recce_meta")


def incomparable_comment(
    connection_id: str, error: str, hint: str | None, *, name: str | None = None, url: str | None = None
) -> str:
    """Return the comment about two runs that cannot be compared because of *error*."""
    lines = [f"### ❗ Not compared: {code(shorten(error, LONGEST_ERROR), LONGEST_ERROR)}"]
    lines += [f"Hint: {prose(shorten(hint, LONGEST_ERROR))}"] if hint else []
    return _short_comment(connection_id, lines, name, url, "Open the runs in recce_meta")


def _short_comment(
    connection_id: str, lines: Sequence[str], name: str | None, url: str | None, link: str
) -> str:
    link_lines = [f"[{link}]({url})"] if url else []
    text = _titled("\n\n".join([*lines, *link_lines]) + "\n", name)
    return f"{comment_marker(connection_id)}\n{text}"


def _failure_title(job: ExtractionJob) -> str:
    side = "base" if job.source is JobSource.MERGE_BASE else "head"
    if job.status is JobStatus.CANCELLED:
        return f"The extraction of the {side} was cancelled"
    step = f" in {prose(job.stage.value)}" if job.stage else ""
    return f"The extraction of the {side} failed{step}"


def _titled(text: str, name: str | None) -> str:
    """Return *text* with *name* at the start of its title."""
    return text if name is None else text.replace("### ", f"### {code(name)} · ", 1)


def _quality(outcome: RepositoryResults) -> str:
    if outcome.measured is None:
        return ""
    found = f"{plural(len(outcome.violations), 'expectation')} not met"
    phrase = f"❌ {found}" if outcome.violations else "✅ no expectation is violated"
    shown = [f"- {prose(shorten(one, LONGEST_ERROR))}\n" for one in outcome.violations[:_NAMES]]
    hidden = len(outcome.violations) - len(shown)
    rest = f"- … and {hidden:,} more\n" if hidden else ""
    return (
        f"\n#### Quality\n\n{phrase} ({plural(outcome.measured, 'table')} measured)\n\n{''.join(shown)}{rest}"
    )


def _notes(notes: Sequence[str]) -> str:
    lines = [f"- {prose(shorten(note, LONGEST_ERROR))}\n" for note in notes[:_NOTES]]
    return "\n" + "".join(lines) if lines else ""


def failure_verdict(job: ExtractionJob, error: str) -> CommitVerdict:
    """Return the verdict on a commit whose *job* has no run because of *error*, which has no secret."""
    return CommitVerdict.of(StatusState.ERROR, f"{_failure_title(job)}: {error}")


def refused_verdict(error: str, *, is_new: bool) -> CommitVerdict:
    """Return the verdict on a commit that dbt refuses: a failure, or an error if it refused base as well."""
    state = StatusState.FAILURE if is_new else StatusState.ERROR
    return CommitVerdict.of(state, f"dbt cannot read this commit: {error}")


def report_verdict(diff: RunDiff, conditions: frozenset[str], outcome: RepositoryResults) -> CommitVerdict:
    """Return the verdict by *conditions*, those of `diff --fail-on`, and by the checks of the repository.

    Raises UsageError for a condition that never holds for these runs.
    """
    if text := failed_text(diff, conditions):
        return CommitVerdict.of(StatusState.FAILURE, text)
    if outcome.checks is not None and not outcome.checks.is_passed:
        failed = [check.name for check in outcome.checks.checks if check.status.value in ("failed", "error")]
        text = f"{len(failed)} of {plural(len(outcome.checks.checks), 'check')} did not pass"
        return CommitVerdict.of(StatusState.FAILURE, f"{text}: {first_of(failed, _NAMES)}")
    if outcome.notes:
        # What could not be run proves nothing.
        return CommitVerdict.of(StatusState.ERROR, outcome.notes[0])
    if outcome.violations:
        text = f"{plural(len(outcome.violations), 'expectation')} of quality.yml not met"
        return CommitVerdict.of(StatusState.FAILURE, text)
    # A build that failed is never green, whatever the conditions are.
    state = StatusState.FAILURE if build_problem(diff.current) else StatusState.SUCCESS
    return CommitVerdict.of(state, verdict_of(diff, (), outcome.checks).text)


PUBLIC_URL = "RECCE_META_PUBLIC_URL"

log = logging.getLogger(__name__)


class PageLinks(Struct, frozen=True, kw_only=True):
    """Addresses of pages; none without a public address of the server."""

    server: str | None = None
    """Address of the server, such as `https://recce.example.com`."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> PageLinks:
        """Return the links to the server in RECCE_META_PUBLIC_URL; an invalid one is ignored and logged."""
        given = environ.get(PUBLIC_URL)
        if not given:
            return cls()
        try:
            return cls(server=server_addresses(given).server)
        except UsageError as error:
            log.warning("no links to %s: %s", PUBLIC_URL, error.message)
            return cls()

    def store(self, name: str) -> Addresses | None:
        """Return the pages of the store *name*."""
        return None if self.server is None else Addresses(name, self.server)

    def diff(self, store: str, base: str, current: str) -> str | None:
        """Return the page of the diff of two runs of *store*."""
        pages = self.store(store)
        return None if pages is None else pages.diff(base, current)

    def run(self, store: str, run_id: str) -> str | None:
        """Return the page of a run of *store*."""
        pages = self.store(store)
        return None if pages is None else pages.run(run_id)

    def job(self, job: ExtractionJob) -> str | None:
        """Return the page of *job*."""
        if self.server is None:
            return None
        return f"{self.server}/connections/{segment(job.connection_id)}/jobs/{segment(job.id)}"
