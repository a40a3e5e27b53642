"""One comment on a pull request: what changed in the code, what that did to the data, and what checks say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from recce_meta.models.change import RunDiff
from recce_meta.models.check_result import CheckReport, CheckResult, CheckStatus
from recce_meta.models.data_diff import AnyDataDiff, RowCountDiff
from recce_meta.report.check_findings import (
    Finding,
    check_finding,
    is_note,
    is_report,
    node_findings,
    reports_phrase,
)
from recce_meta.report.data.markdown import SIGNS, Fold, fitted, nodes_section, result_folds
from recce_meta.report.data.markdown_blocks import md_table, names_code
from recce_meta.report.data.summary import data_verdict, summarise_nodes
from recce_meta.report.data.wording import plural
from recce_meta.report.escape import code, prose, words
from recce_meta.report.markdown import (
    MARKER,
    MAX_CHARS,
    diff_body,
    diff_verdict,
    folded,
    has_all,
    sides_line,
    within,
)
from recce_meta.report.wording import summarise, summary_phrases

CHECKS_SHOWN = 30
VIOLATIONS_SHOWN = 5
TOLD_WIDTH = 300

FINDINGS_SHOWN = 8
"""Nodes of one check in its row of the table."""

_KINDS = {
    "failed": "❌",
    "error": "❗",
    "differ": "🟡",
    "not compared": "⚪",
    "shown": "🔎",
    "no difference": "✅",
    "passed": "✅",
    "skipped": "⚪",
    "note": "📝",
}
"""Words under which checks are counted, the worst first."""

_KIND_OF = {
    Finding.DIFFERS: "differ",
    Finding.NOT_COMPARED: "not compared",
    Finding.SHOWN: "shown",
    Finding.SAME: "no difference",
}

_SEVERITY = ("❌", "❗", "⚠️", "🟡", "🔎", "❔", "⚪", "✅")


def pull_request_markdown(
    diff: RunDiff | None,
    results: Sequence[AnyDataDiff] = (),
    checks: CheckReport | None = None,
    *,
    max_chars: int = MAX_CHARS,
) -> str:
    """One comment about all that is given, in at most *max_chars* characters (20,000 at least).

    The verdict, the table of nodes and that of checks stand open; the rest is folded. What does not fit is
    left out: first histograms and profiles, then code, then values; the tables at the top last.
    """
    text = _head(diff, results, checks)
    text += nodes_section(summarise_nodes(results), max_chars // 5)
    text += checks_section(checks, max_chars // 6) if checks else ""
    room = max_chars - len(text)
    folds = [*result_folds(results), *_check_folds(checks, results)]
    details = fitted(folds, room)
    if diff is None:
        return text + details
    body = "\n#### Code\n" + diff_body(diff, max(room - len(details), room // 2) - 20)
    return text + body + fitted(_under_title(folds), room - len(body))


def _under_title(folds: Sequence[Fold]) -> list[Fold]:
    """*folds* behind a heading that no lack of room takes away while any of them is there."""
    return [Fold(-1, "\n#### Data\n"), *folds] if folds else []


def _head(diff: RunDiff | None, results: Sequence[AnyDataDiff], checks: CheckReport | None) -> str:
    told = verdicts(diff, results, checks)
    title = " · ".join(text for _sign, text in told) or "Nothing was compared"
    text = f"{MARKER}\n### {worst_sign(told)} {title[:1].upper()}{title[1:]}\n"
    if diff is not None:
        phrases = summary_phrases(summarise(diff), severe=False)[0 if diff.changed else 1 :]
        text += (f"\n**{' · '.join(phrases)}**\n" if phrases else "") + f"\n{sides_line(diff)}"
    return text


def verdicts(
    diff: RunDiff | None, results: Sequence[AnyDataDiff], checks: CheckReport | None
) -> list[tuple[str, str]]:
    """A sign and a sentence for each of checks, data and code that is given."""
    return [*_checks_verdict(checks), *_data_verdict(results), *([diff_verdict(diff)] if diff else [])]


def worst_sign(told: Sequence[tuple[str, str]]) -> str:
    """The sign that stands for all."""
    return min((sign for sign, _text in told), key=_SEVERITY.index, default="⚪")


def _data_verdict(results: Sequence[AnyDataDiff]) -> list[tuple[str, str]]:
    nodes = summarise_nodes(results)
    found = data_verdict(nodes)
    return [(SIGNS[found.outcome], found.text)] if nodes else []


def _checks_verdict(checks: CheckReport | None) -> list[tuple[str, str]]:
    if checks is None or not checks.checks:
        return []
    judging = [check for check in checks.checks if not is_report(check) and not is_note(check)]
    bad = checks.count(CheckStatus.FAILED) + checks.count(CheckStatus.ERROR)
    passed = sum(check.status is CheckStatus.PASSED for check in judging)
    told = []
    if bad:
        told.append(("❌", f"{bad:,} of {plural(len(checks.checks), 'check')} failed"))
    elif passed:
        told.append(("✅", f"{plural(passed, 'check')} passed"))
    phrase = reports_phrase(checks)
    if phrase:
        found = {check_finding(check) for check in checks.checks if is_report(check)}
        told.append((_KINDS[_KIND_OF[min(found, key=list(_KIND_OF).index)]], f"checks: {phrase}"))
    return told or [("⚪", f"{plural(len(checks.checks), 'check')}, nothing was run")]


def checks_section(checks: CheckReport, room: int) -> str:
    """Return a table of checks that did not pass or only report, and the names of the others in a fold."""
    if not checks.checks:
        return ""
    telling = sorted(
        (check for check in checks.checks if check.status is not CheckStatus.PASSED or is_report(check)),
        key=_rank,
    )
    counts = Counter(_kind(check) for check in checks.checks)
    told = [
        f"{sign} {counts[kind]:,} {_word(kind, counts[kind])}"
        for kind, sign in _KINDS.items()
        if counts[kind]
    ]
    text = f"\n#### Checks\n\n{' · '.join(told)}\n"
    if telling:
        head = md_table(["", "check", "type", "what was seen"], [])
        rows = within(
            [_check_row(check) for check in telling[:CHECKS_SHOWN]], room - room // 3 - len(text) - 300
        )
        text += "\n" + head + "".join(rows)
        hidden = len(telling) - len(rows)
        text += has_all(f"{hidden:,} more check{'s' * (hidden != 1)}") if hidden else ""
    passed = [check.name for check in checks.checks if _kind(check) == "passed"]
    names = names_code(passed, 20)
    if passed and len(names) <= room // 3:
        text += folded(f"✅ {len(passed):,} passed", names)
    return text


def _kind(check: CheckResult) -> str:
    """Return the word under which a check is counted."""
    if is_note(check):
        return "note"
    return _KIND_OF[check_finding(check)] if is_report(check) else str(check.status)


def _word(kind: str, number: int) -> str:
    """Return `differs` or `differ`, `note` or `notes`; other words have no plural."""
    if kind == "differ":
        return "differs" if number == 1 else "differ"
    return "notes" if kind == "note" and number != 1 else kind


def _rank(check: CheckResult) -> int:
    return list(_KINDS).index(_kind(check))


def _check_row(check: CheckResult) -> str:
    told = [check.description.partition("\n")[0] if is_note(check) and check.description else check.message]
    told += [one for one in check.violations[:VIOLATIONS_SHOWN] if one != check.message]
    told += [f"Hint: {check.hint}"] if check.hint else []
    seen = "<br>".join([*(prose(_short(one)) for one in told if one), *_nodes_of(check)])
    kind = words(check.type) if check.type else ""
    return f"| {_KINDS[_kind(check)]} | {code(check.name)} | {kind} | {seen} |\n"


def _nodes_of(check: CheckResult) -> list[str]:
    """Return a line for each node that a check found to differ; none if its message has all of it."""
    found = node_findings(check.type, check.results) if is_report(check) else ()
    telling = [one for one in found if one.finding is not Finding.SAME]
    if len(found) < 2:
        return []
    lines = [f"{code(one.name, 80)} {prose(_short(one.text))}" for one in telling[:FINDINGS_SHOWN]]
    hidden = len(telling) - FINDINGS_SHOWN
    return [*lines, f"… and {hidden:,} more"] if hidden > 0 else lines


def _short(text: str) -> str:
    return text if len(text) <= TOLD_WIDTH else f"{text[:TOLD_WIDTH]}…"


def _check_folds(checks: CheckReport | None, results: Sequence[AnyDataDiff]) -> list[Fold]:
    """Return folds of what checks that failed or only report have found and *results* have not.

    Lineage diffs and row counts have all of it in the table of checks.
    """
    folds: list[Fold] = []
    for check in checks.checks if checks is not None else ():
        if check.status is CheckStatus.FAILED or is_report(check):
            answers = [answer for answer in check.results if not isinstance(answer, RunDiff)]
            if is_report(check):
                answers = [answer for answer in answers if not isinstance(answer, RowCountDiff)]
            folds += result_folds([answer for answer in answers if answer not in results], check.name)
    return folds
