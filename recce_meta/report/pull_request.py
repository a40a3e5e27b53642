"""One comment on a pull request: what changed in the code, what that did to the data, and what checks say."""

from __future__ import annotations

from collections.abc import Sequence

from recce_meta.models.change import RunDiff
from recce_meta.models.check_result import CheckReport, CheckResult, CheckStatus
from recce_meta.models.data_diff import AnyDataDiff
from recce_meta.report.data.markdown import SIGNS, Fold, fitted, nodes_section, result_folds
from recce_meta.report.data.markdown_blocks import md_table, names_code
from recce_meta.report.data.summary import data_verdict, summarise_nodes
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

CHECK_SIGNS = {
    CheckStatus.FAILED: "❌",
    CheckStatus.ERROR: "❗",
    CheckStatus.SKIPPED: "⚪",
    CheckStatus.PASSED: "✅",
}
"""The worst first."""

_SEVERITY = ("❌", "❗", "⚠️", "🟡", "🔎", "⚪", "✅")


def pull_request_markdown(
    diff: RunDiff | None,
    results: Sequence[AnyDataDiff] = (),
    checks: CheckReport | None = None,
    *,
    max_chars: int = MAX_CHARS,
) -> str:
    """One comment about all that is given, in at most *max_chars* characters (20,000 at least).

    The verdict, the table of nodes and the checks that did not pass stand open; the rest is folded. What does
    not fit is left out: first histograms and profiles, then code, then values; the tables at the top last.
    """
    text = _head(diff, results, checks)
    text += nodes_section(summarise_nodes(results), max_chars // 5)
    text += checks_section(checks, max_chars // 6) if checks else ""
    room = max_chars - len(text)
    shown = [*results, *_answers_of_failed(checks, results)]
    details = fitted(result_folds(shown), room)
    if diff is None:
        return text + details
    body = "\n#### Code\n" + diff_body(diff, max(room - len(details), room // 2) - 20)
    return text + body + fitted(_under_title(result_folds(shown)), room - len(body))


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
    return min((sign for sign, _text in told), key=_SEVERITY.index, default="✅")


def _data_verdict(results: Sequence[AnyDataDiff]) -> list[tuple[str, str]]:
    nodes = summarise_nodes(results)
    found = data_verdict(nodes)
    return [(SIGNS[found.outcome], found.text)] if nodes else []


def _checks_verdict(checks: CheckReport | None) -> list[tuple[str, str]]:
    if checks is None or not checks.checks:
        return []
    total = len(checks.checks)
    of_checks = f"{total:,} check" if total == 1 else f"{total:,} checks"
    bad = checks.count(CheckStatus.FAILED) + checks.count(CheckStatus.ERROR)
    return [("❌", f"{bad:,} of {of_checks} failed") if bad else ("✅", f"{of_checks} passed")]


def checks_section(checks: CheckReport, room: int) -> str:
    """The checks that did not pass in a table, the names of the others in a fold."""
    if not checks.checks:
        return ""
    order = list(CHECK_SIGNS)
    telling = sorted(
        (check for check in checks.checks if check.status is not CheckStatus.PASSED),
        key=lambda check: order.index(check.status),
    )
    counts = [(sign, checks.count(status), status) for status, sign in CHECK_SIGNS.items()]
    told = [f"{sign} {number:,} {status}" for sign, number, status in counts if number]
    text = f"\n#### Checks\n\n{' · '.join(told)}\n"
    if telling:
        head = md_table(["", "check", "type", "what was seen"], [])
        rows = within(
            [_check_row(check) for check in telling[:CHECKS_SHOWN]], room - room // 3 - len(text) - 300
        )
        text += "\n" + head + "".join(rows)
        hidden = len(telling) - len(rows)
        text += has_all(f"{hidden:,} more check{'s' * (hidden != 1)}") if hidden else ""
    passed = [check.name for check in checks.checks if check.status is CheckStatus.PASSED]
    names = names_code(passed, 20)
    if passed and len(names) <= room // 3:
        text += folded(f"✅ {len(passed):,} passed", names)
    return text


def _check_row(check: CheckResult) -> str:
    told = [check.message, *(one for one in check.violations[:VIOLATIONS_SHOWN] if one != check.message)]
    told += [f"Hint: {check.hint}"] if check.hint else []
    seen = "<br>".join(prose(_short(one)) for one in told if one)
    kind = words(check.type) if check.type else ""
    return f"| {CHECK_SIGNS[check.status]} | {code(check.name)} | {kind} | {seen} |\n"


def _short(text: str) -> str:
    return text if len(text) <= TOLD_WIDTH else f"{text[:TOLD_WIDTH]}…"


def _answers_of_failed(checks: CheckReport | None, results: Sequence[AnyDataDiff]) -> list[AnyDataDiff]:
    """What checks that failed have seen and *results* have not; lineage diffs have their place already."""
    if checks is None:
        return []
    failed = (check for check in checks.checks if check.status is CheckStatus.FAILED)
    answers = (answer for check in failed for answer in check.results)
    return [answer for answer in answers if not isinstance(answer, RunDiff) and answer not in results]
