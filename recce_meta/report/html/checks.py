"""Checks in the order of the page, with what a template shows of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from recce_meta.errors import plural
from recce_meta.models.change import RunDiff
from recce_meta.models.checks import CheckReport, CheckResult, CheckStatus
from recce_meta.report.data.check_findings import (
    CHECK_MARKS,
    FindingKind,
    NodeFinding,
    by_result,
    check_finding,
    check_word,
    is_report,
    node_findings,
    problems_phrase,
)
from recce_meta.report.data.verdicts import CLAIMS


class CheckRow(NamedTuple):
    """Row of a check in the table."""

    tag: tuple[str, str, str]
    """Sign, class and word."""
    result: CheckResult
    violations: Sequence[str]
    """Violations that the message does not contain."""
    findings: Sequence[NodeFinding]
    same: Sequence[str]
    """Names of nodes without a difference."""
    is_listed: bool
    """True if there are several nodes to distinguish."""
    claim: str


def check_rows(checks: CheckReport) -> list[CheckRow]:
    """Return the rows of the table, most severe first."""
    return list(map(_row, by_result(checks.checks)))


def check_tiles(checks: CheckReport | None) -> list[tuple[int, str, str]]:
    """Return figure, sentence and class of each tile: failed or passed checks, and differences."""
    if checks is None or not checks.checks:
        return []
    problems = problems_phrase(checks.checks, plural(len(checks.checks), "check"))
    reporting = [check for check in checks.checks if is_report(check)]
    # A check without expectations counts as passed, but proves nothing.
    passed = checks.count(CheckStatus.PASSED) - len(reporting)
    tiles = []
    if problems:
        number = checks.count(CheckStatus.FAILED) or checks.count(CheckStatus.ERROR)
        tiles.append((number, problems.partition(" ")[2], "failed"))
    elif passed:
        tiles.append((passed, "checks passed" if passed > 1 else "check passed", "same"))
    if reporting:
        differing = sum(check_finding(check) is FindingKind.DIFFERS for check in reporting)
        tiles.append(
            (differing, f"of {plural(len(reporting), 'check')} differ", "differs" if differing else "info")
        )
    return tiles


def _row(check: CheckResult) -> CheckRow:
    word = check_word(check)
    found = node_findings(check.type, check.results) if is_report(check) else ()
    return CheckRow(
        tag=(CHECK_MARKS[word].glyph, CHECK_MARKS[word].tone, word),
        result=check,
        violations=[one for one in check.violations if one != check.message],
        findings=[one for one in found if one.finding is not FindingKind.SAME],
        same=[one.name for one in found if one.finding is FindingKind.SAME],
        is_listed=len(found) > 1 or any(isinstance(answer, RunDiff) for answer in check.results),
        claim=CLAIMS.get(check.type, "").capitalize(),
    )
