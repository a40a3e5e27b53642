"""Results of checks on a terminal: a table, the reasons of those that failed, and what the others found."""

from __future__ import annotations

from collections.abc import Sequence

from recce_meta.models.check_result import CheckReport, CheckResult, CheckStatus
from recce_meta.report.check_findings import (
    SAME,
    Finding,
    NodeFinding,
    is_note,
    is_report,
    node_findings,
    reports_phrase,
)
from recce_meta.report.data.text import body_lines
from recce_meta.report.terminal import BLANK, Line, Span, Style, plain, render, table
from recce_meta.report.wording import more

MOST_VIOLATIONS = 20
"""Of one check; JSON has them all."""
MOST_FINDINGS = 20
"""Nodes of one check that are listed; JSON has them all."""
MOST_LINES = 40
"""Lines below one check that only reports."""

REPORTED = "reported"
NOTE = "note"

STYLES = {
    CheckStatus.PASSED: Style.GREEN,
    CheckStatus.FAILED: Style.RED,
    CheckStatus.ERROR: Style.RED,
    CheckStatus.SKIPPED: Style.DIM,
}
_MARKS = {
    Finding.FAILED: Span("! ", Style.RED),
    Finding.DIFFERS: Span("~ ", Style.YELLOW),
    Finding.ONLY_IN_BASE: Span("- ", Style.RED),
    Finding.ONLY_IN_CURRENT: Span("+ ", Style.GREEN),
    Finding.NOT_COMPARED: Span("? ", Style.CYAN),
    Finding.SHOWN: Span("  "),
    Finding.SAME: Span("= ", Style.GREEN),
}
_WHOLE = 0
"""What is wrong is never cut: the figures stand at the end of a line as often as not."""


def check_report_text(report: CheckReport, *, width: int, color: bool) -> str:
    """Return a table of all checks, below it what is wrong or was found, and a verdict."""
    if not report.checks:
        return render(
            [plain(f"No checks in {report.path}" if report.path else "No checks")], width=0, color=color
        )
    listed = render(table([_row(check) for check in report.checks], indent=0), width=width, color=color)
    lines: list[Line] = []
    for check in report.checks:
        lines += _findings(check, width) if is_report(check) else _details(check)
    return listed + render([*lines, BLANK, _verdict(report)], width=_WHOLE, color=color)


def _row(check: CheckResult) -> list[Span]:
    """Return the cells of a check; the reasons of one that failed are below the table."""
    is_below = check.status in (CheckStatus.FAILED, CheckStatus.ERROR)
    note = "" if is_below else ((is_note(check) and check.description) or check.message).partition("\n")[0]
    return [
        _status(check),
        Span(check.name),
        Span(check.type, Style.DIM),
        Span(f"{check.seconds:.1f} s" if check.seconds >= 0.05 else "", Style.DIM),
        Span(note, Style.DIM),
    ]


def _status(check: CheckResult) -> Span:
    """Return the status; a check that only reports has not passed anything."""
    if is_note(check):
        return Span(NOTE, Style.DIM)
    return Span(REPORTED, Style.CYAN) if is_report(check) else Span(str(check.status), STYLES[check.status])


def _findings(check: CheckResult, width: int) -> list[Line]:
    """Return what a check found, by node; nothing if its line in the table has all of it."""
    found = node_findings(check.type, check.results)
    if not any(one.answer is not None or one.finding is not Finding.SAME for one in found):
        return []
    lines: list[Line] = [BLANK, (Span(check.name, Style.BOLD), Span(f"  {check.message}", Style.DIM))]
    telling = [one for one in found if one.finding is not Finding.SAME]
    same = [one for one in found if one.finding is Finding.SAME]
    body = _nodes(telling[:MOST_FINDINGS], width, is_single=len(found) == 1)
    if len(telling) > MOST_FINDINGS:
        body.append((Span(f"  {more(len(telling) - MOST_FINDINGS, hint=True)}", Style.DIM),))
    if len(body) > MOST_LINES:
        hidden = f"  … {len(body) - MOST_LINES:,} more lines (--format json has all)"
        body = [*body[:MOST_LINES], (Span(hidden, Style.DIM),)]
    if same:
        names = ", ".join(one.name for one in same)
        body.append((Span("  "), _MARKS[Finding.SAME], Span(f"{SAME[check.type]}: {names}")))
    return lines + body


def _nodes(found: Sequence[NodeFinding], width: int, *, is_single: bool) -> list[Line]:
    """Return the nodes as a table if a line has all of each, else each with its figures below."""
    rows = [
        [Span(_MARKS[one.finding].text + one.name, _MARKS[one.finding].style), Span(one.text)]
        for one in found
    ]
    if is_single and found and found[0].answer is not None:
        return body_lines(found[0].answer, width)
    body: list[Line] = []
    for one, line in zip(found, table(rows), strict=True):
        figures = [] if one.answer is None else body_lines(one.answer, max(width - 2, 0))
        body += [line, *((Span("  "), *figure) for figure in figures)]
    return body


def _details(check: CheckResult) -> list[Line]:
    if check.status not in (CheckStatus.FAILED, CheckStatus.ERROR):
        return []
    title = (Span(check.name, Style.BOLD), Span(f"  {check.where}", Style.DIM))
    told = check.violations or tuple(filter(None, check.message.split("\n")))
    lines: list[Line] = [BLANK, title, *(plain(f"  {sentence}") for sentence in told[:MOST_VIOLATIONS])]
    if len(told) > MOST_VIOLATIONS:
        lines.append((Span(f"  {more(len(told) - MOST_VIOLATIONS, hint=True)}", Style.DIM),))
    if check.hint:
        lines.append((Span("  hint: ", Style.YELLOW), Span(check.hint)))
    return lines


def _verdict(report: CheckReport) -> Line:
    """Return `9 checks: 1 passed, 1 failed, 1 skipped, 4 of 6 checks differ, in 2.1 s`."""
    noun = "check" if len(report.checks) == 1 else "checks"
    spans = [Span(f"{len(report.checks):,} {noun}: ")]
    reporting = sum(map(is_report, report.checks))
    notes = sum(map(is_note, report.checks))
    hidden = {CheckStatus.PASSED: reporting, CheckStatus.SKIPPED: notes}
    for status in CheckStatus:
        if count := report.count(status) - hidden.get(status, 0):
            word = "errors" if status is CheckStatus.ERROR and count > 1 else str(status)
            spans += [Span(f"{count:,} {word}", STYLES[status]), Span(", ")]
    if reporting:
        spans += [Span(f"{reporting:,} reported ({reports_phrase(report)})", Style.CYAN), Span(", ")]
    if notes:
        spans += [Span(f"{notes:,} note{'s' * (notes != 1)}", Style.DIM), Span(", ")]
    return [*spans, Span(f"in {report.seconds:.1f} s")]
