"""Findings of a check for each node, and their summary in one sentence.

A finding claims only what its type of check compared: equal counts mean the same row count, not the same
data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from recce_meta.errors import agree, plural
from recce_meta.models.change import Change, RunDiff
from recce_meta.models.checks import CheckAnswer, CheckResult, CheckStatus, StoredCheck
from recce_meta.models.data_diff import AnyDataDiff, ProfileDiff, RowCount, RowCountDiff, Subject
from recce_meta.report.data.summary import row_verdict
from recce_meta.report.data.verdicts import CLAIMS, EQUAL_RESULT, NO_DIFFERENCE, Outcome, verdict
from recce_meta.report.diff_details import effect_label
from recce_meta.report.labels import NO_CHANGE, PASSED, by_harm, main_reasons, node_label
from recce_meta.report.values import count
from recce_meta.tables.gaps import stale_phrase

ONE_SIDED_TYPES = frozenset({"query", "query_base", "row_count", "profile"})
"""Types of checks that query one side only, so there is nothing to compare."""


class FindingKind(str, Enum):
    """Result of a check for one node, most severe first."""

    FAILED = "failed"
    DIFFERS = "differs"
    ONLY_IN_BASE = "only_in_base"
    ONLY_IN_CURRENT = "only_in_current"
    NOT_COMPARED = "not_compared"
    SHOWN = "shown"
    """Only one side was queried."""
    SAME = "same"


_WORST_FIRST = list(FindingKind)
DIFFERING = frozenset({FindingKind.DIFFERS, FindingKind.ONLY_IN_BASE, FindingKind.ONLY_IN_CURRENT})
"""Findings that count as a difference. As in recce, a node that exists on one side only differs."""


class NodeFinding(NamedTuple):
    """Finding for one node, relation or query."""

    name: str
    finding: FindingKind
    text: str
    answer: AnyDataDiff | None = None
    """The complete result; None if *text* contains all of it."""
    unique_id: str | None = None
    """None for a relation or a query."""
    is_stale: bool = False
    """True if the row counts are equal but a side lacks the data of its run."""


def node_findings(check_type: str, answers: Sequence[CheckAnswer]) -> tuple[NodeFinding, ...]:
    """Return the findings of *answers*, most severe first, otherwise in the order given."""
    found = [one for answer in answers for one in _of(check_type, answer)]
    return tuple(sorted(found, key=lambda one: _WORST_FIRST.index(one.finding)))


def _of(check_type: str, answer: CheckAnswer) -> Iterator[NodeFinding]:
    if isinstance(answer, RunDiff):
        for change in by_harm(answer.changed):
            yield NodeFinding(
                node_label(change), FindingKind.DIFFERS, _change(change), unique_id=change.unique_id
            )
    elif isinstance(answer, RowCountDiff):
        for one in answer.counts:
            yield _count(check_type, one)
    elif check_type in ONE_SIDED_TYPES:
        subject = answer.subject
        yield NodeFinding(subject.name, FindingKind.SHOWN, _size(answer), answer, subject.unique_id)
    else:
        outcome, text = verdict(answer)
        subject = answer.subject
        yield NodeFinding(subject.name, _finding(outcome, subject), text, answer, subject.unique_id)


def _count(check_type: str, one: RowCount) -> NodeFinding:
    if check_type in ONE_SIDED_TYPES and one.current is not None:
        text = "; ".join(filter(None, (plural(one.current, "row"), stale_phrase(one.subject))))
        return NodeFinding(one.subject.name, FindingKind.SHOWN, text, unique_id=one.subject.unique_id)
    outcome, text = row_verdict(one)
    finding = _finding(outcome, one.subject)
    is_stale = outcome is Outcome.PARTIAL and one.subject.is_stale
    return NodeFinding(one.subject.name, finding, text, unique_id=one.subject.unique_id, is_stale=is_stale)


def _size(answer: AnyDataDiff) -> str:
    """Return the size of a one-sided result."""
    if isinstance(answer, ProfileDiff):
        size = f"profile of {plural(len(answer.columns), 'column')}"
        return "; ".join(filter(None, (size, stale_phrase(answer.subject))))
    return verdict(answer).text


def _finding(outcome: Outcome, subject: Subject) -> FindingKind:
    if outcome is Outcome.FAILED:
        return FindingKind.FAILED
    if outcome is Outcome.EQUAL:
        return FindingKind.SAME
    # Decided before the outcome: a missing side is a difference here, whatever was compared.
    if (subject.base is None) != (subject.current is None):
        return FindingKind.ONLY_IN_BASE if subject.current is None else FindingKind.ONLY_IN_CURRENT
    return FindingKind.DIFFERS if outcome is Outcome.DIFFERENT else FindingKind.NOT_COMPARED


def _change(change: Change) -> str:
    """Return `modified, partial breaking: body, columns`."""
    words = [change.status.value, *filter(None, [effect_label(change)])]
    reasons = main_reasons(change)
    return ", ".join(words) + (f": {', '.join(reasons)}" if reasons else "")


def findings_summary(check_type: str, answers: Sequence[CheckAnswer]) -> str:
    """Return a summary of *answers*: `6 of 9 nodes differ`, `orders: 22 rows changed` or `no change`."""
    found = node_findings(check_type, answers)
    if len(found) == 1:
        return _single(check_type, found[0])
    if any(isinstance(answer, RunDiff) for answer in answers):
        return f"{plural(len(found), 'node')} changed" if found else NO_CHANGE
    if not found:
        return "no node is selected"
    total = count(len(found))
    numbers = {kind: sum(one.finding is kind for one in found) for kind in FindingKind}
    phrases = []
    one_sided = [
        f"{numbers[kind]:,} only in {side}"
        for side, kind in (("base", FindingKind.ONLY_IN_BASE), ("current", FindingKind.ONLY_IN_CURRENT))
        if numbers[kind]
    ]
    if differing := sum(numbers[kind] for kind in DIFFERING):
        text = f" ({', '.join(one_sided)})" if one_sided else ""
        phrases.append(f"{differing:,} of {total} nodes {agree(differing, 'differ')}{text}")
    elif same := numbers[FindingKind.SAME]:
        words = CLAIMS.get(check_type, EQUAL_RESULT)
        phrases.append(
            f"{words} in all {total} nodes" if same == len(found) else f"{words} in {same:,} of {total} nodes"
        )
    elif shown := numbers[FindingKind.SHOWN]:
        phrases.append(f"{shown:,} counted" if check_type == "row_count" else f"{shown:,} shown")
    stale = sum(one.is_stale for one in found)
    # A stale count was compared, and has a phrase of its own.
    not_compared = numbers[FindingKind.NOT_COMPARED] - stale
    word = "not counted" if check_type.startswith("row_count") else "not compared"
    phrases += [f"{not_compared:,} {word}"] if not_compared else []
    phrases += [f"{numbers[FindingKind.FAILED]:,} failed"] if numbers[FindingKind.FAILED] else []
    phrases += [f"{stale:,} without the data of the run"] if stale else []
    return ", ".join(phrases)


def _single(check_type: str, one: NodeFinding) -> str:
    if one.finding is FindingKind.SAME and check_type == "row_count_diff":
        return f"{one.name}: {CLAIMS[check_type]} ({one.text})"
    return one.text if one.name == "query" else f"{one.name}: {one.text}"


def check_finding(check: CheckResult | StoredCheck) -> FindingKind:
    """Return the finding for a whole check: a difference first, then missing comparisons."""
    if isinstance(check, StoredCheck):
        if check.differing_nodes:
            return FindingKind.DIFFERS
        if check.uncompared_nodes:
            return FindingKind.NOT_COMPARED
        return FindingKind.SHOWN if check.differing_nodes is None else FindingKind.SAME
    kinds = {one.finding for one in node_findings(check.type, check.results)}
    if kinds & DIFFERING:
        return FindingKind.DIFFERS
    if kinds & {FindingKind.FAILED, FindingKind.NOT_COMPARED}:
        return FindingKind.NOT_COMPARED
    is_same = kinds == {FindingKind.SAME} or any(isinstance(answer, RunDiff) for answer in check.results)
    return FindingKind.SAME if is_same else FindingKind.SHOWN


def is_report(check: CheckResult | StoredCheck) -> bool:
    """Return True if a check ran and has no expectations."""
    return check.status == CheckStatus.PASSED.value and not check.has_expectations


NOTE = "note"
"""Word for a checklist entry without a query."""


def is_note(check: CheckResult | StoredCheck) -> bool:
    """Return True if a check is a checklist entry without a query."""
    kind = check.check_type if isinstance(check, StoredCheck) else check.type
    return check.status == CheckStatus.SKIPPED.value and kind == "simple"


def check_word(check: CheckResult | StoredCheck) -> str:
    """Return the word for the outcome of a check: its status, or the finding of one without expectations.

    Such a check always passes, which would hide what it found.
    """
    if is_note(check):
        return NOTE
    return _WORDS[check_finding(check)] if is_report(check) else str(check.status)


_WORDS = {
    FindingKind.DIFFERS: "differs",
    FindingKind.NOT_COMPARED: "not compared",
    FindingKind.SHOWN: "shown",
    FindingKind.SAME: NO_DIFFERENCE,
}


class CheckMark(NamedTuple):
    """Signs of an outcome of checks."""

    emoji: str
    glyph: str
    tone: str
    """Class of pages."""
    plural: str = ""
    """Word after a number above 1; empty if it is that after 1."""
    one: str = ""
    """Word after the number 1; empty if it is the outcome."""


CHECK_MARKS = {
    "failed": CheckMark("❌", "✗", "failed"),
    "error": CheckMark("❗", "!", "failed", one="in error"),
    "differs": CheckMark("🟡", "≠", "differs", "differ"),
    "not compared": CheckMark("⚪", "?", "one-sided"),
    "skipped": CheckMark("⚪", "–", "one-sided"),
    "shown": CheckMark("🔎", "·", "info"),
    NOTE: CheckMark("📝", "✎", "info", "notes"),
    NO_DIFFERENCE: CheckMark(PASSED, "=", "same", one="without a difference"),
    "passed": CheckMark(PASSED, "✓", "same"),
}
"""Signs by `check_word`, the most severe first; all reports count and sort checks by them."""


def counted_words(checks: Sequence[CheckResult | StoredCheck]) -> dict[str, str]:
    """Return `2 differ` and so on by the word of the outcome, without zeros."""
    counts = Counter(map(check_word, checks))
    return {
        word: f"{counts[word]:,} {mark.plural if mark.plural and counts[word] > 1 else mark.one or word}"
        for word, mark in CHECK_MARKS.items()
        if counts[word]
    }


def checks_phrase(checks: Sequence[CheckResult | StoredCheck], total: str) -> str:
    """Return `2 of 4 checks failed, 1 differs, 1 passed`, which counts each check once.

    *total* is `4 checks`. This is the only sentence on several checks: all outputs have it.
    """
    counted = counted_words(checks)
    first, *others = [text for word, text in counted.items() if word != NOTE] or [""]
    if counted.keys() <= {NOTE, CheckStatus.SKIPPED.value}:
        return f"{total}, none was run" if checks else ""
    number, words = first.split(" ", 1)
    of_all = f"{number} of {total}" if len(counted) > 1 else total
    return ", ".join(filter(None, [f"{of_all} {words}", *others, counted.get(NOTE)]))


def checks_mark(checks: Sequence[CheckResult | StoredCheck]) -> CheckMark:
    """Return the mark of the worst outcome; a note is one only if no check has another."""
    words = set(map(check_word, checks))
    return next(
        (mark for word, mark in CHECK_MARKS.items() if word in words - {NOTE}), CHECK_MARKS["skipped"]
    )


def by_result(checks: Sequence[CheckResult]) -> list[CheckResult]:
    """Return *checks* with the most severe outcome first."""
    order = list(CHECK_MARKS)
    return sorted(checks, key=lambda check: order.index(check_word(check)))
