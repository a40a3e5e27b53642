"""Nodes of the page: code changes and data of each, and the affected nodes downstream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

from recce_meta.errors import plural
from recce_meta.models.change import Category, Change, ChangeDetail, Impact, Reason, RunDiff, Status
from recce_meta.models.data_diff import AnyDataDiff, NotCompared, RowCountDiff
from recce_meta.report.data.summary import ASPECTS, Key, NodeSummary, key_of, summarise_nodes
from recce_meta.report.data.verdicts import Outcome
from recce_meta.report.diff_details import (
    code_rank,
    code_word,
    column_phrases,
    detail_phrases,
    effect_label,
    is_text,
    reach_phrase,
    reached_phrase,
    unified_diff,
)
from recce_meta.report.html.data import OUTCOME_CLASSES
from recce_meta.report.labels import (
    TESTS,
    by_kind,
    conflict_phrases,
    counts_by_kind,
    failing_first,
    kind_order,
    main_reasons,
    more_phrase,
    node_label,
    steps_away,
)
from recce_meta.report.review.annotations import author_phrase, object_phrase
from recce_meta.report.review.phrases import mark_phrase
from recce_meta.report.terminal import shorten
from recce_meta.tables.gaps import stale_phrase

ROWS_IN_VIEW = 25
"""Rows of the overview without a scroll bar."""
DIFF_LINES = 400
DIFF_WIDTH = 400
PHRASES_SHOWN = 60
TESTS_SHOWN = 200
COLUMNS_SHOWN = 8
IMPACTED_SHOWN = 200
CHANGE_SIGNS = {Status.ADDED: "+", Status.REMOVED: "−", Status.MODIFIED: "~"}
_TONES = {"+": "line-added", "-": "line-removed", "@": "line-place"}
EFFECT_CLASSES = {
    Category.BREAKING: "removed",
    Category.UNKNOWN: "modified",
    Category.PARTIAL_BREAKING: "modified",
    Category.NON_BREAKING: "added",
    Category.NONE: "none",
    None: "none",
}
_RANK = {
    Outcome.FAILED: 0,
    Outcome.DIFFERENT: 1,
    Outcome.NOT_COMPARED: 2,
    Outcome.PARTIAL: 2,
    Outcome.ONE_SIDED: 4,
    Outcome.EQUAL: 5,
}
_CHANGED_RANK = 3


class PageNode(NamedTuple):
    """Row of the overview and the section it links to."""

    anchor: str
    name: str
    unique_id: str
    change: Change | None
    summary: NodeSummary | None
    results: Sequence[AnyDataDiff]

    @property
    def has_section(self) -> bool:
        """True if there is more to show than the overview and the row counts."""
        return bool(self.results or (self.change and self.change.details))

    @property
    def state(self) -> str:
        """Class by which the page filters; a node without data is `code`."""
        return OUTCOME_CLASSES[self.summary.outcome] if self.summary else "code"

    @property
    def search_text(self) -> str:
        """Text in which the page's filter searches."""
        return f"{self.name} {self.unique_id}".lower()

    @property
    def path(self) -> str:
        """Path of the changed file; may be empty."""
        return (self.change.path or "") if self.change else ""

    @property
    def relations(self) -> list[str]:
        """Relations of both sides."""
        subject = self.summary.subject if self.summary else None
        return [side for side in (subject.base, subject.current) if side] if subject else []


def nodes_of(diff: RunDiff | None, results: Sequence[AnyDataDiff]) -> list[PageNode]:
    """Return changed nodes and those with data diffs, the most harmful first; no tests."""
    changes = {
        change.unique_id: change
        for kind, group in by_kind(diff.changed if diff else ()).items()
        for change in group
        if kind not in TESTS
    }
    found: list[tuple[str, str, Change | None, NodeSummary | None, list[AnyDataDiff]]] = []
    by_subject = _by_subject(results)
    for summary in summarise_nodes(results):
        subject = summary.subject
        # What remains changed in code only.
        change = changes.pop(subject.unique_id or "", None)
        own = by_subject.get(key_of(subject), [])
        found.append((subject.name, subject.unique_id or "", change, summary, own))
    found += [(node_label(change), key, change, None, []) for key, change in changes.items()]
    found.sort(key=lambda node: _rank(node[2], node[3]))
    # Anchors are numbers, because a unique id may contain any character.
    return [PageNode(f"node-{index}", *node) for index, node in enumerate(found, 1)]


def _rank(change: Change | None, summary: NodeSummary | None) -> tuple[int, int]:
    """Return the position of a node: by its code as in the review of the server, then by its data."""
    outcome = summary.outcome if summary else None
    is_bad = outcome in (Outcome.FAILED, Outcome.DIFFERENT)
    word = code_word(change) if change else ""
    return code_rank(word, is_bad=is_bad), _RANK[outcome] if outcome else _CHANGED_RANK


def _by_subject(results: Sequence[AnyDataDiff]) -> dict[Key, list[AnyDataDiff]]:
    """Return the results with a block of their own; row counts have one table for all nodes."""
    found: dict[Key, list[AnyDataDiff]] = {}
    for result in results:
        if not isinstance(result, (RowCountDiff, NotCompared)):
            found.setdefault(key_of(result.subject), []).append(result)
    return found


def aspects_of(nodes: Sequence[PageNode]) -> list[str]:
    """Return the aspects of data that any node has a verdict on."""
    return [aspect for aspect in ASPECTS if any(n.summary and aspect in n.summary.aspects for n in nodes)]


def tests_by_status(diff: RunDiff) -> list[tuple[str, list[str]]]:
    """Return the names of the changed tests by status."""
    found = [change for change in diff.changed if change.resource_type in TESTS]
    groups = [(s, [node_label(one) for one in found if one.status is s]) for s in CHANGE_SIGNS]
    return [(status.value, names) for status, names in groups if names]


def code_details(change: Change) -> list[ChangeDetail]:
    """Return the changes of the source, or of the compiled SQL if the source is unchanged."""
    wanted = Reason.BODY if Reason.BODY in change.reasons else Reason.COMPILED
    return [detail for detail in change.details if detail.reason is wanted and is_text(detail)]


def code_blocks(change: Change) -> list[tuple[list[tuple[str, str]], int]]:
    """Return the diff of the source, or of the compiled SQL if the source is unchanged.

    Each block has classes and text of its lines, and the number of lines that are not shown.
    """
    blocks = []
    for detail in code_details(change):
        lines = unified_diff(detail.base, detail.current)
        shown = [
            (_TONES.get(line[:1], ""), f"{shorten(line, DIFF_WIDTH)}\n") for line in islice(lines, DIFF_LINES)
        ]
        # The iterator still has the lines that are not shown, so they are only counted.
        blocks += [(shown, sum(1 for _line in lines))] if shown else []
    return blocks


class Downstream(NamedTuple):
    """Affected nodes by distance; tests are only in the title."""

    title: str
    groups: Sequence[tuple[int, Sequence[tuple[str, str]]]]
    """Label and affected columns of the nodes at each distance."""
    is_open: bool
    unreached: int
    """Downstream nodes that are not affected."""


def downstream_of(diff: RunDiff) -> Downstream:
    """Return the affected nodes of *diff*; of one distance, failing nodes are first."""
    shown = [impact for impact in diff.impacted if impact.resource_type not in TESTS]
    groups = []
    for distance in sorted({impact.distance for impact in shown}):
        group = sorted((one for one in shown if one.distance == distance), key=_impact_order)
        groups.append((distance, [(node_label(impact), reach_phrase(impact, 8)) for impact in group]))
    impacted, unreached = len(diff.impacted), diff.unreached
    of = f"{impacted:,} of {impacted + unreached:,} affected: " if unreached else ""
    title = of + counts_by_kind(Counter(impact.resource_type for impact in diff.impacted))
    return Downstream(title if impacted else "", groups, len(shown) <= 40, unreached)


def _impact_order(impact: Impact) -> tuple[int, tuple[int, str], str]:
    return failing_first(impact), kind_order(impact.resource_type), node_label(impact)


NODE_GLOBALS: dict[str, Any] = {
    function.__name__: function
    for function in (
        aspects_of, code_blocks, column_phrases, detail_phrases, effect_label, more_phrase, plural,
        reached_phrase,
        shorten, stale_phrase, steps_away, main_reasons, mark_phrase, author_phrase, conflict_phrases,
        object_phrase,
    )
} | {
    "CHANGE_SIGNS": CHANGE_SIGNS,
    "COLUMNS_SHOWN": COLUMNS_SHOWN,
    "EFFECT_CLASSES": EFFECT_CLASSES,
    "FINDINGS_SHOWN": 200,
    "IMPACTED_SHOWN": IMPACTED_SHOWN,
    "ITEMS_SHOWN": 50,
    "PHRASES_SHOWN": PHRASES_SHOWN,
    "ROWS_IN_VIEW": ROWS_IN_VIEW,
    "TESTS_SHOWN": TESTS_SHOWN,
    "VIOLATIONS_SHOWN": 50,
}  # fmt: skip
"""Functions and constants that templates use."""
