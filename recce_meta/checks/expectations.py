"""Expectations of checks: one sentence with figures for each limit that a check's answers violate.

An expectation applies to the data that the check compared. Data that could not be compared (a row without a
key, a column of an unsupported type, a relation missing on one side) violates it unless it is allowed: a
check that compared nothing must not pass. For the same reason, a check without any figure must not pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, NamedTuple

from msgspec import UNSET

from recce_meta.checks.expected_data import (
    detail_violations,
    distribution_differences,
    distribution_violations,
    multiset_violations,
    only_in_current,
    profile_differences,
    profile_violations,
    query_violations,
    rows_violations,
    value_violations,
)
from recce_meta.checks.messages import allowed, cell, exceeds, limit_percent
from recce_meta.errors import first_of, plural
from recce_meta.models.change import COSMETIC, Change, RunDiff, Status
from recce_meta.models.checks import (
    FIGURES,
    NONE,
    Amount,
    CheckAnswer,
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
from recce_meta.models.data_diff import (
    DistributionDiff,
    ProfileDiff,
    QueryDiff,
    RowCount,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    ValueDetail,
    ValueDiff,
)

MOST_NODES = 10


def violations(
    expect: Expect | None, answers: Sequence[CheckAnswer], shown: Sequence[CheckAnswer] | None = None
) -> tuple[str, ...]:
    """Return each expectation that *answers* violate, in their order; nothing if *expect* is None.

    *shown* are the answers without values that sentences must not quote; None if they may quote all. Raises
    TypeError if the expectation does not apply to the type of an answer.
    """
    if expect is None:
        return ()
    pairs = zip(answers, answers if shown is None else shown, strict=True)
    return tuple(sentence for answer, public in pairs for sentence in _of(expect, answer, public))


def _of(expect: Expect, answer: CheckAnswer, shown: CheckAnswer) -> list[str]:
    rules = _rules_of(answer)
    if (quoting := rules.quoting.get(type(expect))) is not None:
        return quoting(expect, answer, shown)
    if isinstance(expect, ExpectEqual) and rules.differences is not None:
        return rules.differences(answer)
    violated = rules.violations.get(type(expect))
    if violated is None:
        # Not an error of the user: the reader of the file already pairs types and expectations.
        raise TypeError(f"{type(expect).__name__} does not apply to {type(answer).__name__}")
    return violated(expect, answer)


def _of_rows(answer: ValueDiff | RowsDiff | ValueDetail, found: list[str]) -> list[str]:
    """Return the violations *found*, and the columns that only current has, for `expect: equal`."""
    return found + only_in_current(answer.subject.name, answer.current_only)


def _query_differences(answer: QueryDiff) -> list[str]:
    compared = answer.values or answer.rows
    columns = compared.current_only if compared else ()
    return query_violations(ExpectRows(), answer) + only_in_current(answer.subject.name, columns)


def _rows_violations(expect: ExpectRows, answer: RowsDiff) -> list[str]:
    return rows_violations(expect, answer, answer.subject.name)


def _counts(expect: ExpectCounts, answer: RowCountDiff) -> list[str]:
    return [sentence for count in answer.counts for sentence in _count(expect, count)]


def _count(expect: ExpectCounts, count: RowCount) -> list[str]:
    """Return the violations for one relation; a node without a relation, e.g. ephemeral, cannot change."""
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
        return [f"{name}: has {plural(rows, 'row')}, at least {expect.min_rows:,} expected"]
    if expect.max_rows is not None and rows > expect.max_rows:
        return [f"{name}: has {plural(rows, 'row')}, at most {expect.max_rows:,} expected"]
    return []


def _change(expect: ExpectCounts, name: str, base: int, current: int) -> list[str]:
    delta = current - base
    limits: list[Amount | None] = [
        expect.row_count_change,
        expect.max_increase if delta > 0 else expect.max_decrease,
    ]

    def share(limit: Amount) -> str:
        return f", {'+' if delta > 0 else '−'}{limit_percent(abs(delta) / base, limit)}" if base else ""

    return [
        f"{name}: went from {base:,} to {plural(current, 'row')} ({delta:+,}{share(limit)}), {allowed(limit)}"
        # Equal limits are reported once.
        for limit in dict.fromkeys(limits)
        if limit is not None and exceeds(abs(delta), limit, base)
    ]


def _schema(expect: ExpectSchema, diff: SchemaDiff) -> list[str]:
    """Return a sentence for each column, or one sentence if only one side has the relation."""
    name, statuses = diff.subject.name, {column.status for column in diff.columns}
    for status, side, relation in (
        ("added", "base", diff.subject.base),
        ("removed", "current", diff.subject.current),
    ):
        # One sentence for a missing relation instead of one for each of its columns.
        if statuses == {status} and relation is None:
            return (
                [] if status in expect.allow else [f"{name}: is not in {side}, and {status} is not allowed"]
            )
    found = [] if diff.columns else [f"{name}: has no columns, nothing was compared"]
    for column in diff.changed:
        if column.status in expect.allow:
            continue
        how = f" from {column.base_type} to {column.current_type}" if column.status == "retyped" else ""
        if column.status == "moved":
            how = f" from position {column.base_position} to {column.current_position}"
        found.append(f"{name}: column {column.name} was {column.status}{how}, which is not allowed")
    return found


def _result(expect: ExpectResult, answer: RowsDiff | QueryDiff, shown: RowsDiff | QueryDiff) -> list[str]:
    """Return the violations for a single query's rows, from the side that ran."""
    name = answer.subject.name
    rows, public = (one.rows if isinstance(one, QueryDiff) else one for one in (answer, shown))
    if rows is None:
        return [f"{name}: has no result"]
    # The check ran on one side, which is the only one with a count.
    is_current = rows.current_rows is not None
    count = rows.current_rows if is_current else rows.base_rows
    if count is None:
        return [f"{name}: has no result"]
    found = []
    if expect.rows is not None and count != expect.rows:
        found.append(f"{name}: gives {plural(count, 'row')}, {expect.rows:,} expected")
    found += _absolute(ExpectCounts(min_rows=expect.min_rows, max_rows=expect.max_rows), name, count)
    if expect.value is not UNSET:
        cells = [row.current if is_current else row.base for row in rows.rows]
        is_withheld = public is None or public.rows != rows.rows
        found += _value(expect.value, name, count, cells, is_withheld=is_withheld)
    return found


def _value(
    expected: Any, name: str, count: int, cells: Sequence[tuple[Any, ...] | None], *, is_withheld: bool
) -> list[str]:
    if count != 1 or len(cells) != 1 or cells[0] is None or len(cells[0]) != 1:
        columns = len(cells[0]) if cells and cells[0] is not None else 0
        shape = f"{plural(count, 'row')} of {plural(columns, 'column')}" if cells else plural(count, "row")
        return [f"{name}: gives {shape}, a single value expected"]
    value = cells[0][0]
    if _is_equal(value, expected):
        return []
    given = "another value, which is withheld" if is_withheld else cell(value)
    return [f"{name}: gives {given}, {cell(expected)} expected"]


def _is_equal(value: Any, expected: Any) -> bool:
    """Return True if a cell equals the YAML value: numbers by value, others also by text (dates, UUIDs)."""
    if value is None or expected is None or isinstance(value, bool) or isinstance(expected, bool):
        # True equals 1 in Python, and NULL only meets an expected NULL.
        return value is expected
    if isinstance(value, (int, float, Decimal)) and isinstance(expected, (int, float)):
        try:
            # By text, because the float 0.1 is not exactly the decimal 0.1.
            return Decimal(str(value)) == Decimal(str(expected))
        except InvalidOperation:
            return False
    return bool(value == expected) or str(value) == str(expected)


def _lineage(expect: ExpectLineage, diff: RunDiff) -> list[str]:
    """Return a sentence for each status, with the nodes that have it."""
    refused: dict[Status, list[Change]] = defaultdict(list)
    for change in diff.changed:
        reasons = {reason.value for reason in change.reasons if reason not in COSMETIC}
        # Every reason must be allowed. Added and removed nodes have no reasons.
        if change.status.value in expect.allow or (reasons and reasons <= expect.allow):
            continue
        refused[change.status].append(change)
    return [
        f"{plural(len(changes), 'node')} {'was' if len(changes) == 1 else 'were'} {status}, which is not "
        f"allowed: {first_of([_named(change, expect) for change in changes], MOST_NODES)}"
        for status, changes in refused.items()
    ]


def _named(change: Change, expect: ExpectLineage) -> str:
    """Return the node's name with the reasons that are not allowed: `orders (body, columns)`."""
    reasons = [r.value for r in change.reasons if r not in COSMETIC and r.value not in expect.allow]
    return f"{change.name} ({', '.join(reasons)})" if reasons else change.name


class _RequestedFigure(NamedTuple):
    """Requested figure."""

    name: str
    reason: str | None
    """Why it could not be computed; None if it was."""


def missing_figures(answers: Sequence[CheckAnswer]) -> list[str]:
    """Return why nothing was computed, one sentence per figure, or nothing if any figure was computed."""
    figures = [figure for answer in answers for figure in _rules_of(answer).figures(answer)]
    if any(figure.reason is None for figure in figures):
        return []
    return [f"{figure.name}: {figure.reason}" for figure in figures]


def _figure_count(count: RowCount) -> _RequestedFigure | None:
    """Return the count of one node, or None if it has no relation on either side (e.g. ephemeral)."""
    subject, sides = count.subject, []
    if subject.base is not None:
        sides.append(("base", count.base, count.base_reason))
    if subject.current is not None:
        sides.append(("current", count.current, count.current_reason))
    if not sides:
        return None
    lacking = [f"{side}: {reason or 'not counted'}" for side, rows, reason in sides if rows is None]
    return _RequestedFigure(subject.name, "; ".join(lacking) or None)


def _values(diff: ValueDiff) -> _RequestedFigure:
    if diff.base is None and diff.current is None:
        return _RequestedFigure(diff.subject.name, "is on neither side")
    reasons = [f"column {column.name} was not compared: {column.reason}" for column in diff.columns]
    # A single column that was compared is enough for a figure.
    is_blind = bool(reasons) and all(column.reason for column in diff.columns)
    return _RequestedFigure(diff.subject.name, "; ".join(reasons) if is_blind else None)


def _rows(diff: RowsDiff) -> _RequestedFigure:
    if diff.base_rows is None and diff.current_rows is None:
        return _RequestedFigure(diff.subject.name, "is on neither side")
    if diff.incomparable and not diff.columns:
        return _RequestedFigure(diff.subject.name, f"{', '.join(diff.incomparable)} could not be compared")
    return _RequestedFigure(diff.subject.name, None)


def _query(diff: QueryDiff) -> _RequestedFigure:
    if diff.values is not None:
        return _values(diff.values)
    if diff.rows is not None:
        return _rows(diff.rows)
    return _RequestedFigure(diff.subject.name, None if diff.detail is not None else "has no result")


class _Rules(NamedTuple):
    """Expectations that apply to one type of answer, and the figures that it has."""

    violations: Mapping[type, Callable[[Any, Any], list[str]]]
    """Function for each type of expectation."""
    differences: Callable[[Any], list[str]] | None
    """Function for `expect: equal`; None for an answer that is not a comparison."""
    figures: Callable[[Any], Iterable[_RequestedFigure]]
    quoting: Mapping[type, Callable[[Any, Any, Any], list[str]]] = MappingProxyType({})
    """Functions whose sentences quote values; they also take the answer as it may be shown."""


def _named_figure(answer: SchemaDiff | ProfileDiff | ValueDetail) -> list[_RequestedFigure]:
    return [_RequestedFigure(answer.subject.name, None)]


def _of_columns(answer: DistributionDiff) -> list[_RequestedFigure]:
    name = answer.subject.name
    return [_RequestedFigure(f"{name}: column {one.name}", one.reason) for one in answer.columns]


_SAME_COUNTS = ExpectCounts(row_count_change=NONE, allow=frozenset())
_RULES: Mapping[type, _Rules] = {
    ValueDiff: _Rules(
        {ExpectValues: value_violations},
        lambda answer: _of_rows(answer, value_violations(ExpectValues(), answer)),
        lambda answer: [_values(answer)],
    ),
    RowsDiff: _Rules(
        {ExpectValues: multiset_violations, ExpectRows: _rows_violations},
        lambda answer: _of_rows(answer, _rows_violations(ExpectRows(), answer)),
        lambda answer: [_rows(answer)],
        {ExpectResult: _result},
    ),
    ValueDetail: _Rules(
        {ExpectRows: detail_violations},
        lambda answer: _of_rows(answer, detail_violations(ExpectRows(), answer)),
        _named_figure,
    ),
    QueryDiff: _Rules(
        {ExpectRows: query_violations},
        _query_differences,
        lambda answer: [_query(answer)],
        {ExpectResult: _result},
    ),
    RowCountDiff: _Rules(
        {ExpectCounts: _counts},
        lambda answer: _counts(_SAME_COUNTS, answer),
        lambda answer: filter(None, map(_figure_count, answer.counts)),
    ),
    SchemaDiff: _Rules(
        {ExpectSchema: _schema}, lambda answer: _schema(ExpectSchema(), answer), _named_figure
    ),
    ProfileDiff: _Rules(
        {},
        None,
        _named_figure,
        {
            ExpectProfile: profile_violations,
            ExpectEqual: lambda _, answer, shown: profile_differences(answer, shown, FIGURES),
        },
    ),
    DistributionDiff: _Rules(
        {ExpectDistribution: distribution_violations}, distribution_differences, _of_columns
    ),
    RunDiff: _Rules(
        {ExpectLineage: _lineage},
        lambda answer: _lineage(ExpectLineage(), answer),
        lambda answer: [_RequestedFigure("lineage", None)],
    ),
}


def _rules_of(answer: CheckAnswer) -> _Rules:
    found = (_RULES[kind] for kind in type(answer).__mro__ if kind in _RULES)
    return next(found, _Rules({}, None, lambda answer: []))
