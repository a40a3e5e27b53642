"""Results of checks as text for a terminal and as JUnit XML.

JUnit XML has no standard. The output follows Jenkins' schema (junit-10.xsd of its xunit plugin) and works
around GitLab, which shows only an element's text and only the first of several test cases with the same name:
sentences are in the message and in the text, and names of test cases are unique.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from recce_meta.errors import plural
from recce_meta.models.checks import CheckReport, CheckResult, CheckStatus
from recce_meta.models.data_diff import ValueDiff
from recce_meta.redaction import neutralise
from recce_meta.report.data.check_findings import (
    CHECK_MARKS,
    FindingKind,
    NodeFinding,
    by_result,
    check_word,
    counted_words,
    is_note,
    is_report,
    node_findings,
)
from recce_meta.report.data.text import body_lines, why_lines
from recce_meta.report.data.verdicts import CLAIMS
from recce_meta.report.labels import DETAILS, more_phrase
from recce_meta.report.run_choice import choice_line, choice_text
from recce_meta.report.terminal import (
    BLANK,
    COLUMN_CAP,
    LEAST_TEXT,
    Line,
    Span,
    Style,
    display_width,
    folded_grid,
    heading_row,
    name_lines,
    plain_line,
    render,
    wrap_text,
)

LEAST_WIDTH = 60
"""Display width below which name and result of a check are one column."""
MOST_VIOLATIONS = 20
"""Violations shown for each check; JSON contains all."""
MOST_FINDINGS = 20
"""Nodes shown for each check; JSON contains all."""
MOST_LINES = 40
"""Lines shown for each check without expectations."""

_STYLES = {
    "failed": Style.RED,
    "differs": Style.YELLOW,
    "one-sided": Style.DIM,
    "info": Style.CYAN,
    "same": Style.GREEN,
}
_MARKS = {
    FindingKind.FAILED: Span("! ", Style.RED),
    FindingKind.DIFFERS: Span("~ ", Style.YELLOW),
    FindingKind.ONLY_IN_BASE: Span("- ", Style.RED),
    FindingKind.ONLY_IN_CURRENT: Span("+ ", Style.GREEN),
    FindingKind.NOT_COMPARED: Span("? ", Style.CYAN),
    FindingKind.SHOWN: Span("  "),
    FindingKind.SAME: Span("= ", Style.GREEN),
}


def check_report_text(report: CheckReport, *, width: int, color: bool, details: bool = False) -> str:
    """Return the runs, a summary and a table of all checks, then the violations and findings of each.

    Without *details*, long lists are cut.
    """
    lines = [*check_summary_lines(report, width), *check_detail_lines(report, width, details=details)]
    head = choice_text(report.choice, width=width, color=color)
    return head + render(lines, width=width, color=color)


def check_summary_lines(report: CheckReport, width: int) -> list[Line]:
    """Return the number of checks by result, and a table of the checks, the most harmful first."""
    if not report.checks:
        return [plain_line(f"No checks in {report.path}" if report.path else "No checks")]
    rows = [heading_row("result", "check", "type", "time", "remark"), *map(_row, by_result(report.checks))]
    if 0 < width < LEAST_WIDTH:
        rows = [[Span(f"{row[0].text}  {row[1].text}", row[0].style), *row[2:]] for row in rows]
    counts = _counts(report)
    is_fitting = not width or sum(display_width(span.text) for span in counts) <= width
    head = [counts] if is_fitting else wrap_text(Span(""), "".join(span.text for span in counts), width)
    return [*head, *folded_grid(rows, width=width)]


def check_detail_lines(report: CheckReport, width: int, *, details: bool) -> list[Line]:
    """Return the violations of failed checks, and the findings of checks without expectations."""
    lines: list[Line] = []
    for check in by_result(report.checks):
        lines += (
            _findings(check, width, details=details)
            if is_report(check)
            else _details(check, width, details=details)
        )
    return lines


def _row(check: CheckResult) -> list[Span]:
    """Return the table cells of a check; violations are listed below the table."""
    is_below = check.status in (CheckStatus.FAILED, CheckStatus.ERROR)
    note = "" if is_below else ((is_note(check) and check.description) or check.message).partition("\n")[0]
    return [
        _status(check),
        Span(check.name),
        Span(check.type, Style.DIM),
        # A shorter time would be shown as `0.0 s`.
        Span(f"{check.seconds:.1f} s" if check.seconds >= 0.05 else "", Style.DIM),
        Span(note, Style.DIM),
    ]


def _status(check: CheckResult) -> Span:
    """Return the outcome of a check."""
    word = check_word(check)
    return Span(word, _STYLES[CHECK_MARKS[word].tone])


def _findings(check: CheckResult, width: int, *, details: bool) -> list[Line]:
    """Return a check's findings by node; nothing if the table row contains all of them."""
    found = node_findings(check.type, check.results)
    if not any(one.answer is not None or one.finding is not FindingKind.SAME for one in found):
        return []
    same = [one for one in found if one.finding is FindingKind.SAME]
    telling = [one for one in found if one.finding is not FindingKind.SAME]
    # The row of the table has said so already.
    if not telling and not details and len(same) == 1:
        return []
    lines: list[Line] = [
        BLANK,
        *wrap_text(Span(f"{check.name}  ", Style.BOLD), check.message, width, Style.DIM),
    ]
    shown = found if details else telling[:MOST_FINDINGS]
    body = _nodes(shown, width, is_single=len(found) == 1, details=details)
    if len(body) > MOST_LINES and not details:
        hidden = f"  … {len(body) - MOST_LINES:,} more lines ({DETAILS} shows all)"
        body = [*body[:MOST_LINES], (Span(hidden, Style.DIM),)]
    if not details and len(telling) > MOST_FINDINGS:
        text = more_phrase(len(telling) - MOST_FINDINGS, hint=True, option=DETAILS)
        body.append((Span(f"  {text}", Style.DIM),))
    if same and not details:
        mark = _MARKS[FindingKind.SAME]
        text = f"{plural(len(same), 'node')} with {CLAIMS[check.type]}"
        names = [f"{one.name} ({one.text})" if check.type == "row_count_diff" else one.name for one in same]
        body += name_lines(Span(f"  {mark.text}", mark.style), text, names, width, is_whole=False)
    return lines + body


def _nodes(found: Sequence[NodeFinding], width: int, *, is_single: bool, details: bool) -> list[Line]:
    """Return each node with its finding, followed by its figures if it has any."""
    if is_single and found and found[0].answer is not None:
        return body_lines(found[0].answer, width, details=details)
    lead = max((display_width(neutralise(one.name)) for one in found), default=0)
    # Six cells for indent, mark and gap.
    lead = min(lead, COLUMN_CAP) + 6
    body: list[Line] = []
    for one in found:
        mark = _MARKS[one.finding]
        name = Span(f"  {mark.text}{neutralise(one.name)}", mark.style)
        gap = lead - display_width(name.text)
        if gap > 0 and (not width or width - lead >= LEAST_TEXT):
            first, *rest = wrap_text(Span(" " * lead), one.text, width)
            body += [(name, Span(" " * gap), *first[1:]), *rest]
        else:
            body += [(name,), *wrap_text(Span("      "), one.text, width)]
        if one.answer is not None:
            figures = body_lines(one.answer, max(width - 2, 0), details=details)
            body += [(Span("  "), *figure) for figure in figures]
    return body


def _details(check: CheckResult, width: int, *, details: bool) -> list[Line]:
    if check.status not in (CheckStatus.FAILED, CheckStatus.ERROR):
        return []
    title = (Span(check.name, Style.BOLD), Span(f"  {check.where}", Style.DIM))
    text = check.violations or tuple(filter(None, check.message.split("\n")))
    shown = text if details else text[:MOST_VIOLATIONS]
    lines: list[Line] = [BLANK, title, *(line for one in shown for line in _violation(one, width))]
    if len(shown) < len(text):
        hidden = more_phrase(len(text) - len(shown), hint=True, option=DETAILS)
        lines.append((Span(f"  {hidden}", Style.DIM),))
    explained = [one for one in check.results if isinstance(one, ValueDiff) and one.why is not None]
    for answer in explained:
        if len(explained) > 1:
            lines.append(plain_line(f"  {answer.subject.name}"))
        lines += why_lines(answer, width)
    if check.hint:
        lines += wrap_text(Span("  hint: ", Style.YELLOW), check.hint, width)
    return lines


def _violation(text: str, width: int) -> list[Line]:
    """Return a sentence, folded; a line of a warehouse's message that is indented stays as it is."""
    is_fitting = not width or display_width(neutralise(text)) + 2 <= width
    return [plain_line(f"  {text}")] if is_fitting else wrap_text(Span("  "), text, width)


def _counts(report: CheckReport) -> Line:
    """Return `9 checks: 1 failed, 4 differ, 1 passed, 3 shown, in 2.1 s`."""
    spans = [Span(f"{plural(len(report.checks), 'check')}: ")]
    for word, text in counted_words(report.checks).items():
        spans += [Span(text, _STYLES[CHECK_MARKS[word].tone]), Span(", ")]
    return [*spans, Span(f"in {report.seconds:.1f} s")]


SUITE = "recce_meta checks"
FINDINGS_SHOWN = 100
"""Nodes shown in the output of each check without expectations."""

_ELEMENTS = {
    CheckStatus.FAILED: "failure",
    CheckStatus.ERROR: "error",
    CheckStatus.SKIPPED: "skipped",
}


def check_report_junit(report: CheckReport) -> str:
    """Return *report* as one test suite with a test case for each check.

    A check without expectations has passed; its findings are the output of the test case.
    """
    counts = {
        "tests": str(len(report.checks)),
        "failures": str(report.count(CheckStatus.FAILED)),
        "errors": str(report.count(CheckStatus.ERROR)),
    }
    time = f"{report.seconds:.3f}"
    suite = {"name": SUITE, **counts, "skipped": str(report.count(CheckStatus.SKIPPED)), "time": time}
    if report.path:
        suite["file"] = report.path
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        _open("testsuites", {"name": SUITE, **counts, "time": time}),
        f"  {_open('testsuite', suite)}",
        *_properties(report),
        *(f"    {_case(check)}" for check in report.checks),
        "  </testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _properties(report: CheckReport) -> list[str]:
    """Return the runs that were compared."""
    if report.choice is None:
        return []
    runs = _open("property", {"name": "runs", "value": choice_line(report.choice)}, is_empty=True)
    return ["    <properties>", f"      {runs}", "    </properties>"]


def _case(check: CheckResult) -> str:
    """Return a test case; a passed one contains only findings."""
    attributes = {
        "classname": f"{SUITE}.{check.type or 'unknown'}",
        "name": check.name,
        "time": f"{check.seconds:.3f}",
    }
    element = _ELEMENTS.get(check.status)
    if element is None and not is_report(check):
        return _open("testcase", attributes, is_empty=True)
    if element is None:
        output = "\n".join([check.message, *_found(check)])
        return f"{_open('testcase', attributes)}<system-out>{escape(_clean(output))}</system-out></testcase>"
    outcome = {"message": check.message} | ({} if element == "skipped" else {"type": check.type or "unknown"})
    body = "\n".join([*(check.violations or (check.message,)), *_place(check)])
    return (
        f"{_open('testcase', attributes)}{_open(element, outcome)}"
        f"{escape(_clean(body))}</{element}></testcase>"
    )


def _found(check: CheckResult) -> list[str]:
    """Return a line for each node with a finding, most severe first."""
    found = [one for one in node_findings(check.type, check.results) if one.finding is not FindingKind.SAME]
    lines = [f"{one.name}: {one.text}" for one in found[:FINDINGS_SHOWN]]
    hidden = len(found) - FINDINGS_SHOWN
    return [*lines, f"… and {hidden:,} more"] if hidden > 0 else lines


def _place(check: CheckResult) -> list[str]:
    hint = [f"hint: {check.hint}"] if check.hint else []
    return hint + ([f"({check.where})"] if check.where else [])


def _open(element: str, attributes: dict[str, str], *, is_empty: bool = False) -> str:
    written = "".join(f" {name}={quoteattr(_clean(value))}" for name, value in attributes.items())
    return f"<{element}{written}{'/' if is_empty else ''}>"


def _clean(text: str) -> str:
    """Return *text* with characters that XML cannot represent, or that are invisible, as escape sequences."""
    return neutralise(text, keep="\n\t")
