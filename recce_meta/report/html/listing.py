"""Rows of the review page: changed nodes with the most harmful first, affected nodes, and tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from recce_meta.errors import UsageError, did_you_mean, plural, quoted
from recce_meta.models.change import Change, Impact, RunDiff, Status
from recce_meta.models.data_diff import (
    AnyDataDiff,
    RowCount,
    RowsDiff,
    ValueDiff,
    counts_by_id,
)
from recce_meta.models.marks.review import PairReviews, is_approved
from recce_meta.models.node_types import WITH_ROWS
from recce_meta.report.data.summary import NodeSummary, known_outcome
from recce_meta.report.data.verdicts import Outcome, row_count_differs
from recce_meta.report.diff_details import code_rank, code_word, detail_phrases, reach_phrase
from recce_meta.report.html.data import OUTCOME_CLASSES
from recce_meta.report.html.nodes import CHANGE_SIGNS, PageNode
from recce_meta.report.labels import TESTS, by_harm, node_label, node_part, steps_away
from recce_meta.report.values import count, percent, signed_count

PHRASES = 3
"""Phrases on what changed in a row."""
TESTS_NAMED = 6
_TONES = {"fails": "failed", "breaking": "failed", "partial breaking": "differs", "may fail": "differs"}
_TONES |= {"unknown": "one-sided", "non-breaking": "same", "added": "same"}


class DataCell(NamedTuple):
    """What is known of the data of a node."""

    text: str
    outcome: str = ""
    """Class of the report's style sheet; empty if nothing was compared."""
    rows: str = ""
    """Row counts of both sides; may be empty."""


class ReviewRow(NamedTuple):
    """A node in the list."""

    key: str
    """Value of `node` in the address: the name, or the unique id if several nodes have the name."""
    unique_id: str
    name: str
    kind: str
    sign: str
    status: str
    what: str
    code: str
    """One of `CODE_ORDER`, or `affected`."""
    data: DataCell
    has_rows: bool
    is_approved: bool
    is_open: bool
    """True if the change waits for an approval."""
    words: str
    """Names, columns and phrases that the row does not show."""

    @property
    def text(self) -> str:
        """Text in which the filter searches."""
        shown = (self.words, self.kind, self.status, self.code, self.what, self.data.text)
        return " ".join(shown).casefold()

    @property
    def states(self) -> str:
        """Names of the filters that keep the row."""
        return " ".join(name for name, (_, holds) in ONLY.items() if holds(self))

    @property
    def tone(self) -> str:
        """Class of the tag that shows `code`."""
        return _TONES.get(self.code, "")


ONLY: Mapping[str, tuple[str, Callable[[ReviewRow], bool]]] = {
    "breaking": ("breaking", lambda row: row.code in ("fails", "breaking")),
    "partial": ("partial, may fail", lambda row: row.code in ("partial breaking", "may fail", "unknown")),
    "differs": ("data differs", lambda row: row.data.outcome == "differs"),
    "open": ("not approved", lambda row: row.is_open),
}
"""Title and condition of each filter of the list, by its value in the address."""


class ReviewList(NamedTuple):
    """All rows of a pair in their groups."""

    changed: Sequence[ReviewRow]
    affected: Sequence[ReviewRow]
    tests: Sequence[ReviewRow]
    changed_about: str
    affected_about: str
    tests_about: str

    @property
    def rows(self) -> list[ReviewRow]:
        """All rows in their order."""
        return [*self.changed, *self.affected, *self.tests]

    def find(self, node: str) -> ReviewRow | None:
        """Return the row that an address calls *node*, if there is one."""
        return next((row for row in self.rows if node in (row.key, row.unique_id)), None)


def review_list(
    diff: RunDiff, nodes: Sequence[PageNode], results: Iterable[AnyDataDiff], reviews: PairReviews
) -> ReviewList:
    """Return the rows of *diff*, with the data of *nodes*, which are those of *results*."""
    listed: list[Change | Impact] = [*by_harm(diff.changed), *diff.impacted]
    names = Counter(map(node_label, listed))
    data = {node.unique_id: node for node in nodes if node.unique_id}
    counts = counts_by_id(results)
    rows = []
    for node in listed:
        label = node_label(node)
        is_approved_now = is_approved(reviews.nodes.get(node.unique_id, ()))
        rows.append(
            ReviewRow(
                key=label if names[label] == 1 else node.unique_id,
                unique_id=node.unique_id,
                name=label,
                kind=node.resource_type,
                sign=CHANGE_SIGNS.get(node.status, "") if isinstance(node, Change) else "→",
                status=node.status.value if isinstance(node, Change) else "affected",
                what=_what(node),
                code=code_word(node),
                data=_data(node, data.get(node.unique_id), counts.get(node.unique_id)),
                has_rows=node.resource_type in WITH_ROWS,
                is_approved=is_approved_now,
                is_open=isinstance(node, Change) and node.resource_type not in TESTS and not is_approved_now,
                words=_words(node),
            )
        )
    tests = [row for row in rows if row.kind in TESTS]
    changed, affected = (
        # Of equal harm, nodes whose data differ are first, then changes as in the reports, and the nearest
        # affected nodes.
        sorted(
            (row for row in rows if row.kind not in TESTS and (row.status == "affected") is one), key=_rank
        )
        for one in (False, True)
    )
    added = sum(row.status != "affected" for row in tests)
    return ReviewList(
        changed,
        affected,
        tests,
        _counted(changed, added),
        _counted(affected, len(tests) - added) + _unreached(diff.unreached),
        _tests_about(tests),
    )


def _counted(nodes: Sequence[ReviewRow], tests: int) -> str:
    return f"{len(nodes):,}" + (f", and {plural(tests, 'test')}" if tests else "")


def _unreached(number: int) -> str:
    verb = "is" if number == 1 else "are"
    return f"; {plural(number, 'further downstream node')} {verb} not" if number else ""


def _tests_about(tests: Sequence[ReviewRow]) -> str:
    counts = Counter(row.status for row in tests)
    words = " · ".join(f"{number:,} {status}" for status, number in counts.items())
    affected = [row.name for row in tests if row.status == "affected"]
    return words + (f": {', '.join(affected[:TESTS_NAMED])}" if affected else "")


def _rank(row: ReviewRow) -> tuple[int, bool]:
    is_bad = row.data.outcome in ("failed", "differs")
    return code_rank(row.code, is_bad=is_bad), not is_bad


def _what(node: Change | Impact) -> str:
    """Return what changed, or by which change a node is affected, in a few phrases."""
    if isinstance(node, Impact):
        found = reach_phrase(node, 8) or (node.reach.value if node.reach else "")
        by = f"by the change of {node_part(node.origin)} · {steps_away(node.distance).removesuffix(' away')}"
        return f"{found}, {by}" if found else by
    kind = node.resource_type.replace("_", " ")
    if node.status is Status.ADDED:
        return f"new {kind}"
    if node.status is Status.REMOVED:
        return f"{kind} removed"
    phrases = detail_phrases(node)
    # Lines of code say the least, so they are shown if there is nothing else.
    named = [one for one in phrases if not one.startswith(("body:", "compiled:"))] or phrases
    hidden = len(named) - PHRASES
    return " · ".join([*named[:PHRASES], *([f"{hidden} more"] if hidden > 0 else [])])


def _data(node: Change | Impact, found: PageNode | None, counted: RowCount | None) -> DataCell:
    if node.resource_type not in WITH_ROWS:
        return DataCell("no rows")
    summary = found.summary if found else None
    if found is None or summary is None or not summary.aspects:
        return DataCell("not compared")
    return DataCell(_word(node, summary, found.results), outcome_class(summary), _rows(counted, node))


def outcome_class(summary: NodeSummary) -> str:
    """Return the class of what is known of a node's data; empty if nothing was compared."""
    outcome = known_outcome(summary)
    return OUTCOME_CLASSES[outcome] if outcome else ""


def _word(node: Change | Impact, summary: NodeSummary, results: Sequence[AnyDataDiff]) -> str:
    outcome = summary.outcome
    if outcome is Outcome.DIFFERENT:
        return next(_differences(summary, results), "≠")
    if outcome is Outcome.ONE_SIDED and isinstance(node, Change):
        return {Status.ADDED: "new", Status.REMOVED: "gone"}.get(node.status, "one side")
    words = {
        Outcome.EQUAL: f"= {summary.claim}",
        Outcome.PARTIAL: "partly compared",
        Outcome.FAILED: "failed",
    }
    return words.get(outcome, "not compared")


def _differences(summary: NodeSummary, results: Sequence[AnyDataDiff]) -> Iterator[str]:
    """Yield the share of rows that differ, then the aspects that do."""
    for result in results:
        if isinstance(result, ValueDiff | RowsDiff):
            changed = result.changed if isinstance(result, ValueDiff) else 0
            different = result.added + result.removed + changed
            total = result.total if isinstance(result, ValueDiff) else result.common + different
            if different and total:
                yield f"≠ {percent(different / total)}"
    for aspect, verdicts in summary.aspects.items():
        if any(one.outcome is Outcome.DIFFERENT for one in verdicts):
            yield f"≠ {aspect}"


def _rows(one: RowCount | None, node: Change | Impact) -> str:
    if one is None or (one.base is None and one.current is None):
        return ""
    if one.base is None or one.current is None:
        if isinstance(node, Change) and node.status in (Status.ADDED, Status.REMOVED):
            return signed_count(one.current if one.base is None else -(one.base or 0))
        return f"{_side_rows(one.base, one.base_reason)} → {_side_rows(one.current, one.current_reason)}"
    return (
        f"{count(one.base)} → {count(one.current)}" if row_count_differs(one) else f"= {count(one.current)}"
    )


def _side_rows(number: int | None, reason: str | None) -> str:
    # A count that is unknown is not zero.
    is_built = not (reason or "").startswith("not built")
    return count(number) if number is not None else "not counted" if is_built else "not built"


def shown_rows(found: ReviewList, query: Mapping[str, str]) -> list[ReviewRow]:
    """Return the rows that `q` and `only` of an address ask for. Raises UsageError for an unknown filter."""
    only, words = query.get("only"), query.get("q", "").casefold().split()
    if only is not None and only not in ONLY:
        hint = did_you_mean(only, list(ONLY)) or f"only is one of {', '.join(ONLY)}"
        raise UsageError(f"Invalid only: {quoted(only)}", hint=hint)
    rows = [row for row in found.rows if only is None or ONLY[only][1](row)]
    return [row for row in rows if all(word in row.text for word in words)]


def _words(node: Change | Impact) -> str:
    """Return the text in which the filter searches, apart from what the row shows."""
    found = [node.unique_id, node.name]
    if isinstance(node, Change):
        found += [node.path, *detail_phrases(node), *(column.name for column in node.columns)]
    return " ".join([*found, *(node.columns if isinstance(node, Impact) else ())]).casefold()
