"""Verdict of two runs: sign, tone and sentences from code, builds, data, checks and what was not compared.

Every report has its verdict from here. The worst finding decides the sign and the tone, and its sentence is
the first; what was not compared is always among them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from recce_meta.errors import agree, first_of, plural, shorten
from recce_meta.models.change import Category, RunDiff, Status
from recce_meta.models.change import Reason as ChangeReason
from recce_meta.models.checks import CheckReport, CheckResult, StoredCheck
from recce_meta.models.data_diff import AnyDataDiff
from recce_meta.models.node import NodeResult
from recce_meta.models.run import ExtractionTier
from recce_meta.redaction import without_colors, without_passwords
from recce_meta.report.data.check_findings import (
    checks_mark,
    checks_phrase,
)
from recce_meta.report.data.summary import data_verdict, known_outcome, summarise_nodes
from recce_meta.report.data.verdicts import SIGNS, Outcome
from recce_meta.report.diff_details import is_column
from recce_meta.report.labels import (
    INCOMPLETE,
    NO_CHANGES,
    NOTHING_SELECTED,
    PASSED,
    SEVERE,
    TESTS,
    DiffSummary,
    build_problem,
    count_of,
    downstream_phrase,
    fail_phrases,
    join_words,
    node_part,
    outdated_notes,
    part_notes,
    severe_phrases,
    summarise,
    unbuilt_notes,
)
from recce_meta.report.review.phrases import failure_sentences
from recce_meta.report.terminal import prose

Checks: TypeAlias = CheckReport | Sequence[StoredCheck]

TONES = ("failed", "differs", "not-compared", "one-sided", "info", "same")
"""Tones from red over amber, grey and blue to green, the worst first."""
_FAILING = 3
"""Failing nodes with their reasons in a verdict."""
_MESSAGE_WIDTH = 160
"""Maximum number of characters of a message of dbt in a verdict."""
_PLACE = re.compile(r"[\w ]+ Error in |compiled code at |\S+ failed, error:$")
"""Start of the lines of dbt's messages that say where the node is: `Database Error in model orders (…)`."""
_OF_SIGN = {
    "❌": "failed",
    "❗": "failed",
    "⚠️": "differs",
    "🟡": "differs",
    "❔": "not-compared",
    "⚪": "one-sided",
    "🔎": "info",
    PASSED: "same",
}
"""Tone of each sign, the most severe first."""
_SIGNS = {tone: sign for sign, tone in reversed(_OF_SIGN.items())}
"""First sign of each tone."""

WITHOUT_DBT = "Read without dbt"
"""Beginning of the verdict on runs without dbt's manifests."""


class Finding(NamedTuple):
    """A sentence of a verdict."""

    sign: str
    text: str
    tone: str = ""
    """Tone; empty for that of the sign."""
    has_names: bool = False
    """True if names of the project are part of the text."""

    @property
    def rank(self) -> tuple[int, int]:
        """Position among findings: 0 is the worst."""
        return TONES.index(self.tone or _OF_SIGN[self.sign]), list(_OF_SIGN).index(self.sign)


class Verdict(NamedTuple):
    """Findings of a comparison, the worst first, after what limits all of it."""

    findings: Sequence[Finding]

    @property
    def sign(self) -> str:
        """Sign of the worst finding."""
        return min(self.findings, key=lambda finding: finding.rank).sign

    @property
    def tone(self) -> str:
        """Tone of the worst finding, which is a class of pages."""
        return TONES[min(finding.rank for finding in self.findings)[0]]

    @property
    def sentences(self) -> list[str]:
        """Sentences, each with a capital."""
        return [one.text if one.has_names else one.text[:1].upper() + one.text[1:] for one in self.findings]

    @property
    def text(self) -> str:
        """All sentences in one line."""
        return " · ".join((self.sentences[0], *(finding.text for finding in self.findings[1:])))

    @property
    def markdown(self) -> str:
        """Sign and sentences as a title, with names escaped."""
        texts = [prose(one.text) if one.has_names else one.text for one in self.findings]
        title = " · ".join(texts)
        is_name = self.findings[0].has_names
        return f"{self.sign} {title if is_name else title[:1].upper() + title[1:]}"

    def __str__(self) -> str:
        return f"{self.sign} {self.text}"


def verdict_of(
    diff: RunDiff | None,
    results: Sequence[AnyDataDiff] = (),
    checks: Checks | None = None,
) -> Verdict:
    """Return the verdict of all that is given.

    *results* have a `NotCompared` for each node that was to be compared.
    """
    made = checks.checks if isinstance(checks, CheckReport) else checks or ()
    found = [checks_finding(made, plural(len(made), "check"))] if made else []
    found += [data_finding(results)] if results else []
    if diff is not None:
        found += [Finding("❔", note) for note in unbuilt_notes(diff) if results]
        found += [Finding("❔", note) for note in outdated_notes(diff)]
        found += [*_build_findings(diff), *_failing_findings(diff), code_finding(diff)]
    found.sort(key=lambda finding: finding.rank)
    limits = [] if diff is None else _limits(diff)
    return Verdict([*limits, *(found or [Finding("⚪", "nothing was compared")])])


def _limits(diff: RunDiff) -> list[Finding]:
    """Return that jobs of a connection read a side without dbt, which limits the whole comparison."""
    extractions = {"base": diff.base.extraction, "current": diff.current.extraction}
    lower = [side for side, how in extractions.items() if how and how.tier is not ExtractionTier.GOLD]
    if not lower:
        return []
    return [Finding("⚠️", WITHOUT_DBT if len(lower) > 1 else f"{lower[0]} was read without dbt")]


def checks_finding(checks: Sequence[CheckResult | StoredCheck], total: str) -> Finding:
    """Return the finding on *checks*; *total* is `4 checks`."""
    mark = checks_mark(checks)
    return Finding("❌" if mark.tone == "failed" else mark.emoji, checks_phrase(checks, total), mark.tone)


def data_finding(results: Sequence[AnyDataDiff]) -> Finding:
    """Return the finding on the data of all nodes of *results*, of which there is at least one."""
    nodes = summarise_nodes(results)
    outcome, text = data_verdict(nodes)
    # Equal data in one of several nodes proves nothing of the others.
    if outcome is Outcome.EQUAL and any(node.gaps for node in nodes):
        outcome = Outcome.PARTIAL
    # Equal row counts prove nothing of the values.
    if outcome is Outcome.EQUAL and any(known_outcome(node) is not outcome for node in nodes):
        outcome = Outcome.ONE_SIDED
    return Finding(SIGNS[outcome], text)


def _build_findings(diff: RunDiff) -> list[Finding]:
    """Return the failed build of current, and those of base or of a part, which limit what is compared."""
    found = []
    if problem := build_problem(diff.current):
        failed = first_of([node_part(one.unique_id) for one in diff.failed_results], _FAILING)
        found.append(Finding("❌", f"Current: {problem}{failed and f'; {failed} failed'}", has_names=True))
        said = [
            Finding("❌", f"{node_part(one.unique_id)} failed: {message}", has_names=True)
            for one in diff.failed_results
            if (message := _dbt_message(one))
        ]
        found += said[:_FAILING]
    if problem := build_problem(diff.base):
        found.append(Finding("❔", f"base: {problem}"))
    return found + [Finding("❔", f"{note[:1].lower()}{note[1:]}") for note in part_notes(diff)]


def _dbt_message(result: NodeResult) -> str:
    """Return the first line of dbt's message that is not about the place of the node."""
    # Runs of earlier versions have dbt's colors.
    lines = map(str.strip, without_passwords(without_colors(result.message or "")).splitlines())
    message = next((line for line in lines if line and not _PLACE.match(line)), "")
    return shorten(message.removesuffix(":"), _MESSAGE_WIDTH)


def _failing_findings(diff: RunDiff) -> list[Finding]:
    """Return the first nodes that fail, with their reasons."""
    failing = failure_sentences(diff)
    hidden = len(failing) - _FAILING
    more = [f"{plural(hidden, 'further node')} {agree(hidden, 'fail')}"] if hidden > 0 else []
    return [Finding("❌", text, has_names=True) for text in (*failing[:_FAILING], *more)]


def code_finding(diff: RunDiff) -> Finding:
    """Return the finding on the code of *diff* alone."""
    summary = summarise(diff)
    if diff.has_empty_selection:
        return Finding("⚪", NOTHING_SELECTED)
    if not diff.changed:
        return Finding("⚪", INCOMPLETE) if diff.notes else Finding(PASSED, NO_CHANGES)
    tests = sum(change.resource_type in TESTS for change in diff.changed)
    nodes = len(diff.changed) - tests
    counted = [count_of(nodes, "node")] * bool(nodes) + [count_of(tests, "test")] * bool(tests)
    text = f"{join_words(counted)} changed, "
    text += downstream_phrase(summary) if summary.downstream else "no downstream nodes"
    losses = _losses(diff)
    worst = ": ".join(filter(None, (_dangers(summary), losses)))
    phrases = [*fail_phrases(summary), worst] if summary.fails else [worst, *fail_phrases(summary)]
    worst = " · ".join(filter(None, phrases))
    return Finding(_SIGNS[_tone(summary, losses)], f"{worst} ({text})") if worst else Finding("🔎", text)


def _tone(summary: DiffSummary, losses: str) -> str:
    """Return the tone of severe changes and of *losses*."""
    if summary.fails or summary.categories[Category.BREAKING.value]:
        return "failed"
    is_known = losses or summary.may_fail or summary.categories[Category.PARTIAL_BREAKING.value]
    return "differs" if is_known else "not-compared"


def _dangers(summary: DiffSummary) -> str:
    """Return `2 breaking and 1 unknown changes` or `1 breaking change`."""
    severe = severe_phrases(summary)
    total = sum(summary.categories.get(category.value, 0) for category in SEVERE)
    return f"{join_words(severe)} {'change' if total == 1 else 'changes'}" if severe else ""


def _losses(diff: RunDiff) -> str:
    """Return what readers of the relations lose: nodes, columns and column types."""
    # Another node may have the relation of a removed one, which then has no effect.
    gone = (c for c in diff.changed if c.status is Status.REMOVED and c.category is not Category.NONE)
    removed = Counter(c.resource_type for c in gone)
    lost = retyped = 0
    for change, detail in (
        (c, d) for c in diff.changed for d in c.details if d.reason is ChangeReason.COLUMNS
    ):
        if is_column(change, detail):
            lost += detail.current is None
            retyped += detail.base is not None and detail.current is not None
    nodes = sum(count for kind, count in removed.items() if kind not in TESTS)
    missing = join_words([count_of(nodes, "node")] * bool(nodes) + [count_of(lost, "column")] * bool(lost))
    changed = count_of(retyped, "column") + " with a different type" if retyped else ""
    return ", ".join(filter(None, (missing and f"{missing} removed", changed)))
