"""Verdicts of all data diffs of a node, by aspect: columns, rows, values and other figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.errors import plural
from recce_meta.models.data_diff import (
    AnyDataDiff,
    Failed,
    NotCompared,
    QueryDiff,
    RowCount,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    Subject,
    ValueDetail,
    ValueDiff,
    kind_of,
)
from recce_meta.report.data.verdicts import (
    NO_DIFFERENCE_FOUND,
    OTHER_TYPES,
    DiffVerdict,
    Outcome,
    bare_verdict,
    equal_claim,
    equal_nodes,
    one_sided,
    reasons_of,
    row_count_differs,
    saved_sides,
    title_of,
    words_for,
)
from recce_meta.report.labels import join_words
from recce_meta.report.values import change_percent, count, signed_count
from recce_meta.tables.gaps import Gap, count_gap, count_limit, gaps, limits_of, stale_phrase

Key: TypeAlias = tuple[str, str | None, str | None]

ASPECTS = ("columns", "rows", "values", "figures")
"""Columns of the table of nodes."""

_ASPECT_OF = {
    "schema_diff": "columns",
    "row_count_diff": "rows",
    "value_diff": "values",
    "rows_diff": "values",
    "value_diff_detail": "values",
    "data_diff": "values",
}
NOT_COUNTED = "not counted"
_WORST_FIRST = (
    Outcome.FAILED,
    Outcome.DIFFERENT,
    Outcome.NOT_COMPARED,
    Outcome.PARTIAL,
    Outcome.ONE_SIDED,
    Outcome.EQUAL,
)


DATA = "data"
"""Claim of a comparison of all values."""


class NodeSummary(NamedTuple):
    """Verdicts on one node by aspect; aspects without a diff are missing."""

    subject: Subject
    aspects: dict[str, list[DiffVerdict]]
    kinds: list[str]
    """Diffs of the node: `row_count_diff`, …"""
    gaps: list[Gap]
    """Requested comparisons that were not made."""
    shares: list[float]
    """Shares of rows or columns that differ, one for each diff."""
    saved: list[str]
    """Phrases of row counts saved with a run that no current comparison confirms: `base saved at …`."""

    @property
    def verdicts(self) -> list[DiffVerdict]:
        """Verdicts of all aspects."""
        return [*chain.from_iterable(self.aspects.values())]

    @property
    def outcome(self) -> Outcome:
        """The most severe outcome; a failed diff does not hide a difference in another."""
        return worst_outcome([found.outcome for found in self.verdicts])

    def texts(self, aspect: str) -> list[str]:
        """Return the phrases of *aspect*; with the rows, when they were saved."""
        return [found.text for found in self.aspects.get(aspect, ())] + (
            self.saved if aspect == "rows" else []
        )

    @property
    def differs(self) -> bool:
        """True if any diff found a difference."""
        return any(found.outcome is Outcome.DIFFERENT for found in self.verdicts)

    @property
    def claim(self) -> str:
        """Claim of an equal outcome: `data`, or `row count and columns`."""
        claims = list(dict.fromkeys(words.equal or words.title for words in map(words_for, self.kinds)))
        # Equal data implies the other claims.
        return "data" if "data" in claims else join_words(claims)


def worst_outcome(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the most severe of *outcomes*; equal if there are none."""
    return min(outcomes, key=_WORST_FIRST.index, default=Outcome.EQUAL)


def key_of(subject: Subject) -> Key:
    """Return the identity of a subject."""
    return (
        (subject.unique_id, None, None)
        if subject.unique_id
        else (subject.name, subject.base, subject.current)
    )


def known_outcome(summary: NodeSummary) -> Outcome | None:
    """Return what is known of the data of a node; None if nothing was compared."""
    outcome = summary.outcome if summary.aspects else Outcome.NOT_COMPARED
    # Equal row counts prove nothing of the values.
    if outcome is Outcome.EQUAL and (summary.claim != DATA or summary.gaps):
        return Outcome.PARTIAL
    return None if outcome is Outcome.NOT_COMPARED else outcome


def summarise_nodes(results: Sequence[AnyDataDiff]) -> list[NodeSummary]:
    """Return a summary of each subject in *results*: failures and differences first."""
    nodes: dict[Key, NodeSummary] = {}
    # Detail rows have no totals, so their verdict would only repeat that of values with the same limits.
    limits = {key_of(one.subject): set(limits_of(one)) for one in results if isinstance(one, ValueDiff)}
    with_columns = {
        key_of(result.subject)
        for result in results
        if isinstance(result, SchemaDiff)
        and any(one.status in ("added", "removed") for one in result.columns)
    }
    for result in results:
        if isinstance(result, RowCountDiff):
            for one in result.counts:
                node = _node(nodes, one.subject)
                _add(node, "row_count_diff", _row_finding(one))
                node.shares.append(min(abs(one.change or 0.0), 1.0))
                node.saved.extend(_saved_phrases(one))
        elif not (isinstance(result, ValueDetail) and _is_covered(result, limits)):
            node = _node(nodes, result.subject)
            is_said = key_of(result.subject) in with_columns
            _add(node, kind_of(result), _aspect_verdict(_without_sides(result) if is_said else result))
            node.shares.append(difference_share(result))
    for gap in gaps(results):
        _node(nodes, gap.subject).gaps.append(gap)
    for node in nodes.values():
        _recount(node)
        _doubt(node)
    return sorted(nodes.values(), key=_severity)


def _is_covered(detail: ValueDetail, limits: Mapping[Key, set[str]]) -> bool:
    """Return True if a value diff of the same node compared as much; *limits* are those of value diffs."""
    covered = limits.get(key_of(detail.subject))
    return covered is not None and covered.issuperset(limits_of(detail))


def _without_sides(result: AnyDataDiff) -> AnyDataDiff:
    """Return a diff whose rows differ without the columns of one side, which the diff of columns names."""
    changed = isinstance(result, ValueDiff) and result.changed
    if isinstance(result, ValueDiff | RowsDiff) and (changed or result.added or result.removed):
        return replace(result, base_only=(), current_only=())
    return result


def _severity(node: NodeSummary) -> tuple[int, float]:
    """Return the sort key of a node: the outcome, then the largest share that differs."""
    return _WORST_FIRST.index(node.outcome), -max(node.shares, default=0.0)


def by_severity(results: Sequence[AnyDataDiff]) -> list[AnyDataDiff]:
    """Return *results* in the order of `summarise_nodes`, row counts first."""
    order = {key_of(node.subject): index for index, node in enumerate(summarise_nodes(results))}
    return sorted(
        results, key=lambda one: -1 if isinstance(one, RowCountDiff) else order[key_of(one.subject)]
    )


def count_order(one: RowCount) -> tuple[int, float]:
    """Return the sort key of a row count: not counted, different by share, on one side or doubtful, equal."""
    outcome = row_verdict(one).outcome
    if outcome is Outcome.DIFFERENT:
        return _WORST_FIRST.index(outcome), -abs(one.change if one.change is not None else 1.0)
    # A missing count must not be overlooked, so it comes before any difference.
    return 0 if outcome is Outcome.NOT_COMPARED else _WORST_FIRST.index(outcome), 0.0


def difference_share(result: AnyDataDiff) -> float:
    """Return the share of rows or columns in which *result* differs; 1 if a column is missing in current."""
    if isinstance(result, QueryDiff):
        found = result.values or result.rows
        return difference_share(found) if found is not None else 0.0
    if isinstance(result, ValueDiff):
        different = result.added + result.removed + result.changed
        # A lost column breaks its readers, so it weighs as much as a difference in every row.
        return 1.0 if result.base_only else different / max(result.total, 1)
    if isinstance(result, RowsDiff):
        different = result.added + result.removed
        return 1.0 if result.base_only else different / max(result.common + different, 1)
    if isinstance(result, SchemaDiff):
        is_lost = any(column.status == "removed" for column in result.columns)
        return 1.0 if is_lost else len(result.changed) / max(len(result.columns), 1)
    return 0.0


def _node(nodes: dict[Key, NodeSummary], subject: Subject) -> NodeSummary:
    return nodes.setdefault(key_of(subject), NodeSummary(subject, {}, [], [], [], []))


def _add(node: NodeSummary, kind: str, found: DiffVerdict) -> None:
    node.kinds.append(kind)
    node.aspects.setdefault(_ASPECT_OF.get(kind, "figures"), []).append(found)


def _aspect_verdict(result: AnyDataDiff) -> DiffVerdict:
    found = bare_verdict(result)
    is_named = kind_of(result) in _ASPECT_OF or isinstance(result, (QueryDiff, Failed, NotCompared))
    return found if is_named else DiffVerdict(found.outcome, f"{title_of(result)}: {found.text}")


def _recount(node: NodeSummary) -> None:
    """Accept a saved row count if all values were compared now and are equal."""
    values, rows = node.aspects.get("values", []), node.aspects.get("rows", [])
    # Equal values imply equal counts, so an earlier count needs no caveat.
    if values and all(found.outcome is Outcome.EQUAL for found in values):
        node.saved.clear()
        rows[:] = [
            DiffVerdict(Outcome.EQUAL, found.text) if found.outcome is Outcome.PARTIAL else found
            for found in rows
        ]


def _doubt(node: NodeSummary) -> None:
    """Replace equal outcomes of a node that lacks the data of its run."""
    if not node.subject.is_stale:
        return
    for aspect, verdicts in node.aspects.items():
        verdicts[:] = [
            DiffVerdict(Outcome.PARTIAL, found.text if aspect == "rows" else NO_DIFFERENCE_FOUND)
            if found.outcome is Outcome.EQUAL
            else found
            for found in verdicts
        ]


def row_verdict(one: RowCount) -> DiffVerdict:
    """Return `1,284,003 → 1,284,011 (+8)`, `only in base: 40 rows`, or why a figure is missing."""
    outcome, text = _row_finding(one)
    text = "; ".join([text, *_saved_phrases(one)])
    if not one.subject.is_stale:
        return DiffVerdict(outcome, text)
    outcome = Outcome.PARTIAL if outcome is Outcome.EQUAL else outcome
    return DiffVerdict(outcome, f"{text}; {stale_phrase(one.subject)}")


def _saved_phrases(one: RowCount) -> list[str]:
    return [f"{side} {saved}" for side, saved in saved_sides(one).items()]


def _row_finding(one: RowCount) -> DiffVerdict:
    if count_gap(one):
        return DiffVerdict(Outcome.NOT_COMPARED, f"{NOT_COUNTED}: {reasons_of(one)}")
    if one.base is None and one.current is None:
        return DiffVerdict(Outcome.ONE_SIDED, f"{NOT_COUNTED}: {reasons_of(one)}")
    limit = count_limit(one)
    remark = f"; {limit}" if limit else ""
    if not row_count_differs(one):
        outcome = Outcome.PARTIAL if saved_sides(one) or limit else Outcome.EQUAL
        return DiffVerdict(outcome, count(one.current) + remark)
    single = one_sided(one.base, one.current)
    if single:
        return DiffVerdict(single.outcome, single.text + remark)
    text = f"{count(one.base)} → {count(one.current)}"
    change = change_percent(one.change)
    figures = ", ".join(filter(None, (signed_count(one.delta), change)))
    return DiffVerdict(Outcome.DIFFERENT, f"{text} ({figures}){remark}")


class DataSummary(Struct, frozen=True, kw_only=True):
    """Number of nodes by outcome."""

    nodes: int
    same: int
    """Equal in every requested comparison."""
    different: int
    """Nodes with at least one difference."""
    not_compared: int
    """Nodes with a requested comparison that was not made; some of them may differ."""
    one_sided: int
    """Nodes that exist on at most one side."""
    outdated: int
    """Nodes without the data of the run, or with an earlier row count."""


def data_summary(nodes: Sequence[NodeSummary]) -> DataSummary:
    """Count *nodes* by outcome."""
    return DataSummary(
        nodes=len(nodes),
        same=sum(node.outcome is Outcome.EQUAL for node in nodes),
        different=sum(node.differs for node in nodes),
        not_compared=sum(bool(node.gaps) for node in nodes),
        one_sided=sum(node.outcome is Outcome.ONE_SIDED for node in nodes),
        outdated=sum(node.subject.is_stale or bool(node.saved) for node in nodes),
    )


def same_by_claim(nodes: Sequence[NodeSummary]) -> dict[str, list[NodeSummary]]:
    """Return the nodes without a difference by claim: `data`, `data of other types`, `row count`, …"""
    found: dict[str, list[NodeSummary]] = {}
    for node in nodes:
        if node.outcome is Outcome.EQUAL:
            is_retyped = any(OTHER_TYPES in text for text in node.texts("values"))
            found.setdefault(f"{node.claim}{f' {OTHER_TYPES}' * is_retyped}", []).append(node)
    return found


def named_nodes(nodes: Sequence[NodeSummary]) -> list[tuple[Outcome, str, list[str]]]:
    """Return outcome, phrase and names of nodes with a saved row count, and of those without a difference."""
    saved: dict[str, list[str]] = {}
    for node in nodes:
        for phrase in node.saved:
            saved.setdefault(f"row count of {phrase}", []).append(node.subject.name)
    equal = {
        equal_nodes(len(same), claim): [node.subject.name for node in same]
        for claim, same in same_by_claim(nodes).items()
    }
    groups = ((Outcome.PARTIAL, saved), (Outcome.EQUAL, equal))
    return [(outcome, phrase, names) for outcome, group in groups for phrase, names in group.items()]


def data_verdict(nodes: Sequence[NodeSummary]) -> DiffVerdict:
    """Return `data differs in 3 of 6 nodes, 2 nodes not compared, equal data in 1 node`."""
    summary = data_summary(nodes)
    of_nodes = plural(summary.nodes, "node")
    text = [f"data differs in {summary.different:,} of {of_nodes}"] if summary.different else []

    def some(number: int) -> str:
        if number == summary.nodes:
            return of_nodes
        return plural(number, "node") if text else f"{number:,} of {of_nodes}"

    if summary.not_compared:
        text.append(_not_compared(nodes, some(summary.not_compared)))
    # A stale node with gaps is counted above.
    if stale := sum(node.subject.is_stale and not node.gaps for node in nodes):
        text.append(f"{some(stale)} without the data of the run")
    nowhere = sum(map(_is_nowhere, nodes))
    if summary.one_sided > nowhere:
        text.append(f"{some(summary.one_sided - nowhere)} only on one side")
    if nowhere:
        text.append(f"{some(nowhere)} without a table or view")
    for claim, same in same_by_claim(nodes).items():
        text.append(f"{equal_claim(claim)} in {some(len(same))}")
    saved = sum(bool(node.saved) for node in nodes)
    if not text:
        text.append(f"{some(saved)} with an earlier row count" if saved else f"{of_nodes} not compared")
    return DiffVerdict(worst_outcome([node.outcome for node in nodes]), ", ".join(text))


def _is_nowhere(node: NodeSummary) -> bool:
    """Return True if neither side has a relation, as for an ephemeral model."""
    has_relation = node.subject.base is not None or node.subject.current is not None
    is_uncounted = all(found.text.startswith(NOT_COUNTED) for found in node.aspects.get("rows", []))
    return not has_relation and node.outcome is Outcome.ONE_SIDED and is_uncounted


def _not_compared(nodes: Sequence[NodeSummary], how_many: str) -> str:
    """Return `values of 3 nodes not compared`, or `2 nodes not compared in full` if only in part."""
    incomplete = [node for node in nodes if node.gaps]
    is_values = all(
        _ASPECT_OF.get(gap.diff) == "values" and gap.diff != "data_diff"
        for node in incomplete
        for gap in node.gaps
    )
    missing = (Outcome.FAILED, Outcome.NOT_COMPARED)
    is_whole = all(any(found.outcome in missing for found in node.verdicts) for node in incomplete)
    words = "not compared" if is_whole else "not compared in full"
    return f"values of {how_many} {words}" if is_values else f"{how_many} {words}"
