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
from recce_meta.dialects.arithmetic import whole_digits
from recce_meta.models.data_diff import ROUNDED_DOUBLE

Cast = Callable[[Sql], Sql]

_BIGINT = ColumnType("BIGINT", Kind.INTEGER, precision=64)
_TIMESTAMP = ColumnType("TIMESTAMP", Kind.TIMESTAMP)
DOUBLE_BITS = 53
"""Whole numbers of so many bits are doubles."""
DOUBLE_DIGITS = 15
"""Decimals of so many digits are each nearest to another double."""
_ONE_SPELLING = frozenset([Kind.INTEGER, Kind.DATE, Kind.UUID, Kind.OTHER])


@dataclass(frozen=True)
class CommonType:
    """How the values of either side become comparable."""

    kind: Kind
    base: Cast
    current: Cast
    label: str | None = None
    """What readers call the type; None where both sides have it already."""
    type: ColumnType | None = None


def common_type(
    dialect: Dialect, base: ColumnType, current: ColumnType, *, is_cut: bool = False
) -> CommonType | None:
    """The type to compare *base* and *current* through; None where no safe one is known.

    Where points in time *is_cut* to a unit, none of it is finer than a microsecond.
    """

    def same(value: Sql) -> Sql:
        return dialect.comparable(value, current)

    if base.text == current.text:
        return CommonType(current.kind, same, same, type=current)
    if base.kind.is_number and current.kind.is_number:
        return _numbers(dialect, base, current)
    if base.kind.is_point_in_time and current.kind.is_point_in_time and base.kind is not current.kind:
        return _points_in_time(dialect, base, current, is_cut=is_cut)
    if base.kind is current.kind is Kind.TIMESTAMP and is_cut:
        return _points_in_time(dialect, base, current, is_cut=is_cut)
    if base.kind is current.kind and _is_same_within(base, current):
        return CommonType(
            current.kind,
            lambda value: dialect.aligned(dialect.comparable(value, base), base, current),
            lambda value: dialect.aligned(same(value), current, base),
            type=current,
        )
    return _texts(dialect, base, current) or _truths(base, current)


def hashed_type(
    dialect: Dialect, base: ColumnType, current: ColumnType, *, is_cut: bool = False
) -> CommonType | None:
    """Like `common_type`, and equal values are of one type, that of `type`, too, so that they hash alike."""
    common = common_type(dialect, base, current, is_cut=is_cut)
    if common is None or base.text == current.text:
        return common
    cast, of = _hashed(dialect, common, (base, current))
    return CommonType(
        common.kind,
        lambda value: cast(common.base(value)),
        lambda value: cast(common.current(value)),
        common.label,
        of,
    )


def _hashed(
    dialect: Dialect, common: CommonType, types: tuple[ColumnType, ColumnType]
) -> tuple[Cast, ColumnType]:
    """What makes values of *common* one type, and that type."""
    text = dialect.text, ColumnType(dialect.text_type, Kind.TEXT)
    if common.kind in (Kind.INTEGER, Kind.DECIMAL):
        may_be_nan = dialect.decimal_digits is None and any(of.scale is not None for of in types)
        if not may_be_nan and all(of.kind is Kind.BOOLEAN or _fits_bigint(of) for of in types):
            return lambda value: exp.cast(value, "BIGINT", dialect=dialect.name), _BIGINT
        # Whole numbers of any size are written in one way, but for decimals without digits after the point.
        if common.kind is Kind.INTEGER and dialect.decimal_digits is not None:
            return text
        scale = max(of.scale or 0 for of in types)
        widest = ColumnType("DECIMAL", Kind.DECIMAL, precision=dialect.decimal_digits)
        return lambda value: dialect.decimal(value, scale), widest
    if common.kind is Kind.TIME or (common.kind is Kind.TEXT and common.label is None):
        return text
    if common.kind is Kind.TEXT:
        return _as_is, text[1]
    if common.kind is Kind.FLOAT:
        return _as_is, ColumnType(dialect.double_type, Kind.FLOAT, precision=64)
    if common.label is not None:
        return _as_is, ColumnType(common.kind.value, common.kind)
    return _as_is, types[1]


def _fits_bigint(of: ColumnType) -> bool:
    """Whether every value of *of* is a whole number of 64 bits, with its sign."""
    if of.kind is not Kind.INTEGER:
        return False
    if of.scale is not None:
        return (of.precision or 38) <= 18
    return (of.precision or 64) <= (32 if of.is_unsigned else 64)


def _is_same_within(base: ColumnType, current: ColumnType) -> bool:
    """Whether two types of one kind hold the same, down to lengths and digits that do not matter."""
    if base.kind in (Kind.OTHER, Kind.STRUCT):  # of a struct, the names and order of fields count
        return False
    if base.elements or current.elements:
        return base.elements == current.elements
    return base.kind is not Kind.TIME or _has_zone(base) is _has_zone(current)


def _has_zone(of: ColumnType) -> bool:
    return "TZ" in of.text.upper() or "WITH TIME ZONE" in of.text.upper()


def _numbers(dialect: Dialect, base: ColumnType, current: ColumnType) -> CommonType:
    kinds = {base.kind, current.kind}
    if Kind.FLOAT in kinds:
        label = "double" if base.kind is not current.kind or base.precision != current.precision else None
        return _doubles(dialect, base, current, label)
    kind = Kind.DECIMAL if Kind.DECIMAL in kinds else Kind.INTEGER
    if dialect.decimal_digits is None or _are_integers(base, current):
        return CommonType(kind, _as_is, _as_is, type=current)
    scale = max(base.scale or 0, current.scale or 0)
    if max(whole_digits(base), whole_digits(current)) + scale <= dialect.decimal_digits:
        return CommonType(kind, _as_is, _as_is, type=current)
    # A cast to the widest decimal could overflow where the values themselves would not.
    return _doubles(dialect, base, current, "double")


def _doubles(dialect: Dialect, base: ColumnType, current: ColumnType, label: str | None) -> CommonType:
    is_exact = _fits_double(base) and _fits_double(current)
    return CommonType(
        Kind.FLOAT, dialect.double, dialect.double, label if is_exact else ROUNDED_DOUBLE, current
    )


def _fits_double(of: ColumnType) -> bool:
    """Whether a double keeps any two values of *of* apart."""
    if of.kind is Kind.FLOAT:
        return True
    if of.kind is Kind.INTEGER and of.scale is None:
        return (of.precision or 64) <= DOUBLE_BITS
    return of.precision is not None and of.precision <= DOUBLE_DIGITS


def _are_integers(base: ColumnType, current: ColumnType) -> bool:
    """Whether neither is a decimal, and one of the two types holds all values of the other."""
    if base.scale is not None or current.scale is not None:
        return False
    if base.is_unsigned is current.is_unsigned:
        return True
    signed, unsigned = (current, base) if base.is_unsigned else (base, current)
    return (signed.precision or 64) > (unsigned.precision or 64) or (unsigned.precision or 64) <= 64


def _points_in_time(dialect: Dialect, base: ColumnType, current: ColumnType, *, is_cut: bool) -> CommonType:
    if Kind.TIMESTAMPTZ not in (base.kind, current.kind):

        def timestamp(own: ColumnType, other: ColumnType) -> Cast:
            def cast(value: Sql) -> Sql:
                plain = exp.cast(value.copy(), "TIMESTAMP", dialect=dialect.name)
                if is_cut:
                    return plain
                if own.kind is Kind.DATE:
                    return dialect.aligned(plain, _TIMESTAMP, other)
                exact = dialect.aligned(value, own, other)
                return plain if exact is value else exact

            return cast

        return CommonType(
            Kind.TIMESTAMP, timestamp(base, current), timestamp(current, base), "timestamp", current
        )

    def cast(of: ColumnType) -> Cast:
        return _as_is if of.kind is Kind.TIMESTAMPTZ else dialect.as_utc

    return CommonType(Kind.TIMESTAMPTZ, cast(base), cast(current), "timestamp in UTC", current)


def _texts(dialect: Dialect, base: ColumnType, current: ColumnType) -> CommonType | None:
    """Text and what has one spelling; two unknown types have no common one."""

    def exactly(written: Cast) -> Cast:
        return lambda value: dialect.exact_text(written(value))

    for one, other in ((base, current), (current, base)):
        if one.kind is Kind.TEXT and other.kind in _ONE_SPELLING:
            texts = [exactly(_written(dialect, of)) for of in (base, current)]
            return CommonType(Kind.TEXT, texts[0], texts[1], "text", one)
    return None


def _written(dialect: Dialect, of: ColumnType) -> Cast:
    return lambda value: dialect.text_of(value, of)


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
