"""What data diffs found of each node, in one line for a table: schema, rows, values, and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from recce_meta.models.data_diff import (
    AnyDataDiff,
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
    kind_of,
    reasons_of,
    row_count_differs,
    title_of,
    verdict,
)

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
_WORST_FIRST = (Outcome.FAILED, Outcome.DIFFERENT, Outcome.ONE_SIDED, Outcome.EQUAL)


class NodeSummary(NamedTuple):
    """One node's verdicts by aspect; an aspect that no diff looked at is missing."""

    subject: Subject
    aspects: dict[str, list[Verdict]]

    @property
    def outcome(self) -> Outcome:
        """The worst of all verdicts; a failed diff does not hide that another found a difference."""
        return worst([found.outcome for verdicts in self.aspects.values() for found in verdicts])


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
                _node(nodes, one.subject).setdefault("rows", []).append(row_verdict(one))
        else:
            is_known = isinstance(result, ValueDetail) and key_of(result.subject) in in_full
            _add(_node(nodes, result.subject), result, is_known=is_known)
    return sorted(nodes.values(), key=lambda node: _WORST_FIRST.index(node.outcome))


def _node(nodes: dict[Key, NodeSummary], subject: Subject) -> dict[str, list[Verdict]]:
    return nodes.setdefault(key_of(subject), NodeSummary(subject, {})).aspects


def _add(aspects: dict[str, list[Verdict]], result: AnyDataDiff, *, is_known: bool) -> None:
    """Its verdict, but for rows of which the value diff tells all: they are no news."""
    if is_known:
        return
    found = verdict(result)
    aspect = _ASPECT_OF.get(kind_of(result), "more")
    if aspect == "more" and not isinstance(result, QueryDiff):
        found = Verdict(found.outcome, f"{title_of(result)}: {found.text}")
    aspects.setdefault(aspect, []).append(found)


def row_verdict(one: RowCount) -> Verdict:
    """`1,284,003 → 1,284,011 (+8)`, or the reason why there is no figure."""
    if one.base is None and one.current is None:
        return Verdict(Outcome.ONE_SIDED, f"not counted: {reasons_of(one)}")
    if not row_count_differs(one):
        return Verdict(Outcome.EQUAL, count(one.current))
    told = f"{count(one.base)} → {count(one.current)}"
    if one.delta is None:
        return Verdict(Outcome.ONE_SIDED, told)
    change = change_percent(one.change)
    return Verdict(Outcome.DIFFERENT, f"{told} ({', '.join(filter(None, (signed(one.delta), change)))})")


def data_verdict(nodes: Sequence[NodeSummary]) -> Verdict:
    """`data differs in 3 of 5 nodes`."""
    total = len(nodes)
    of_nodes = f"{total:,} node" if total == 1 else f"{total:,} nodes"
    differing = sum(
        any(found.outcome is Outcome.DIFFERENT for verdicts in node.aspects.values() for found in verdicts)
        for node in nodes
    )
    failed = sum(node.outcome is Outcome.FAILED for node in nodes)
    told = [f"data differs in {differing:,} of {of_nodes}" if differing else f"data of {of_nodes} compared"]
    if not differing and all(node.outcome is Outcome.EQUAL for node in nodes):
        told = [f"data is the same in {of_nodes}"]
    told += [f"{failed:,} could not be compared"] if failed else []
    return Verdict(worst([node.outcome for node in nodes]), ", ".join(told))
