"""What came of checks, on a terminal."""

from __future__ import annotations

from recce_meta.models.check_result import CheckReport, CheckResult, CheckStatus
from recce_meta.report.terminal import BLANK, Line, Span, Style, plain, render, table
from recce_meta.report.wording import more

MOST_VIOLATIONS = 20
"""Of one check; JSON has them all."""

STYLES = {
    CheckStatus.PASSED: Style.GREEN,
    CheckStatus.FAILED: Style.RED,
    CheckStatus.ERROR: Style.RED,
    CheckStatus.SKIPPED: Style.DIM,
}
_WHOLE = 0
"""What is wrong is never cut: the figures stand at the end of a line as often as not."""


def check_report_text(report: CheckReport, *, width: int, color: bool) -> str:
    """A table of all checks, what is wrong with each that failed, and the verdict."""
    if not report.checks:
        return render(
            [plain(f"No checks in {report.path}" if report.path else "No checks")], width=0, color=color
        )
    listed = render(table([_row(check) for check in report.checks], indent=0), width=width, color=color)
    lines: list[Line] = []
    for check in report.checks:
        lines += _details(check)
    return listed + render([*lines, BLANK, _verdict(report)], width=_WHOLE, color=color)


def _row(check: CheckResult) -> list[Span]:
    """Failed checks have their own lines below the table."""
    is_told_below = check.status in (CheckStatus.FAILED, CheckStatus.ERROR)
    note = "" if is_told_below else check.message.partition("\n")[0]
    return [
        Span(str(check.status), STYLES[check.status]),
        Span(check.name),
        Span(check.type, Style.DIM),
        Span(f"{check.seconds:.1f} s" if check.seconds >= 0.05 else "", Style.DIM),
        Span(note, Style.DIM),
    ]


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
    """`5 checks: 3 passed, 1 failed, 1 skipped, in 2.1 s`."""
    noun = "check" if len(report.checks) == 1 else "checks"
    spans = [Span(f"{len(report.checks):,} {noun}: ")]
    for status in CheckStatus:
        if count := report.count(status):
            word = "errors" if status is CheckStatus.ERROR and count > 1 else str(status)
            spans += [Span(f"{count:,} {word}", STYLES[status]), Span(", ")]
    return [*spans, Span(f"in {report.seconds:.1f} s")]
