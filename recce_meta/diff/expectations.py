"""What of a check's answers is not as expected: one sentence with figures for each limit that does not hold.

An expectation is about what was seen. What could not be seen (a row without a key, a column of a type that
cannot be compared, a relation that one side has not) does not hold, unless it is allowed: a check that saw
nothing must not pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from msgspec import UNSET

from recce_meta.diff.expected_figures import (
    distribution_differences,
    distribution_violations,
    profile_differences,
    profile_violations,
)
from recce_meta.diff.expected_rows import (
    detail_violations,
    multiset_violations,
    only_in_current,
    query_violations,
    rows_violations,
    value_violations,
)
from recce_meta.diff.sentences import allowed, cell, count_of, exceeds, percent
from recce_meta.errors import first_of
from recce_meta.models.change import COSMETIC, Change, RunDiff, Status
from recce_meta.models.check_expect import (
    FIGURES,
    NONE,
    Amount,
    Expect,
    ExpectCounts,
    ExpectDistribution,
    ExpectEqual,
    ExpectLineage,
    ExpectProfile,
    ExpectResult,
    ExpectRows,
    ExpectSchema,
    ExpectValues,
)
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

MOST_NODES = 10


def violations(expect: Expect | None, answers: Sequence[CheckAnswer]) -> tuple[str, ...]:
    """Each expectation that *answers* do not meet, in their order; none where nothing is expected.

    Raises TypeError for an answer of another type than the expectation is about.
    """
    if expect is None:
        return ()
    return tuple(sentence for answer in answers for sentence in _of(expect, answer))


def _of(expect: Expect, answer: CheckAnswer) -> list[str]:
    match expect, answer:
        case ExpectEqual(), _:
            return _differences(answer)
        case ExpectValues(), ValueDiff():
            return value_violations(expect, answer)
        case ExpectValues(), RowsDiff():
            return multiset_violations(expect, answer)
        case ExpectRows(), ValueDetail():
            return detail_violations(expect, answer)
        case ExpectRows(), QueryDiff():
            return query_violations(expect, answer)
        case ExpectRows(), RowsDiff():
            return rows_violations(expect, answer, answer.subject.name)
        case ExpectCounts(), RowCountDiff():
            return [sentence for count in answer.counts for sentence in _count(expect, count)]
        case ExpectSchema(), SchemaDiff():
            return _schema(expect, answer)
        case ExpectProfile(), ProfileDiff():
            return profile_violations(expect, answer)
        case ExpectDistribution(), HistogramDiff() | TopKDiff():
            return distribution_violations(expect, answer)
        case ExpectResult(), RowsDiff() | QueryDiff():
            return _result(expect, answer)
        case ExpectLineage(), RunDiff():
            return _lineage(expect, answer)
    raise TypeError(f"{type(expect).__name__} cannot be held against {type(answer).__name__}")


def _differences(answer: CheckAnswer) -> list[str]:
    """What differs at all, for `expect: equal`."""
    match answer:
        case ValueDiff():
            found = value_violations(ExpectValues(), answer)
            return found + only_in_current(answer.subject.name, answer.current_only)
        case RowsDiff():
            found = rows_violations(ExpectRows(), answer, answer.subject.name)
            return found + only_in_current(answer.subject.name, answer.current_only)
        case ValueDetail():
            found = detail_violations(ExpectRows(), answer)
            return found + only_in_current(answer.subject.name, answer.current_only)
        case QueryDiff():
            compared = answer.values or answer.rows
            columns = compared.current_only if compared else ()
            return query_violations(ExpectRows(), answer) + only_in_current(answer.subject.name, columns)
        case RowCountDiff():
            same = ExpectCounts(row_count_change=NONE, allow=frozenset())
            return [sentence for count in answer.counts for sentence in _count(same, count)]
        case SchemaDiff():
            return _schema(ExpectSchema(), answer)
        case ProfileDiff():
            return profile_differences(answer, FIGURES)
        case HistogramDiff() | TopKDiff():
            return distribution_differences(answer)
        case RunDiff():
            return _lineage(ExpectLineage(), answer)
    raise TypeError(f"{type(answer).__name__} has no two sides")


def _count(expect: ExpectCounts, count: RowCount) -> list[str]:
    """The violations of one relation's limits; what no side has, as an ephemeral model, cannot change."""
    subject = count.subject
    if count.base is None and count.current is None and subject.base is None and subject.current is None:
        is_limited = expect.min_rows is not None or expect.max_rows is not None
        return [_not_counted(subject.name, "current", count.current_reason)] if is_limited else []
    is_compared = any((expect.row_count_change, expect.max_increase, expect.max_decrease))
    if count.current is None:
        return _uncounted(subject.name, "current", "removed", subject.current, count.current_reason, expect)
    found = _absolute(expect, subject.name, count.current)
    if not is_compared:
        return found
    if count.base is None:
        return found + _uncounted(subject.name, "base", "added", subject.base, count.base_reason, expect)
    return found + _change(expect, subject.name, count.base, count.current)


def _uncounted(
    name: str, side: str, status: str, relation: str | None, reason: str | None, expect: ExpectCounts
) -> list[str]:
    if relation is None:
        return [] if status in expect.allow else [f"{name}: is not in {side}, and {status} is not allowed"]
    return [_not_counted(name, side, reason)]


def _not_counted(name: str, side: str, reason: str | None) -> str:
    return f"{name}: could not be counted in {side}" + (f": {reason}" if reason else "")


def _absolute(expect: ExpectCounts, name: str, rows: int) -> list[str]:
    if expect.min_rows is not None and rows < expect.min_rows:
        return [f"{name}: has {count_of(rows, 'row')}, at least {expect.min_rows:,} expected"]
    if expect.max_rows is not None and rows > expect.max_rows:
        return [f"{name}: has {count_of(rows, 'row')}, at most {expect.max_rows:,} expected"]
    return []


def _change(expect: ExpectCounts, name: str, base: int, current: int) -> list[str]:
    delta = current - base
    limits: list[Amount | None] = [
        expect.row_count_change,
        expect.max_increase if delta > 0 else expect.max_decrease,
    ]

    def share(limit: Amount) -> str:
        return f", {'+' if delta > 0 else '−'}{percent(abs(delta) / base, limit)}" if base else ""

    return [
        f"{name}: went from {base:,} to {count_of(current, 'row')} ({delta:+,}{share(limit)}), "
        f"{allowed(limit)}"
        for limit in dict.fromkeys(limits)
        if limit is not None and exceeds(abs(delta), limit, base)
    ]


def _schema(expect: ExpectSchema, diff: SchemaDiff) -> list[str]:
    """A sentence for each column; one for all of a relation that only one side has."""
    name, statuses = diff.subject.name, {column.status for column in diff.columns}
    for status, side, relation in (
        ("added", "base", diff.subject.base),
        ("removed", "current", diff.subject.current),
    ):
        if statuses == {status} and relation is None:
            return (
                [] if status in expect.allow else [f"{name}: is not in {side}, and {status} is not allowed"]
            )
    found = [] if diff.columns else [f"{name}: has no column, so that nothing was compared"]
    for column in diff.changed:
        if column.status in expect.allow:
            continue
        how = f" from {column.base_type} to {column.current_type}" if column.status == "retyped" else ""
        if column.status == "moved":
            how = f" from place {column.base_position} to {column.current_position}"
        found.append(f"{name}: column {column.name} was {column.status}{how}, which is not allowed")
    return found


def _result(expect: ExpectResult, answer: RowsDiff | QueryDiff) -> list[str]:
    """The violations of a single query's rows: those of the side that ran."""
    name = answer.subject.name
    rows = answer.rows if isinstance(answer, QueryDiff) else answer
    if rows is None:
        return [f"{name}: has no result"]
    is_current = rows.current_rows is not None
    count = rows.current_rows if is_current else rows.base_rows
    if count is None:
        return [f"{name}: has no result"]
    found = []
    if expect.rows is not None and count != expect.rows:
        found.append(f"{name}: gives {count_of(count, 'row')}, {expect.rows:,} expected")
    found += _absolute(ExpectCounts(min_rows=expect.min_rows, max_rows=expect.max_rows), name, count)
    if expect.value is not UNSET:
        cells = [row.current if is_current else row.base for row in rows.rows]
        found += _value(expect.value, name, count, cells)
    return found


def _value(expected: Any, name: str, count: int, cells: Sequence[tuple[Any, ...] | None]) -> list[str]:
    if count != 1 or len(cells) != 1 or cells[0] is None or len(cells[0]) != 1:
        columns = len(cells[0]) if cells and cells[0] is not None else 0
        shape = (
            f"{count_of(count, 'row')} of {count_of(columns, 'column')}" if cells else count_of(count, "row")
        )
        return [f"{name}: gives {shape}, a single value expected"]
    value = cells[0][0]
    return [] if _is_equal(value, expected) else [f"{name}: gives {cell(value)}, {cell(expected)} expected"]


def _is_equal(value: Any, expected: Any) -> bool:
    """Whether a cell is what YAML says: numbers by value, the rest also by its text (dates, UUIDs)."""
    if value is None or expected is None or isinstance(value, bool) or isinstance(expected, bool):
        return value is expected
    if isinstance(value, (int, float, Decimal)) and isinstance(expected, (int, float)):
        try:
            return Decimal(str(value)) == Decimal(str(expected))
        except InvalidOperation:
            return False
    return bool(value == expected) or str(value) == str(expected)


def _lineage(expect: ExpectLineage, diff: RunDiff) -> list[str]:
    """A sentence for each status, with the nodes that have it."""
    refused: dict[Status, list[Change]] = defaultdict(list)
    for change in diff.changed:
        reasons = {reason.value for reason in change.reasons if reason not in COSMETIC}
        if change.status.value in expect.allow or (reasons and reasons <= expect.allow):
            continue
        refused[change.status].append(change)
    return [
        f"{count_of(len(changes), 'node')} {'was' if len(changes) == 1 else 'were'} {status}, which is not "
        f"allowed: {first_of([_named(change, expect) for change in changes], MOST_NODES)}"
        for status, changes in refused.items()
    ]


def _named(change: Change, expect: ExpectLineage) -> str:
    """`orders (body, columns)`: the node, and what of it is not allowed."""
    reasons = [r.value for r in change.reasons if r not in COSMETIC and r.value not in expect.allow]
    return f"{change.name} ({', '.join(reasons)})" if reasons else change.name
