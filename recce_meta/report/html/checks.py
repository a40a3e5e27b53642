"""Checks in the order of the page, with what a template shows of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from recce_meta.errors import plural
from recce_meta.models.change import RunDiff
from recce_meta.models.checks import CheckReport, CheckResult
from recce_meta.report.data.check_findings import (
    CHECK_MARKS,
    FindingKind,
    NodeFinding,
    by_result,
    check_word,
    counted_words,
    is_report,
    node_findings,
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
    """Return figure, words and class of a tile for each outcome of checks."""
    made = checks.checks if checks is not None else ()
    total = f"of {plural(len(made), 'check')}"
    parts = ((word, *text.split(" ", 1)) for word, text in counted_words(made).items())
    return [
        (int(number.replace(",", "")), f"{total} {text}", CHECK_MARKS[word].tone)
        for word, number, text in parts
    ]


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
