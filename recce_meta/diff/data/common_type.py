"""The type through which two columns are compared, where there is a safe one.

Safe means: values that mean the same become equal, and values that differ stay different. Numbers of any
kind are compared as numbers, dates and timestamps as points in time, whole numbers, dates and UUIDs with text
by the one way in which they are written. A decimal or a float has many spellings, so that with text it has no
common type. Both sides are cast outright where types differ: equal values then hash alike, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from recce_meta.dialects import ColumnType, Dialect, Kind, Sql

Cast = Callable[[Sql], Sql]

_ONE_SPELLING = frozenset([Kind.INTEGER, Kind.DATE, Kind.UUID, Kind.OTHER])
_DIGITS = {8: 3, 16: 5, 32: 10, 64: 20, 128: 39, 256: 78}
"""Decimal digits of integers, by bits."""


@dataclass(frozen=True)
class CommonType:
    """How the values of either side become comparable."""

    kind: Kind
    base: Cast
    current: Cast
    label: str | None = None
    """What readers call the type; None where both sides have it already."""
    type: ColumnType | None = None


def common_type(dialect: Dialect, base: ColumnType, current: ColumnType) -> CommonType | None:
    """The type to compare *base* and *current* through; None where no safe one is known."""

    def same(value: Sql) -> Sql:
        return dialect.comparable(value, current)

    if base.text == current.text:
        return CommonType(current.kind, same, same, type=current)
    if base.kind.is_number and current.kind.is_number:
        return _numbers(dialect, base, current)
    if base.kind is current.kind and _is_same_within(base, current):
        return CommonType(current.kind, same, same, type=current)
    if base.kind.is_point_in_time and current.kind.is_point_in_time:
        return _points_in_time(dialect, base, current)
    return _texts(dialect, base, current) or _truths(base, current)


def hashed_type(dialect: Dialect, base: ColumnType, current: ColumnType) -> CommonType | None:
    """Like `common_type`, and equal values are of one type, too, so that they hash alike."""
    common = common_type(dialect, base, current)
    if common is None or base.text == current.text or common.kind not in (Kind.INTEGER, Kind.DECIMAL):
        return common
    types = (base, current)

    def cast(value: Sql) -> Sql:
        if all(of.kind is Kind.BOOLEAN or _fits_bigint(of) for of in types):
            return exp.cast(value, "BIGINT", dialect=dialect.name)
        if common.kind is Kind.DECIMAL:
            return dialect.decimal(value, max(of.scale or 0 for of in types))
        # Whole numbers of any size are written in one way, but for decimals without digits after the point.
        return dialect.text(value)

    return CommonType(
        common.kind,
        lambda value: cast(common.base(value)),
        lambda value: cast(common.current(value)),
        common.label,
        common.type,
    )


def _fits_bigint(of: ColumnType) -> bool:
    """Whether every value of *of* is a whole number of 64 bits, with its sign."""
    if of.kind is not Kind.INTEGER:
        return False
    if of.scale is not None:
        return (of.precision or 38) <= 18
    return (of.precision or 64) <= (32 if of.is_unsigned else 64)


def _is_same_within(base: ColumnType, current: ColumnType) -> bool:
    """Whether two types of one kind hold the same, down to lengths and digits that do not matter."""
    if base.kind is Kind.OTHER:
        return False
    if base.elements or current.elements:
        return base.elements == current.elements
    return True


def _numbers(dialect: Dialect, base: ColumnType, current: ColumnType) -> CommonType:
    kinds = {base.kind, current.kind}
    if Kind.FLOAT in kinds:
        label = "double" if base.kind is not current.kind or base.precision != current.precision else None
        return CommonType(Kind.FLOAT, dialect.double, dialect.double, label, current)
    if dialect.decimal_digits is None or kinds == {Kind.INTEGER}:
        return CommonType(
            Kind.DECIMAL if Kind.DECIMAL in kinds else Kind.INTEGER, _as_is, _as_is, type=current
        )
    scale = max(base.scale or 0, current.scale or 0)
    if max(_whole_digits(base), _whole_digits(current)) + scale <= dialect.decimal_digits:
        return CommonType(Kind.DECIMAL, _as_is, _as_is, type=current)
    # A cast to the widest decimal could overflow where the values themselves would not.
    return CommonType(Kind.FLOAT, dialect.double, dialect.double, "double", current)


def _whole_digits(of: ColumnType) -> int:
    if of.kind is Kind.INTEGER and of.scale is None:
        return _DIGITS.get(of.precision or 64, 20)
    return (of.precision or 38) - (of.scale or 0)


def _points_in_time(dialect: Dialect, base: ColumnType, current: ColumnType) -> CommonType:
    if Kind.TIMESTAMPTZ not in (base.kind, current.kind):

        def timestamp(value: Sql) -> Sql:
            return exp.cast(value, "TIMESTAMP", dialect=dialect.name)

        return CommonType(Kind.TIMESTAMP, timestamp, timestamp, "timestamp", current)

    def cast(of: ColumnType) -> Cast:
        return _as_is if of.kind is Kind.TIMESTAMPTZ else dialect.as_utc

    return CommonType(Kind.TIMESTAMPTZ, cast(base), cast(current), "timestamp in UTC", current)


def _texts(dialect: Dialect, base: ColumnType, current: ColumnType) -> CommonType | None:
    """Text and what has one spelling; two types that nobody knows have none in common."""
    for one, other in ((base, current), (current, base)):
        if one.kind is Kind.TEXT and other.kind in _ONE_SPELLING:
            return CommonType(Kind.TEXT, dialect.text, dialect.text, "text", one)
    return None


def _truths(base: ColumnType, current: ColumnType) -> CommonType | None:
    """Booleans and integers: true is 1."""
    if {base.kind, current.kind} != {Kind.BOOLEAN, Kind.INTEGER}:
        return None

    def cast(of: ColumnType) -> Cast:
        return _as_number if of.kind is Kind.BOOLEAN else _as_is

    return CommonType(Kind.INTEGER, cast(base), cast(current), "integer", base)


def _as_is(value: Sql) -> Sql:
    return value


def _as_number(value: Sql) -> Sql:
    one, zero = exp.Literal.number(1), exp.Literal.number(0)
    return exp.Case().when(value.copy(), one).when(exp.not_(value.copy()), zero)
