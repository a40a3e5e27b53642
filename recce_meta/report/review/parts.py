"""Word, title and parts of the verdict at the top of a review: code, data, checks and approvals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

from recce_meta.errors import agree, plural
from recce_meta.models.change import Category, Change, Impact, RunDiff, Status
from recce_meta.models.checks import CheckReport, CheckResult, CheckStatus, StoredCheck
from recce_meta.models.data_diff import AnyDataDiff
from recce_meta.models.marks.review import PairReviews, is_approved
from recce_meta.models.node_types import WITH_ROWS
from recce_meta.report.labels import NO_CHANGES, TESTS, build_problem, summarise
from recce_meta.report.review.verdict import (
    TONES,
    Checks,
    Finding,
    Verdict,
    checks_finding,
    code_finding,
    data_finding,
    verdict_of,
)

Made: TypeAlias = Sequence[CheckResult] | Sequence[StoredCheck]
WORDS = {
    "failed": "Failed",
    "differs": "To review",
    "not-compared": "Not compared",
    "one-sided": "Partly compared",
    "info": "To review",
    "same": "Equal",
}
"""First word of a verdict by its tone, if no finding has a word of its own."""


class Part(NamedTuple):
    """One part of the verdict."""

    name: str
    tone: str
    text: str


def data_part(diff: RunDiff, results: Sequence[AnyDataDiff]) -> Part:
    """Return the finding on *results*; without any, the number of changed and affected nodes with rows."""
    if results:
        return _part("data", data_finding(results), "data ")
    nodes: list[Change | Impact] = [*diff.changed, *diff.impacted]
    number = sum(one.resource_type in WITH_ROWS for one in nodes)
    text = f"0 of {plural(number, 'node')} compared" if number else "no node compared"
    return Part("data", "not-compared", text)


def _part(name: str, found: Finding, subject: str = "") -> Part:
    """Return *found* as the part *name*, without the *subject* that the name repeats."""
    return Part(name, TONES[found.rank[0]], found.text.removeprefix(subject))


class VerdictLine(NamedTuple):
    """First line of a review."""

    tone: str
    word: str
    parts: Sequence[Part]


def headline_of(
    diff: RunDiff, results: Sequence[AnyDataDiff], checks: Checks | None, reviews: PairReviews | None
) -> VerdictLine:
    """Return tone, word and parts of the verdict on *diff*; without *reviews*, no part is about them."""
    data, verdict = data_part(diff, results), verdict_of(diff, results, checks)
    made = checks.checks if isinstance(checks, CheckReport) else checks or ()
    code = code_part(diff, TONES[code_finding(diff).rank[0]])
    marks = [] if reviews is None else [review_part(diff, reviews)]
    tone, word = verdict_word(diff, verdict, made, data)
    return VerdictLine(tone, word, [code, data, checks_part(made), *marks])


def verdict_word(diff: RunDiff, found: Verdict, checks: Made, data: Part) -> tuple[str, str]:
    """Return tone and first word of a review: the worst of code, builds, data and checks."""
    known = [*_words(diff, checks, data), (found.tone, WORDS[found.tone]), (data.tone, WORDS[data.tone])]
    # `min` keeps the first of equal tones, which has the more exact word.
    return min(known, key=lambda one: TONES.index(one[0]))


def _words(diff: RunDiff, checks: Made, data: Part) -> Iterator[tuple[str, str]]:
    summary = summarise(diff)
    if build_problem(diff.current):
        yield "failed", "Build failed"
    if summary.fails:
        yield "failed", "Fails"
    if summary.categories[Category.BREAKING.value]:
        yield "failed", "Breaking"
    statuses = {check.status for check in checks}
    if CheckStatus.FAILED in statuses:
        yield "failed", "Checks failed"
    if CheckStatus.ERROR in statuses:
        yield "failed", "Checks in error"
    if summary.categories[Category.PARTIAL_BREAKING.value]:
        yield "differs", "Partial breaking"
    if summary.may_fail:
        yield "differs", "May fail"
    if data.tone == "differs":
        yield "differs", "Data differs"
    if summary.categories[Category.UNKNOWN.value]:
        yield "not-compared", "Unknown effect"
    if summary.categories[Category.NON_BREAKING.value]:
        yield "info", "Non-breaking"


def code_part(diff: RunDiff, tone: str) -> Part:
    """Return what the changes of the code do, the worst first; *tone* is that of its finding."""
    summary, found = summarise(diff), Counter[str]()
    for change in diff.changed:
        if change.resource_type in TESTS or change.fails:
            continue
        is_removed = change.status is Status.REMOVED
        found[
            "removed"
            if is_removed
            else "added"
            if change.status is Status.ADDED
            else _EFFECTS.get(change.category or Category.NONE, "modified")
        ] += 1
    severe = [f"{summary.fails:,} {agree(summary.fails, 'fail')}"] * bool(summary.fails)
    severe += [
        f"{found[word]:,} {word}"
        for word in ("removed", "breaking", "change values", "unknown")
        if found[word]
    ]
    severe += [f"{summary.may_fail:,} may fail"] * bool(summary.may_fail)
    mild = [f"{found[word]:,} {word}" for word in ("non-breaking", "added", "modified") if found[word]]
    tests = len([one for one in diff.changed if one.resource_type in TESTS])
    mild += [f"{plural(tests, 'test')} changed"] * (bool(tests) and not mild)
    return Part("code", tone, ", ".join(severe or mild) or NO_CHANGES.lower())


_EFFECTS = {
    Category.BREAKING: "breaking",
    Category.PARTIAL_BREAKING: "change values",
    Category.UNKNOWN: "unknown",
    Category.NON_BREAKING: "non-breaking",
}


def checks_part(checks: Made) -> Part:
    """Return the outcomes of the checks."""
    if not checks:
        return Part("checks", "one-sided", "none yet")
    return _part("checks", checks_finding(checks, f"{len(checks):,}"))


def review_part(diff: RunDiff, reviews: PairReviews) -> Part:
    """Return how many changed nodes are approved."""
    changed = [change.unique_id for change in diff.changed if change.resource_type not in TESTS]
    approved = sum(is_approved(reviews.nodes.get(unique_id, ())) for unique_id in changed)
    tone = "same" if changed and approved == len(changed) else "one-sided"
    return Part("review", tone, f"{approved:,} of {len(changed):,} approved")
