"""Exact figures of a table and its columns, evaluation of conditions on them, and violations.

Shares are exact fractions of counts instead of floats: one row of a hundred is exactly 1 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timezone
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from msgspec import Struct

from recce_meta.checks.messages import cell, limit_percent
from recce_meta.errors import plural
from recce_meta.models.data_diff import Value
from recce_meta.models.node import find_named
from recce_meta.models.quality import (
    COLUMN_FIGURES,
    SHARES,
    TABLE_FIGURES,
    Bound,
    ColumnQuality,
    Condition,
    MetricResult,
    Operator,
    TableQuality,
    read_moment,
)

SCORE_DIGITS = 6
"""Precision of a score; further digits are float noise."""
_MOST_BITS = 4_096
"""Size limit of a number; no bound is larger."""


def column_of(table: TableQuality, name: str) -> ColumnQuality | None:
    """Return the column *name*, ignoring case if that is unambiguous, or None if it is not found."""
    return find_named(name, table.columns, lambda column: (column.name,))


def table_figure(table: TableQuality, figure: str) -> Value:
    """Return a figure of the table, or None if it has no value.

    Raises KeyError for a name that is neither a table figure nor a metric of this table.
    """
    if figure == "row_count":
        return table.row_count
    if figure == "column_count":
        return table.column_count if table.columns else None
    if figure == "score":
        return _score(table.score)
    return _metric(table.metrics, figure).value


def column_figure(column: ColumnQuality, figure: str) -> Value:
    """Return a figure of the column, or None if it has no value. Raises KeyError for an unknown name."""
    if figure not in COLUMN_FIGURES:
        return _metric(column.metrics, figure).value
    if figure == "score":
        return _score(column.score)
    if figure == "null_count":
        return column.null_count
    if figure == "blank_count":
        return column.blank_count
    profile = column.profile
    if profile is None:
        return None
    if figure == "null_share":
        rows = profile.row_count
        return Fraction(rows - profile.not_null_count, rows) if rows else None
    if figure == "distinct_share":
        rows, distinct = profile.not_null_count, profile.distinct_count
        return Fraction(distinct, rows) if rows and distinct is not None else None
    return getattr(profile, "avg" if figure == "mean" else figure)


def figures_of(subject: TableQuality | ColumnQuality) -> Iterator[tuple[str, Value]]:
    """Yield every figure of *subject*, its metrics last."""
    names = TABLE_FIGURES if isinstance(subject, TableQuality) else COLUMN_FIGURES
    for name in dict.fromkeys((*names, *(metric.name for metric in subject.metrics))):
        yield name, figure_of(subject, name)


def figure_of(subject: TableQuality | ColumnQuality, figure: str) -> Value:
    """Return a figure or metric of the table or column. Raises KeyError for an unknown name."""
    if isinstance(subject, TableQuality):
        return table_figure(subject, figure)
    return column_figure(subject, figure)


def _metric(metrics: tuple[MetricResult, ...], name: str) -> MetricResult:
    for metric in metrics:
        if metric.name == name:
            return metric
    raise KeyError(name)


def _score(score: float | None) -> Decimal | None:
    return None if score is None else round(Decimal(repr(score)), SCORE_DIGITS)


def holds(condition: Condition, value: Value) -> bool | None:
    """Return whether *condition* holds for *value*, or None if the two cannot be compared.

    NULL can only be compared with null; any other comparison with it is unknown, as in SQL.
    """
    if condition.bound is None:
        return (value is None) is (condition.operator is Operator.EQUAL)
    if value is None:
        return None
    order = compare_values(value, condition.bound)
    if condition.operator is Operator.BETWEEN:
        upper = compare_values(value, condition.upper)
        return None if order is None or upper is None else order >= 0 >= upper
    if order is None:
        return None
    return {
        Operator.LESS: order < 0,
        Operator.AT_MOST: order <= 0,
        Operator.MORE: order > 0,
        Operator.AT_LEAST: order >= 0,
        Operator.EQUAL: order == 0,
        Operator.UNEQUAL: order != 0,
    }[condition.operator]


def compare_values(value: Value, bound: Bound) -> int | None:
    """Return -1, 0 or 1 if *value* is less than, equal to or greater than *bound*, or None if incomparable.

    A string is parsed before it is compared with a number or moment: some databases lack such types.
    """
    pair: tuple[Any, Any] | None = None
    if isinstance(bound, (bool, int, float, Decimal, Fraction)):
        numbers = exact_number(value), exact_number(bound)
        pair = None if None in numbers else numbers
    elif isinstance(bound, (date, datetime)):
        moments = _moment(value), _moment(bound)
        pair = None if None in moments else moments
    elif isinstance(bound, str):
        pair = (value, bound) if isinstance(value, str) else (str(value), bound)
    if pair is None:
        return None
    try:
        return int(pair[0] > pair[1]) - int(pair[0] < pair[1])
    except TypeError:
        return None


def exact_number(value: Value) -> Fraction | float | None:
    """Return *value* as an unrounded number, or None if it is not one; infinities are returned as floats.

    A float is converted from its printed form: 0.95 is 95 %.
    """
    if isinstance(value, (bool, int)):
        return Fraction(value) if int(value).bit_length() < _MOST_BITS else math.copysign(math.inf, value)
    if isinstance(value, Fraction):
        return value
    if isinstance(value, str):
        try:
            value = Decimal(value.strip())
        except InvalidOperation:
            return None
    if not isinstance(value, (float, Decimal)):
        return None
    number = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    if number.is_nan():
        return None
    if number.is_infinite():
        return float(number)
    return Fraction(number) if abs(number.adjusted()) < _MOST_BITS else None


def _moment(value: Value) -> datetime | None:
    """Return a moment in UTC. A date means midnight; a value without a zone is taken as UTC."""
    if isinstance(value, str):
        value = read_moment(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


def change_holds(condition: Condition, figure: str, base: Value, current: Value) -> bool | None:
    """Return whether the signed *condition* holds for the change of *figure*, or None if that is unknown.

    In per cent, a change is relative to the earlier value; for measured shares it is in percentage points.
    For values that are not numbers, only an increase, a decrease or equality can be detected.
    """
    if base is None or current is None:
        return None
    before, after = exact_number(base), exact_number(current)
    if before is None or after is None:
        order = compare_values(current, base)
        # The difference of two dates can only be compared with zero.
        is_none = condition.bound == 0 and condition.operator is not Operator.BETWEEN
        return holds(condition, Decimal(order)) if order is not None and is_none else None
    # First, because the difference of two infinities is undefined.
    if before == after:
        return holds(condition, 0)
    if isinstance(before, float) or isinstance(after, float):
        return holds(condition, float(after) - float(before))
    delta = after - before
    if not condition.is_percent or figure in SHARES:
        return holds(condition, delta)
    # The absolute value leaves the sign to the difference. A change from zero exceeds every percentage.
    return holds(condition, delta / abs(before) if before else math.copysign(math.inf, delta))


class Violation(Struct, frozen=True, kw_only=True):
    """Expectation that is not met, or condition of `--fail-on` that is met."""

    unique_id: str | None
    """None if the condition matches nothing that was measured."""
    column: str | None = None
    figure: str
    condition: str
    """Condition as the user wrote it."""
    value: Value = None
    base: Value = None
    """Earlier value of the figure, for a condition on its change."""
    message: str
    """Complete sentence about the violation."""
    is_expectation: bool = False
    """True for an expectation of the metrics file, False for a condition of `--fail-on`."""


class QualityVerdict(Struct, frozen=True):
    """Violations and notes of one measurement."""

    violations: tuple[Violation, ...] = ()
    notes: tuple[str, ...] = ()


def failed_text(violations: Sequence[Violation]) -> str:
    """Return a sentence with the number of *violations* of each kind.

    >>> one = Violation(unique_id="model.a", figure="score", condition="score < 9", message="a: score is 8")
    >>> failed_text([one, one])
    '2 figures meet a --fail-on condition'
    """
    expected = sum(one.is_expectation for one in violations)
    unknown = sum(one.unique_id is None for one in violations)
    met = len(violations) - expected - unknown
    parts = []
    if expected:
        parts.append(f"{plural(expected, 'expectation')} {'is' if expected == 1 else 'are'} not met")
    if met:
        parts.append(f"{plural(met, 'figure')} {'meets' if met == 1 else 'meet'} a --fail-on condition")
    if unknown:
        verb = "matches" if unknown == 1 else "match"
        parts.append(f"{plural(unknown, '--fail-on condition')} {verb} nothing that was measured")
    return ", ".join(parts)


def plain_value(value: Value) -> Value:
    """Return *value* as a type that drivers return and the store accepts."""
    return float(value) if isinstance(value, Fraction) else value


def figure_text(figure: str, value: Value) -> str:
    """Return a figure formatted for a sentence, with shares in per cent."""
    if value is None:
        return "not known"
    if figure in SHARES:
        return limit_percent(float(value))
    if figure == "score":
        # Rounded down: 89.999 is not 90.
        return f"{Decimal(value).quantize(Decimal('0.01'), ROUND_FLOOR).normalize():f}"
    if isinstance(value, Decimal) and value.is_finite():  # show 50 instead of 50.0000000
        return f"{value.normalize():f}" if value % 1 else cell(int(value))
    return cell(float(value) if isinstance(value, Fraction) else value)
