"""Nodes of the page: changed ones, and those whose data were compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from recce_meta.errors import plural
from recce_meta.models.change import Change, RunDiff, Status
from recce_meta.models.data_diff import AnyDataDiff, NotCompared, RowCountDiff
from recce_meta.report.data.summary import ASPECTS, Key, NodeSummary, key_of, summarise_nodes
from recce_meta.report.data.verdicts import Outcome
from recce_meta.report.diff_details import (
    code_rank,
    code_word,
    column_phrases,
    detail_phrases,
    reach_phrase,
    reached_phrase,
)
from recce_meta.report.html.data import OUTCOME_CLASSES
from recce_meta.report.labels import (
    TESTS,
    by_kind,
    conflict_phrases,
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
PHRASES_SHOWN = 60
CHANGE_SIGNS = {Status.ADDED: "+", Status.REMOVED: "−", Status.MODIFIED: "~"}
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


NODE_GLOBALS: dict[str, Any] = {
    function.__name__: function
    for function in (
        aspects_of, column_phrases, detail_phrases, more_phrase, plural,
        reach_phrase, reached_phrase,
        shorten, stale_phrase, steps_away, mark_phrase, author_phrase, conflict_phrases,
        object_phrase,
    )
} | {
    "FINDINGS_SHOWN": 200,
    "ITEMS_SHOWN": 50,
    "PHRASES_SHOWN": PHRASES_SHOWN,
    "ROWS_IN_VIEW": ROWS_IN_VIEW,
    "VIOLATIONS_SHOWN": 50,
}  # fmt: skip
"""Functions and constants that templates use."""
