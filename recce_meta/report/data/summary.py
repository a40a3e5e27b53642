"""What data diffs found of each node, in one line for a table: schema, rows, values, and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from recce_meta.diff.data.gaps import Gap, gaps, uncounted
from recce_meta.models.data_diff import (
    AnyDataDiff,
    Failed,
    NotCompared,
    QueryDiff,
    RowCount,
    RowCountDiff,
    Subject,
    ValueDetail,
    ValueDiff,
)
from recce_meta.report.data.figures import change_percent, count, signed
from recce_meta.report.data.wording import (
    Outcome,
    Verdict,
    finding,
    is_kept,
    kept_phrase,
    kind_of,
    plural,
    reasons_of,
    row_count_differs,
    stale_phrase,
    title_of,
)
from recce_meta.report.wording import join_words

Key: TypeAlias = tuple[str, str | None, str | None]

ASPECTS = ("schema", "rows", "values", "more")
"""The columns of the table."""

_ASPECT_OF = {
    "schema_diff": "schema",
    "row_count_diff": "rows",
    "value_diff": "values",
    "rows_diff": "values",
    "value_diff_detail": "values",
}
_CLAIMS = {
    "row_count_diff": "row count",
    "schema_diff": "schema",
    "value_diff": "data",
    "rows_diff": "data",
    "value_diff_detail": "data",
    "query_diff": "result",
    "profile_diff": "profile",
    "top_k_diff": "top values",
    "histogram_diff": "histogram",
}
"""What is the same if a diff found no difference and left nothing out."""
NOT_COUNTED = "not counted"
_WORST_FIRST = (
    Outcome.FAILED,
    Outcome.DIFFERENT,
    Outcome.NOT_COMPARED,
    Outcome.PARTIAL,
    Outcome.ONE_SIDED,
    Outcome.EQUAL,
)


class NodeSummary(NamedTuple):
    """One node's verdicts by aspect; an aspect that no diff looked at is missing."""

    subject: Subject
    aspects: dict[str, list[Verdict]]
    kinds: list[str]
    """The diffs that were made of it: `row_count_diff`, …"""
    gaps: list[Gap]
    """What was asked of it and not compared."""
    kept: list[str]
    """Row counts that were kept with a run, and that no comparison made now confirms."""

    @property
    def outcome(self) -> Outcome:
        """The worst of all verdicts; a failed diff does not hide that another found a difference."""
        return worst([found.outcome for verdicts in self.aspects.values() for found in verdicts])

    @property
    def differs(self) -> bool:
        """Whether any diff found a difference."""
        return any(
            found.outcome is Outcome.DIFFERENT for verdicts in self.aspects.values() for found in verdicts
        )

    @property
    def claim(self) -> str:
        """What is the same if the outcome is equal: `data`, or `row count and schema`, and no more."""
        claims = list(dict.fromkeys(_CLAIMS.get(kind, kind) for kind in self.kinds))
        return "data" if "data" in claims else join_words(claims)


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """What stands for all of *outcomes*; equal for none."""
    return min(outcomes, key=_WORST_FIRST.index, default=Outcome.EQUAL)


def key_of(subject: Subject) -> Key:
    """What tells one subject from another."""
    return (
        (subject.unique_id, None, None)
        if subject.unique_id
        else (subject.name, subject.base, subject.current)
    )


def summarise_nodes(results: Sequence[AnyDataDiff]) -> list[NodeSummary]:
    """A line for each subject of *results*: what failed or differs first, otherwise in the order given."""
    nodes: dict[Key, NodeSummary] = {}
    in_full = {key_of(result.subject) for result in results if isinstance(result, ValueDiff)}
    for result in results:
        if isinstance(result, RowCountDiff):
            for one in result.counts:
                node = _node(nodes, one.subject)
                _add(node, "row_count_diff", _row_finding(one))
                node.kept.extend([one.subject.name] if is_kept(one) else [])
        elif not (isinstance(result, ValueDetail) and key_of(result.subject) in in_full):
            # Of rows that differ, the value diff says all: they are no news.
            _add(_node(nodes, result.subject), kind_of(result), _aspect_verdict(result))
    for gap in gaps(results):
        _node(nodes, gap.subject).gaps.append(gap)
    for node in nodes.values():
        _recount(node)
        _doubt(node)
    return sorted(nodes.values(), key=lambda node: _WORST_FIRST.index(node.outcome))


def _node(nodes: dict[Key, NodeSummary], subject: Subject) -> NodeSummary:
    return nodes.setdefault(key_of(subject), NodeSummary(subject, {}, [], [], []))


def _add(node: NodeSummary, kind: str, found: Verdict) -> None:
    node.kinds.append(kind)
    node.aspects.setdefault(_ASPECT_OF.get(kind, "more"), []).append(found)


def _aspect_verdict(result: AnyDataDiff) -> Verdict:
    found = finding(result)
    is_named = kind_of(result) in _ASPECT_OF or isinstance(result, (QueryDiff, Failed, NotCompared))
    return found if is_named else Verdict(found.outcome, f"{title_of(result)}: {found.text}")


def _recount(node: NodeSummary) -> None:
    """Accept a row count that was kept with a run if all values were compared now, and are equal."""
    values, rows = node.aspects.get("values", []), node.aspects.get("rows", [])
    if values and all(found.outcome is Outcome.EQUAL for found in values):
        node.kept.clear()
        rows[:] = [
            Verdict(Outcome.EQUAL, found.text) if found.outcome is Outcome.PARTIAL else found
            for found in rows
        ]


def _doubt(node: NodeSummary) -> None:
    """Call nothing equal of a node that holds data of an earlier build."""
    if not node.subject.is_stale:
        return
    for aspect, verdicts in node.aspects.items():
        verdicts[:] = [
            Verdict(Outcome.PARTIAL, found.text if aspect == "rows" else "no difference found")
            if found.outcome is Outcome.EQUAL
            else found
            for found in verdicts
        ]


def row_verdict(one: RowCount) -> Verdict:
    """`1,284,003 → 1,284,011 (+8)`, or the reason why there is no figure; with a remark on stale data."""
    found = _row_finding(one)
    if not one.subject.is_stale:
        return found
    outcome = Outcome.PARTIAL if found.outcome is Outcome.EQUAL else found.outcome
    return Verdict(outcome, f"{found.text}; {stale_phrase(one.subject)}")


def _row_finding(one: RowCount) -> Verdict:
    if uncounted(one):
        return Verdict(Outcome.NOT_COMPARED, f"{NOT_COUNTED}: {reasons_of(one)}")
    if one.base is None and one.current is None:
        return Verdict(Outcome.ONE_SIDED, f"{NOT_COUNTED}: {reasons_of(one)}")
    kept = [(side, at) for side, at in (("base", one.base_kept_at), ("current", one.current_kept_at)) if at]
    remark = "".join(f"; {side} {kept_phrase(at)}" for side, at in kept)
    if not row_count_differs(one):
        return Verdict(Outcome.PARTIAL if kept else Outcome.EQUAL, count(one.current) + remark)
    told = f"{count(one.base)} → {count(one.current)}"
    if one.delta is None:
        return Verdict(Outcome.ONE_SIDED, told + remark)
    change = change_percent(one.change)
    figures = ", ".join(filter(None, (signed(one.delta), change)))
    return Verdict(Outcome.DIFFERENT, f"{told} ({figures}){remark}")


class DataSummary(Struct, frozen=True, kw_only=True):
    """How many nodes came to what."""

    nodes: int
    same: int
    """Compared in all that was asked, and equal."""
    different: int
    """At least one difference was found."""
    not_compared: int
    """Nodes of which something was asked and not compared; some of them may differ."""
    one_sided: int
    """Nodes that at most one side has: there is nothing to compare."""
    outdated: int
    """Nodes with data of an earlier build, or a row count of an earlier time."""


def data_summary(nodes: Sequence[NodeSummary]) -> DataSummary:
    """The counts over *nodes*."""
    return DataSummary(
        nodes=len(nodes),
        same=sum(node.outcome is Outcome.EQUAL for node in nodes),
        different=sum(node.differs for node in nodes),
        not_compared=sum(bool(node.gaps) for node in nodes),
        one_sided=sum(node.outcome is Outcome.ONE_SIDED for node in nodes),
        outdated=sum(node.subject.is_stale or bool(node.kept) for node in nodes),
    )


def same_by_claim(nodes: Sequence[NodeSummary]) -> dict[str, list[NodeSummary]]:
    """The nodes without a difference, by what was compared of them: `data`, `row count`, …"""
    found: dict[str, list[NodeSummary]] = {}
    for node in nodes:
        if node.outcome is Outcome.EQUAL:
            found.setdefault(node.claim, []).append(node)
    return found


def data_verdict(nodes: Sequence[NodeSummary]) -> Verdict:
    """`data differs in 3 of 6 nodes, same data in 1, 2 not compared`."""
    summary = data_summary(nodes)
    of_nodes = plural(summary.nodes, "node")
    told = [f"data differs in {summary.different:,} of {of_nodes}"] if summary.different else []

    def some(number: int) -> str:
        return of_nodes if number == summary.nodes else f"{number:,}" if told else f"{number:,} of {of_nodes}"

    for claim, same in same_by_claim(nodes).items():
        told.append(f"same {claim} in {some(len(same))}")
    nowhere = sum(map(_is_nowhere, nodes))
    if summary.one_sided > nowhere:
        told.append(f"{some(summary.one_sided - nowhere)} on one side only")
    if nowhere:
        told.append(f"{some(nowhere)} without a relation")
    if summary.not_compared:
        told.append(_not_compared(nodes, some(summary.not_compared)))
    if stale := sum(node.subject.is_stale for node in nodes):
        told.append(f"{some(stale)} with data of an earlier build")
    if kept := sum(bool(node.kept) for node in nodes):
        told.append(f"{some(kept)} with a row count of an earlier time")
    if not told:
        told.append(f"{of_nodes} not compared")
    return Verdict(worst([node.outcome for node in nodes]), ", ".join(told))


def _is_nowhere(node: NodeSummary) -> bool:
    """Return True if neither side has a relation, as of an ephemeral model."""
    has_relation = node.subject.base is not None or node.subject.current is not None
    is_uncounted = all(found.text.startswith(NOT_COUNTED) for found in node.aspects.get("rows", []))
    return not has_relation and node.outcome is Outcome.ONE_SIDED and is_uncounted


def _not_compared(nodes: Sequence[NodeSummary], how_many: str) -> str:
    """`values of 3 not compared`; `2 not compared in full` if a part was, or more than values is missing."""
    incomplete = [node for node in nodes if node.gaps]
    is_values = all(_ASPECT_OF.get(gap.diff) == "values" for node in incomplete for gap in node.gaps)
    missing = (Outcome.FAILED, Outcome.NOT_COMPARED)
    is_whole = all(
        any(found.outcome in missing for verdicts in node.aspects.values() for found in verdicts)
        for node in incomplete
    )
    words = "not compared" if is_whole else "not compared in full"
    return f"values of {how_many} {words}" if is_values else f"{how_many} {words}"
