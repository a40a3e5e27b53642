"""Figures that answers to a check should have and lack: a check without any figure has not passed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from recce_meta.models.change import RunDiff
from recce_meta.models.check_result import CheckAnswer
from recce_meta.models.data_diff import (
    HistogramDiff,
    ProfileDiff,
    QueryDiff,
    RowCount,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    TopKDiff,
    ValueDetail,
    ValueDiff,
)


class _Figure(NamedTuple):
    """One figure that was asked for."""

    name: str
    reason: str | None
    """Why it could not be computed; None if it was."""


def uncomputed(answers: Sequence[CheckAnswer]) -> list[str]:
    """Return why nothing could be computed: a sentence for each figure; none if any of them could be."""
    figures = [figure for answer in answers for figure in _figures(answer)]
    if any(figure.reason is None for figure in figures):
        return []
    return [f"{figure.name}: {figure.reason}" for figure in figures]


def _figures(answer: CheckAnswer) -> Iterator[_Figure]:
    match answer:
        case RowCountDiff():
            yield from filter(None, map(_count, answer.counts))
        case ValueDiff():
            yield _values(answer)
        case RowsDiff():
            yield _rows(answer)
        case QueryDiff():
            yield _query(answer)
        case TopKDiff() | HistogramDiff():
            for column in answer.columns:
                yield _Figure(f"{answer.subject.name}: column {column.name}", column.reason)
        case SchemaDiff() | ProfileDiff() | ValueDetail():
            yield _Figure(answer.subject.name, None)
        case RunDiff():
            yield _Figure("lineage", None)


def _count(count: RowCount) -> _Figure | None:
    """Return the count of one node; None if it has a relation on neither side, as an ephemeral model."""
    subject, sides = count.subject, []
    if subject.base is not None:
        sides.append(("base", count.base, count.base_reason))
    if subject.current is not None:
        sides.append(("current", count.current, count.current_reason))
    if not sides:
        return None
    lacking = [f"{side}: {reason or 'not counted'}" for side, rows, reason in sides if rows is None]
    return _Figure(subject.name, "; ".join(lacking) or None)


def _values(diff: ValueDiff) -> _Figure:
    if diff.base is None and diff.current is None:
        return _Figure(diff.subject.name, "is on neither side")
    reasons = [f"column {column.name} was not compared: {column.reason}" for column in diff.columns]
    is_blind = bool(reasons) and all(column.reason for column in diff.columns)
    return _Figure(diff.subject.name, "; ".join(reasons) if is_blind else None)


def _rows(diff: RowsDiff) -> _Figure:
    if diff.base_rows is None and diff.current_rows is None:
        return _Figure(diff.subject.name, "is on neither side")
    if diff.incomparable and not diff.columns:
        return _Figure(diff.subject.name, f"{', '.join(diff.incomparable)} could not be compared")
    return _Figure(diff.subject.name, None)


def _query(diff: QueryDiff) -> _Figure:
    if diff.values is not None:
        return _values(diff.values)
    if diff.rows is not None:
        return _rows(diff.rows)
    return _Figure(diff.subject.name, None if diff.detail is not None else "has no result")
