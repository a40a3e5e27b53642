"""Findings of a check, node by node: what every report shows of it, and what it sums up to.

A finding claims what its type of check compared, and no more: equal counts are the same row count, not the
same data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from recce_meta.models.change import Change, RunDiff
from recce_meta.models.check_result import CheckAnswer, CheckReport, CheckResult, CheckStatus
from recce_meta.models.data_diff import (
    AnyDataDiff,
    ProfileDiff,
    RowCount,
    RowCountDiff,
    Subject,
)
from recce_meta.report.data.figures import count
from recce_meta.report.data.summary import row_verdict
from recce_meta.report.data.wording import Outcome, plural, stale_phrase, verdict
from recce_meta.report.wording import node_label, weighty_reasons

ONE_SIDED_TYPES = frozenset({"query", "query_base", "row_count", "profile"})
"""Types that ask one side alone: there is nothing to compare."""

SAME = {
    "row_count_diff": "same row count",
    "schema_diff": "same columns",
    "value_diff": "same values",
    "value_diff_detail": "no row differs",
    "query_diff": "same rows",
    "profile_diff": "same figures",
    "top_k_diff": "same most frequent values",
    "histogram_diff": "same counts in all bins",
}
"""What equal answers of a type show."""


class Finding(str, Enum):
    """What a check found of one node; the weightiest first."""

    FAILED = "failed"
    DIFFERS = "differs"
    ONLY_IN_BASE = "only_in_base"
    ONLY_IN_CURRENT = "only_in_current"
    NOT_COMPARED = "not_compared"
    SHOWN = "shown"
    """One side was asked, and there is nothing to compare it with."""
    SAME = "same"


_WORST_FIRST = list(Finding)
DIFFERING = frozenset({Finding.DIFFERS, Finding.ONLY_IN_BASE, Finding.ONLY_IN_CURRENT})
"""A node on one side alone differs, as in recce."""


class NodeFinding(NamedTuple):
    """What a check found of one node, relation or query."""

    name: str
    finding: Finding
    text: str
    answer: AnyDataDiff | None = None
    """The answer whole; None if *text* has all of it."""
    unique_id: str | None = None
    """None for a relation or a query."""
    is_stale: bool = False
    """Whether rows were counted and found equal, of an earlier build on a side."""


def node_findings(check_type: str, answers: Sequence[CheckAnswer]) -> tuple[NodeFinding, ...]:
    """Return what *answers* show of each node, the weightiest first, otherwise in the order given."""
    found = [one for answer in answers for one in _of(check_type, answer)]
    return tuple(sorted(found, key=lambda one: _WORST_FIRST.index(one.finding)))


def _of(check_type: str, answer: CheckAnswer) -> Iterator[NodeFinding]:
    if isinstance(answer, RunDiff):
        for change in answer.changed:
            yield NodeFinding(
                node_label(change), Finding.DIFFERS, _change(change), unique_id=change.unique_id
            )
    elif isinstance(answer, RowCountDiff):
        for one in answer.counts:
            yield _count(check_type, one)
    elif check_type in ONE_SIDED_TYPES:
        subject = answer.subject
        yield NodeFinding(subject.name, Finding.SHOWN, _size(answer), answer, subject.unique_id)
    else:
        outcome, text = verdict(answer)
        subject = answer.subject
        yield NodeFinding(subject.name, _finding(outcome, subject), text, answer, subject.unique_id)


def _count(check_type: str, one: RowCount) -> NodeFinding:
    if check_type in ONE_SIDED_TYPES and one.current is not None:
        text = "; ".join(filter(None, (plural(one.current, "row"), stale_phrase(one.subject))))
        return NodeFinding(one.subject.name, Finding.SHOWN, text, unique_id=one.subject.unique_id)
    outcome, text = row_verdict(one)
    finding = _finding(outcome, one.subject)
    is_stale = outcome is Outcome.PARTIAL and one.subject.is_stale
    return NodeFinding(one.subject.name, finding, text, unique_id=one.subject.unique_id, is_stale=is_stale)


def _size(answer: AnyDataDiff) -> str:
    """Return how much there is of an answer about one side."""
    if isinstance(answer, ProfileDiff):
        size = f"profile of {plural(len(answer.columns), 'column')}"
        return "; ".join(filter(None, (size, stale_phrase(answer.subject))))
    return verdict(answer).text


def _finding(outcome: Outcome, subject: Subject) -> Finding:
    if outcome is Outcome.FAILED:
        return Finding.FAILED
    if outcome is Outcome.EQUAL:
        return Finding.SAME
    if (subject.base is None) != (subject.current is None):
        return Finding.ONLY_IN_BASE if subject.current is None else Finding.ONLY_IN_CURRENT
    return Finding.DIFFERS if outcome is Outcome.DIFFERENT else Finding.NOT_COMPARED


def _change(change: Change) -> str:
    """Return `modified, partial breaking: body, columns`."""
    words = [change.status.value]
    if change.category is not None and change.category.value != "none":
        words.append(change.category.value.replace("_", " "))
    reasons = weighty_reasons(change)
    return ", ".join(words) + (f": {', '.join(reasons)}" if reasons else "")


def summary_of(check_type: str, answers: Sequence[CheckAnswer]) -> str:
    """Return one sentence on *answers*: `6 of 9 differ`, `orders: 22 rows changed`, `no change`."""
    found = node_findings(check_type, answers)
    if len(found) == 1:
        return _single(check_type, found[0])
    if any(isinstance(answer, RunDiff) for answer in answers):
        return f"{plural(len(found), 'node')} changed" if found else "no change"
    if not found:
        return "no node is selected"
    total = count(len(found))
    numbers = {kind: sum(one.finding is kind for one in found) for kind in Finding}
    phrases = []
    one_sided = [
        f"{numbers[kind]:,} only in {side}"
        for side, kind in (("base", Finding.ONLY_IN_BASE), ("current", Finding.ONLY_IN_CURRENT))
        if numbers[kind]
    ]
    if differing := sum(numbers[kind] for kind in DIFFERING):
        told = f" ({', '.join(one_sided)})" if one_sided else ""
        phrases.append(f"{differing:,} of {total} {'differs' if differing == 1 else 'differ'}{told}")
    elif same := numbers[Finding.SAME]:
        words = SAME.get(check_type, "same")
        phrases.append(f"{words} in all {total}" if same == len(found) else f"{words} in {same:,} of {total}")
    elif shown := numbers[Finding.SHOWN]:
        phrases.append(f"{shown:,} counted" if check_type == "row_count" else f"{shown:,} shown")
    stale = sum(one.is_stale for one in found)
    not_compared = numbers[Finding.NOT_COMPARED] - stale
    word = "not counted" if check_type.startswith("row_count") else "not compared"
    phrases += [f"{not_compared:,} {word}"] if not_compared else []
    phrases += [f"{numbers[Finding.FAILED]:,} failed"] if numbers[Finding.FAILED] else []
    phrases += [f"{stale:,} with data of an earlier build"] if stale else []
    return ", ".join(phrases)


def _single(check_type: str, one: NodeFinding) -> str:
    if one.finding is Finding.SAME and check_type == "row_count_diff":
        return f"{one.name}: same row count ({one.text})"
    return one.text if one.name == "query" else f"{one.name}: {one.text}"


def check_finding(check: CheckResult) -> Finding:
    """Return what stands for all nodes of a check: a difference, else what was not compared."""
    kinds = {one.finding for one in node_findings(check.type, check.results)}
    if kinds & DIFFERING:
        return Finding.DIFFERS
    if kinds & {Finding.FAILED, Finding.NOT_COMPARED}:
        return Finding.NOT_COMPARED
    is_same = kinds == {Finding.SAME} or any(isinstance(answer, RunDiff) for answer in check.results)
    return Finding.SAME if is_same else Finding.SHOWN


def is_report(check: CheckResult) -> bool:
    """Return True if a check ran, and nothing is expected of what it found."""
    return check.status is CheckStatus.PASSED and not check.has_expectations


def is_note(check: CheckResult) -> bool:
    """Return True if a check is an entry of a checklist, with nothing to run."""
    return check.status is CheckStatus.SKIPPED and check.type == "simple"


def reports_phrase(report: CheckReport) -> str:
    """Return `6 of 9 differ, 2 shown`, of the checks that only report; empty if there are none."""
    kinds = Counter(check_finding(check) for check in report.checks if is_report(check))
    differing, shown = kinds[Finding.DIFFERS], kinds[Finding.SHOWN]
    compared = kinds.total() - shown
    phrases = (
        [f"{differing:,} of {compared:,} {'differs' if differing == 1 else 'differ'}"] if compared else []
    )
    if not differing and compared:
        phrases = [f"none of {compared:,} differs"]
    phrases += [f"{kinds[Finding.NOT_COMPARED]:,} not compared"] if kinds[Finding.NOT_COMPARED] else []
    return ", ".join([*phrases, *([f"{shown:,} shown"] if shown else [])])
