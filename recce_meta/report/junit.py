"""What came of checks as JUnit XML, which GitLab, GitHub's test reporters, Jenkins and others show.

There is no standard. This is what Jenkins' schema allows (junit-10.xsd of its xunit plugin) and what the
others read: sentences stand in the message and, because GitLab shows only that, in the element's text; no two
test cases have the same name, because GitLab shows the first of equal ones alone.
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from recce_meta.models.check_result import CheckReport, CheckResult, CheckStatus
from recce_meta.report.characters import neutralise
from recce_meta.report.check_findings import Finding, is_report, node_findings

SUITE = "recce_meta checks"
FINDINGS_SHOWN = 100
"""Nodes of one check that only reports."""

_ELEMENTS = {
    CheckStatus.FAILED: "failure",
    CheckStatus.ERROR: "error",
    CheckStatus.SKIPPED: "skipped",
}


def check_report_junit(report: CheckReport) -> str:
    """Return *report* as one test suite with a test case for each check; seconds are decimal.

    A check that only reports has passed, and its findings are the test's output.
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
        *(f"    {_case(check)}" for check in report.checks),
        "  </testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _case(check: CheckResult) -> str:
    """Return a test case; one that passed holds nothing but what it found."""
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
    """Return a line for each node that a check found something of, the weightiest first."""
    found = [one for one in node_findings(check.type, check.results) if one.finding is not Finding.SAME]
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
    """*text* without what XML cannot hold, or a reader could not see: such characters are spelt out."""
    return neutralise(text, keep="\n\t")
