"""The checks of the page: a table, and behind each check what it found."""

from __future__ import annotations

from collections.abc import Sequence

from recce_meta.models.change import RunDiff
from recce_meta.models.check_result import CheckReport, CheckResult, CheckStatus
from recce_meta.report.check_findings import (
    SAME,
    Finding,
    NodeFinding,
    check_finding,
    is_note,
    is_report,
    node_findings,
)
from recce_meta.report.data.wording import plural
from recce_meta.report.html.markup import EMPTY, Child, Markup, el
from recce_meta.report.html.results import result_body
from recce_meta.report.html.tables import fold, names, row, table

VIOLATIONS_SHOWN = 50
FINDINGS_SHOWN = 200
"""Nodes of one check."""

_TAGS = {
    "failed": ("✗", "failed"),
    "error": ("!", "failed"),
    Finding.DIFFERS: ("≠", "differs"),
    Finding.NOT_COMPARED: ("?", "one-sided"),
    Finding.SHOWN: ("·", "info"),
    Finding.SAME: ("=", "same"),
    "passed": ("✓", "same"),
    "skipped": ("–", "one-sided"),
    "note": ("✎", "info"),
}
"""Signs and classes, the worst first."""
_WORDS = {
    Finding.DIFFERS: "differs",
    Finding.NOT_COMPARED: "not compared",
    Finding.SHOWN: "shown",
    Finding.SAME: "no difference",
}


def checks_section(checks: CheckReport | None) -> Markup:
    """Return the table of checks; nothing if there are none."""
    if checks is None or not checks.checks:
        return EMPTY
    order = list(_TAGS)
    listed = sorted(checks.checks, key=lambda check: order.index(_kind(check)))
    heads = ["", "check", "type", "what was seen", "seconds"]
    return table(heads, [_check(check) for check in listed], label="Checks", numbers=(4,))


def check_tiles(checks: CheckReport | None) -> list[tuple[int, str, str]]:
    """Return figure, sentence and class of each tile: what failed or passed, and what differs."""
    if checks is None or not checks.checks:
        return []
    bad = checks.count(CheckStatus.FAILED) + checks.count(CheckStatus.ERROR)
    reporting = [check for check in checks.checks if is_report(check)]
    passed = checks.count(CheckStatus.PASSED) - len(reporting)
    tiles = []
    if bad:
        tiles.append((bad, f"of {plural(len(checks.checks), 'check')} failed", "failed"))
    elif passed:
        tiles.append((passed, "checks passed" if passed > 1 else "check passed", "same"))
    if reporting:
        differing = sum(check_finding(check) is Finding.DIFFERS for check in reporting)
        tiles.append(
            (differing, f"of {plural(len(reporting), 'check')} differ", "differs" if differing else "info")
        )
    return tiles


def _kind(check: CheckResult) -> str:
    if is_note(check):
        return "note"
    return check_finding(check) if is_report(check) else str(check.status)


def _check(check: CheckResult) -> Markup:
    sign, tone = _TAGS[_kind(check)]
    word = _WORDS[check_finding(check)] if is_report(check) else _kind(check)
    others = [one for one in check.violations if one != check.message]
    seen: list[Child] = [el("div", check.message)]
    seen += [el("ul", [el("li", one) for one in others[:VIOLATIONS_SHOWN]])] if others else []
    seen += [el("div", el("b", "Hint: "), check.hint, class_="quiet")] if check.hint else []
    seen += _found(check) if is_report(check) else []
    about = el("small", check.description or check.where) if check.description or check.where else None
    return row(
        el("td", el("span", f"{sign} {word}", class_=f"tag {tone}")),
        el("th", check.name, el("br") if about else None, about, scope="row"),
        check.type,
        seen,
        el("td", f"{check.seconds:.2f}" if check.seconds else "", class_="num", data_v=check.seconds),
    )


def _found(check: CheckResult) -> list[Child]:
    """Return the nodes of a check with their figures, and the names of those without difference."""
    found = node_findings(check.type, check.results)
    telling = [one for one in found if one.finding is not Finding.SAME]
    same = [one.name for one in found if one.finding is Finding.SAME]
    is_listed = len(found) > 1 or any(isinstance(answer, RunDiff) for answer in check.results)
    lines: list[Child] = [_node(one, is_listed=is_listed) for one in telling[:FINDINGS_SHOWN]]
    hidden = len(telling) - FINDINGS_SHOWN
    lines += [el("div", f"… and {hidden:,} more", class_="quiet")] if hidden > 0 else []
    if same and is_listed:
        lines.append(fold(f"{SAME[check.type].capitalize()} in {plural(len(same), 'node')}", names(same)))
    return lines


def _node(one: NodeFinding, *, is_listed: bool) -> Child:
    title: Sequence[Child] = [el("code", one.name), " ", one.text] if is_listed else ["Result"]
    if one.answer is not None:
        return fold(title, result_body(one.answer))
    return el("div", title) if is_listed else None
