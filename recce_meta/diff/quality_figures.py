"""The figures of a table and of its columns, exact, and whether a condition holds of one.

Shares are fractions of counts and not floats: one row of a hundred is 1 %, and not a little more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, datetime, time, timezone
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from recce_meta.models.data_diff import Value
from recce_meta.models.quality import ColumnQuality, MetricResult, TableQuality
from recce_meta.models.quality_conditions import COLUMN_FIGURES, SHARES, TABLE_FIGURES, read_moment
from recce_meta.models.quality_rules import Bound, Condition, Operator

SCORE_DIGITS = 6
"""Of a score: what follows is the arithmetic of floats."""
_MOST_BITS = 4_096
"""Of a number; no bound is larger."""


def column_of(table: TableQuality, name: str) -> ColumnQuality | None:
    """The column *name*, in any case of letters where only one is so named; None where there is none."""
    exact = [column for column in table.columns if column.name == name]
    alike = exact or [column for column in table.columns if column.name.casefold() == name.casefold()]
    return alike[0] if len(alike) == 1 else None


def table_figure(table: TableQuality, figure: str) -> Value:
    """A figure of the table; None where it has none.

    Raises KeyError for what is neither a figure of tables nor a metric of this one.
    """
    if figure == "row_count":
        return table.row_count
    if figure == "column_count":
        return table.column_count if table.columns else None
    if figure == "score":
        return _score(table.score)
    return _metric(table.metrics, figure).value


def column_figure(column: ColumnQuality, figure: str) -> Value:
    """A figure of the column; None where it has none. Raises KeyError likewise."""
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
    """Every figure of *subject*, its metrics last."""
    names = TABLE_FIGURES if isinstance(subject, TableQuality) else COLUMN_FIGURES
    for name in dict.fromkeys((*names, *(metric.name for metric in subject.metrics))):
        yield name, figure_of(subject, name)


def figure_of(subject: TableQuality | ColumnQuality, figure: str) -> Value:
    """A figure of the table or column, or a metric of it. Raises KeyError for what is neither."""
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
    """Whether *condition* holds of *value*; None where the two cannot be compared.

    NULL is compared with null alone: of anything else nobody knows, as in SQL.
    """
    if condition.bound is None:
        return (value is None) is (condition.operator is Operator.EQUAL)
    if value is None:
        return None
    order = compared(value, condition.bound)
    if condition.operator is Operator.BETWEEN:
        upper = compared(value, condition.upper)
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


def compared(value: Value, bound: Bound) -> int | None:
    """Less (-1), the same (0) or more (1) than *bound*; None where there is no telling.

    A text is compared with a number or a moment as what it reads like: some databases have no such types.
    """
    pair: tuple[Any, Any] | None = None
    if isinstance(bound, (bool, int, float, Decimal, Fraction)):
        numbers = exact(value), exact(bound)
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


def exact(value: Value) -> Fraction | float | None:
    """*value* as a number without rounding, an infinity as itself; None where it is none, or not a number.

    A float counts as what it prints as: 0.95 is 95 %.
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
    """A moment in UTC; a day is its midnight, and what has no zone is in UTC."""
    if isinstance(value, str):
        value = read_moment(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


def change_holds(condition: Condition, figure: str, base: Value, current: Value) -> bool | None:
    """Whether *condition*, which has a sign, holds of what *figure* changed by; None where that is not known.

    In per cent, a change is one of the earlier value; of the shares that are measured, it is one in
    percentage points. Of what is no number it is only known whether it became more, less, or neither.
    """
    if base is None or current is None:
        return None
    before, after = exact(base), exact(current)
    if before is None or after is None:
        order = compared(current, base)
        # How much later a day is has no bound to be held against but none.
        is_none = condition.bound == 0 and condition.operator is not Operator.BETWEEN
        return holds(condition, Decimal(order)) if order is not None and is_none else None
    if before == after:
        return holds(condition, 0)
    if isinstance(before, float) or isinstance(after, float):
        return holds(condition, float(after) - float(before))
    delta = after - before
    if not condition.is_percent or figure in SHARES:
        return holds(condition, delta)
    return holds(condition, delta / abs(before) if before else math.copysign(math.inf, delta))
