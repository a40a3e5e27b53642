"""The figures of a profile as text, side by side, and which of them differ."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from recce_meta.models.data_diff import ColumnProfile, Profile, ProfileDiff, Value
from recce_meta.models.numbers import are_near
from recce_meta.report.data.cells import are_same, cell_text
from recce_meta.report.data.figures import count, figure, figures_apart, percent

NOISE = 1e-9
"""Relative difference of averages that the order of summation can explain."""

_UNIQUE = {None: "", True: "yes", False: "no"}


class Metric(NamedTuple):
    """One figure on both sides; an empty text where a side has none."""

    name: str
    base: str
    current: str
    differs: bool


def metrics_of(column: ColumnProfile) -> list[Metric]:
    """Every figure that a side of *column* has; `not null` and `distinct` with their share of the rows."""
    base, current = column.base, column.current

    def plain(name: str, text_of: Callable[[Profile], str]) -> Metric:
        before, after = (side and text_of(side) for side in (base, current))
        return Metric(name, before or "", after or "", (before or "") != (after or ""))

    def of_value(name: str, told: Callable[[str, Value, Value], Metric]) -> Metric:
        field = name.replace(" ", "_")
        return told(name, getattr(base, field, None), getattr(current, field, None))

    types = plain("type", lambda side: side.type)
    if column.is_same_type is not None:
        types = types._replace(differs=not column.is_same_type)
    metrics = [
        types,
        plain("rows", lambda side: count(side.row_count)),
        plain("not null", lambda side: _part(side.not_null_count, side.not_null_proportion)),
        plain("distinct", _distinct),
        plain("unique", lambda side: _UNIQUE[side.is_unique]),
        of_value("min", _outermost),
        of_value("max", _outermost),
        of_value("avg", _computed),
        of_value("median", _computed),
        plain("true", lambda side: _known(side.true_count)),
        plain("min length", lambda side: _known(side.min_length)),
        plain("max length", lambda side: _known(side.max_length)),
        of_value("avg length", _computed),
    ]
    return [metric for metric in metrics if metric.base or metric.current]


def differing_columns(result: ProfileDiff) -> list[ColumnProfile]:
    """The columns of which a figure differs."""
    return [column for column in result.columns if column_differs(column)]


def column_differs(column: ColumnProfile) -> bool:
    """Whether any figure differs, or only one side has the column."""
    if column.base is None or column.current is None:
        return True
    return any(metric.differs for metric in metrics_of(column))


def _known(number: int | None) -> str:
    return "" if number is None else count(number)


def _part(number: int, share: float | None) -> str:
    return f"{count(number)} ({percent(share)})" if share is not None else count(number)


def _distinct(side: Profile) -> str:
    if side.distinct_count is None:
        return ""
    sign = "≈ " if side.is_approximate else ""
    return sign + _part(side.distinct_count, side.distinct_proportion)


def _outermost(name: str, base: Value, current: Value) -> Metric:
    before, after = ("" if value is None else cell_text(value) for value in (base, current))
    return Metric(name, before, after, not are_same(base, current))


def _computed(name: str, base: Value, current: Value) -> Metric:
    """An average or the like: numbers are rounded, but never to the same text when they differ."""
    if _is_number(base) and _is_number(current):
        if are_same(base, current) or are_near(base, current, NOISE):
            return Metric(name, figure(base), figure(current), False)
        return Metric(name, *figures_apart(base, current), True)
    texts = (_computed_text(base), _computed_text(current))
    return Metric(name, *texts, not are_same(base, current))


def _computed_text(value: Value) -> str:
    if value is None:
        return ""
    return figure(value) if _is_number(value) else cell_text(value)


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
