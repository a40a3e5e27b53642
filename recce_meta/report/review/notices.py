"""Notices of commands for the receivers of notifications: changed schemas, failed expectations and checks.

The texts are plain, and have no value that the report of the command lacks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from recce_meta.errors import plural, shorten
from recce_meta.models import Change, RunDiff, RunMetadata
from recce_meta.models.checks import CheckReport, CheckResult, CheckStatus
from recce_meta.quality.compare import QualityResult
from recce_meta.quality.figures import failed_text
from recce_meta.report.data.check_findings import (
    DIFFERING,
    by_result,
    checks_phrase,
    is_report,
    node_findings,
)
from recce_meta.report.labels import main_reasons, node_label
from recce_meta.report.review.verdict import verdict_of

MOST_LINES = 10
"""Changes, expectations or checks that a notice lists."""
LONGEST_LINE = 300


class Notice(Struct, frozen=True, kw_only=True):
    """What a command has found, in a title and lines."""

    kind: str
    """`schema_change`, `quality` or `checks`."""
    key: str
    """Identity of the run or measurement."""
    project: str
    environment: str
    title: str
    lines: tuple[str, ...]
    runs: tuple[str, ...] = ()
    """Stored runs that the notice is about: base and current."""


def schema_notice(diff: RunDiff | None) -> Notice | None:
    """Return the notice of two scans; None without an earlier one, and if nothing has changed since."""
    if diff is None or not diff.changed:
        return None
    run = diff.current
    return Notice(
        kind="schema_change",
        key=run.run_id,
        project=run.project_name,
        environment=run.environment,
        title=f"{run.project_name}: {plural(len(diff.changed), 'relation')} changed in {run.environment}",
        lines=(verdict_of(diff).text, *listed_changes(diff.changed)),
        runs=(diff.base.run_id, run.run_id),
    )


def quality_notice(result: QualityResult) -> Notice | None:
    """Return the notice of a measurement; None if all expectations are met and no condition is."""
    run = result.quality.run
    if not result.violations:
        return None
    return Notice(
        kind="quality",
        key=run.quality_run_id,
        project=run.project_name,
        environment=run.environment,
        title=f"{run.project_name}: {failed_text(result.violations)}",
        lines=_listed(one.message for one in result.violations),
    )


def checks_notice(report: CheckReport, base: RunMetadata, current: RunMetadata) -> Notice | None:
    """Return the notice of checks; None if all passed and those without expectations found no difference."""
    broken = [one for one in report.checks if one.status in (CheckStatus.FAILED, CheckStatus.ERROR)]
    differing = [one for one in report.checks if is_report(one) and _differs(one)]
    if not broken and not differing:
        return None
    counted = checks_phrase(report.checks, plural(len(report.checks), "check"))
    choice = report.choice
    sides = () if choice is None else tuple(filter(None, (choice.base.run_id, choice.current.run_id)))
    return Notice(
        kind="checks",
        key=f"{base.run_id}-{current.run_id}",
        project=current.project_name,
        environment=current.environment,
        title=f"{current.project_name}: {counted}",
        lines=_listed(f"{one.name}: {one.message or one.status}" for one in by_result([*broken, *differing])),
        runs=sides,
    )


def _differs(check: CheckResult) -> bool:
    return any(one.finding in DIFFERING for one in node_findings(check.type, check.results))


def listed_changes(changes: Sequence[Change]) -> tuple[str, ...]:
    """Return a line for each of the first *changes*, and the number of further ones."""
    return _listed(map(_change, changes))


def _change(change: Change) -> str:
    reasons = change.category_reasons or tuple(main_reasons(change))
    about = f": {', '.join(reasons)}" if reasons else ""
    return f"{node_label(change)} {change.status.value}{about}"


def _listed(lines: Iterable[str]) -> tuple[str, ...]:
    found = [shorten(line, LONGEST_LINE) for line in lines]
    hidden = len(found) - MOST_LINES
    return (*found[:MOST_LINES], *([f"… and {hidden:,} more"] if hidden > 0 else []))
