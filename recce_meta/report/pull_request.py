"""Code changes, data diffs and checks in one report: the pull request comment, and text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from recce_meta.errors import plural, shorten
from recce_meta.models.change import RunDiff
from recce_meta.models.checks import CheckReport, CheckResult, CheckStatus
from recce_meta.models.data_diff import AnyDataDiff, RowCountDiff
from recce_meta.models.marks.review import NO_CONTEXT, PairContext
from recce_meta.report.addresses import Addresses
from recce_meta.report.checks import check_detail_lines, check_summary_lines
from recce_meta.report.data.check_findings import (
    CHECK_MARKS,
    FindingKind,
    by_result,
    check_word,
    counted_words,
    is_note,
    is_report,
    node_findings,
)
from recce_meta.report.data.markdown import (
    Fold,
    fit_folds,
    names_code,
    nodes_section,
    result_folds,
)
from recce_meta.report.data.overview import overview_lines
from recce_meta.report.data.summary import summarise_nodes
from recce_meta.report.data.text import block_lines
from recce_meta.report.labels import PASSED, stored_phrase
from recce_meta.report.markdown import (
    MARKER,
    MAX_CHARS,
    counts_line,
    diff_body,
    first_fitting,
    fold,
    omission_note,
    page_link,
    sides_line,
)
from recce_meta.report.review.annotations import annotations_markdown
from recce_meta.report.review.markdown import reviews_markdown
from recce_meta.report.review.verdict import Checks, verdict_of
from recce_meta.report.run_choice import choice_markdown, note_lines
from recce_meta.report.terminal import BLANK, Line, code, md_table, plain_words, prose, render
from recce_meta.report.text import change_details, change_overview, diff_head, line_limit

CHECKS_SHOWN = 30
VIOLATIONS_SHOWN = 5
TEXT_WIDTH = 300

FINDINGS_SHOWN = 8
"""Nodes of one check in its table row."""


def pull_request_markdown(
    diff: RunDiff | None,
    results: Sequence[AnyDataDiff] = (),
    checks: Checks | None = None,
    *,
    max_chars: int = MAX_CHARS,
    details: bool = False,
    to: Addresses | None = None,
    context: PairContext = NO_CONTEXT,
) -> str:
    """Return one comment in at most *max_chars* characters (at least 20,000).

    The verdict, the table of nodes and the table of checks are visible; the rest is folded. Details are left
    out in this order if the comment is too long: histograms and profiles, code, values. With *details*, equal
    nodes have a row and a fold as well. With *to*, the comment links to the page of the diff, and severe
    changes link to those of their nodes. *context* has the marks of reviewers, and the owners and notes of
    the nodes. Stored *checks* are part of the verdict only.
    """
    text = _head(diff, results, checks)
    if diff is not None:
        text += page_link(diff, to) + reviews_markdown(diff, context.reviews, max_chars // 10)
        text += annotations_markdown(diff, context.annotations, max_chars // 10)
    text += "" if context.taken_at is None else f"\n{prose(stored_phrase(context.taken_at))}\n"
    text += nodes_section(summarise_nodes(results), max_chars // 5, details=details)
    run = checks if isinstance(checks, CheckReport) else None
    text += checks_section(run, max_chars // 6) if run else ""
    room = max_chars - len(text)
    folds = [*result_folds(results, details=details), *_check_folds(run, results)]
    # Fitted once without code to see how much room data needs at most.
    of_data = fit_folds(folds, room)
    if diff is None:
        return text + of_data
    # Code gets at least half of the room, and what data leaves.
    body = "\n#### Code\n" + diff_body(diff, max(room - len(of_data), room // 2) - 20, to)
    return text + body + fit_folds(_under_title(folds), room - len(body))


def _under_title(folds: Sequence[Fold]) -> list[Fold]:
    """Return *folds* below a heading that is left out only together with all of them."""
    return [Fold(-1, "\n#### Data\n"), *folds] if folds else []


def _head(diff: RunDiff | None, results: Sequence[AnyDataDiff], checks: Checks | None) -> str:
    text = f"{MARKER}\n### {verdict_of(diff, results, checks).markdown}\n"
    if diff is not None:
        return f"{text}{counts_line(diff)}\n{sides_line(diff)}"
    return text + (choice_markdown(checks.choice) if isinstance(checks, CheckReport) else "")


def checks_section(checks: CheckReport, room: int) -> str:
    """Return a table of checks that did not pass or have no expectations; the rest is folded."""
    if not checks.checks:
        return ""
    telling = [
        check
        for check in by_result(checks.checks)
        if check.status is not CheckStatus.PASSED or is_report(check)
    ]
    phrases = [f"{CHECK_MARKS[word].emoji} {text}" for word, text in counted_words(checks.checks).items()]
    text = f"\n#### Checks\n\n{' · '.join(phrases)}\n"
    if telling:
        head = md_table(["", "check", "type", "findings"], [], is_whole=True)
        # A third of the room is for the names of passed checks; 300 characters are for head and note.
        rows = first_fitting(
            [_check_row(check) for check in telling[:CHECKS_SHOWN]], room - room // 3 - len(text) - 300
        )
        text += "\n" + head + "".join(rows)
        hidden = len(telling) - len(rows)
        text += omission_note(plural(hidden, "more check")) if hidden else ""
    passed = [check.name for check in checks.checks if check_word(check) == "passed"]
    names = names_code(passed, 20)
    # Names of passed checks matter least, so they are left out first.
    if passed and len(names) <= room // 3:
        text += fold(f"{PASSED} {len(passed):,} passed", names)
    return text


def _check_row(check: CheckResult) -> str:
    phrases = [
        check.description.partition("\n")[0] if is_note(check) and check.description else check.message
    ]
    phrases += [one for one in check.violations[:VIOLATIONS_SHOWN] if one != check.message]
    phrases += [f"Hint: {check.hint}"] if check.hint else []
    seen = "<br>".join([*(prose(shorten(one, TEXT_WIDTH)) for one in phrases if one), *_nodes_of(check)])
    kind = plain_words(check.type) if check.type else ""
    return f"| {CHECK_MARKS[check_word(check)].emoji} | {code(check.name)} | {kind} | {seen} |\n"


def _nodes_of(check: CheckResult) -> list[str]:
    """Return a line for each node that differs; empty if the message contains all of them."""
    found = node_findings(check.type, check.results) if is_report(check) else ()
    telling = [one for one in found if one.finding is not FindingKind.SAME]
    if len(found) < 2:
        return []
    lines = [
        f"{code(one.name, 80)} {prose(shorten(one.text, TEXT_WIDTH))}" for one in telling[:FINDINGS_SHOWN]
    ]
    hidden = len(telling) - FINDINGS_SHOWN
    return [*lines, f"… and {hidden:,} more"] if hidden > 0 else lines


def _check_folds(checks: CheckReport | None, results: Sequence[AnyDataDiff]) -> list[Fold]:
    """Return folds with results of failed and reporting checks that *results* do not contain.

    Lineage diffs and row counts are left out, since the table of checks contains them.
    """
    folds: list[Fold] = []
    for check in checks.checks if checks is not None else ():
        if check.status is CheckStatus.FAILED or is_report(check):
            answers = [answer for answer in check.results if not isinstance(answer, RunDiff)]
            if is_report(check):
                answers = [answer for answer in answers if not isinstance(answer, RowCountDiff)]
            folds += result_folds([answer for answer in answers if answer not in results], check.name)
    return folds


def whole_text(
    diff: RunDiff,
    results: Sequence[AnyDataDiff],
    checks: Checks | None,
    *,
    width: int,
    color: bool,
    details: bool = False,
    context: PairContext = NO_CONTEXT,
) -> str:
    """Return the summaries of *diff*, *results* and *checks*, followed by their details.

    Without *details*, equal nodes are only named, and long lists are cut. *context* has the marks of
    reviewers, and the owners of nodes. Stored *checks* are part of the verdict only.
    """
    most = line_limit(width, details=details)
    head = diff_head(diff, width, context, results=results, checks=checks)
    overview = change_overview(diff, width=width, max_lines=most, taken=len(head))
    lines: list[Line] = [*head, *overview]
    if results:
        lines += [BLANK, *overview_lines(results, width, details=details)]
        lines += [] if context.taken_at is None else note_lines([stored_phrase(context.taken_at)], width)
    if isinstance(checks, CheckReport):
        lines += [BLANK, *check_summary_lines(checks, width)]
    lines += change_details(diff, width=width, max_lines=most, taken=len(head) + len(overview))
    lines += block_lines(results, width, details=details)
    if isinstance(checks, CheckReport):
        lines += check_detail_lines(checks, width, details=details)
    return render(lines, width=width, color=color)
