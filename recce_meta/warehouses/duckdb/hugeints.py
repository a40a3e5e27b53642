"""Exact distances of DuckDB numbers that are too wide for a native sum.

A difference of two 128-bit numbers, or of two 38-digit decimals, fits into 128 bits without a sign. Distances
are therefore unsigned, and numbers are shifted so that the smallest is 0. Sums and products are computed in
two halves. Decimals become whole numbers in units of their last digit. DuckDB cannot multiply a BIGNUM: a
power of ten appends zeros to its text, and a small factor is a repeated sum.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from recce_meta.warehouses.arithmetic import (
    Arithmetic,
    Decimals,
    Distances,
    all_of,
    any_of,
    both_there,
    distances,
    mean_of,
    minus,
    number_of,
)
from recce_meta.warehouses.types import ColumnType, Sql

if TYPE_CHECKING:
    from recce_meta.warehouses.dialect import Dialect

HALF = 10**19
"""Divisor that splits a number into two halves: a half times 18 digits fits into 128 bits."""
LARGEST_SIGNED = 2**127 - 1
LARGEST_UNSIGNED = 2**128 - 1


class Hugeints(Decimals):
    """Arithmetic for decimals of up to 38 digits, HUGEINT and UHUGEINT."""

    def __init__(self, dialect: Dialect, whole: int, scale: int, *, is_unsigned: bool = False) -> None:
        super().__init__(dialect, whole, scale)
        self._is_unsigned = is_unsigned

    def _farthest(self, most: int) -> Decimal:
        """Return a tolerance that no distance exceeds: 2^128 - 1 for 128-bit numbers."""
        # 2^128 is about 3.4 · 10^38.
        return super()._farthest(most) if self._has_room(2) else Decimal((0, (4,), most - self._scale))

    def _distance_is(self, base: Sql, current: Sql, absolute: Decimal) -> Sql:
        if self._has_room(2):
            return super()._distance_is(base, current, absolute)
        most = math.floor(Fraction(absolute) * 10**self._scale)
        return exp.LTE(this=self._distance(base, current), expression=_unsigned(min(most, LARGEST_UNSIGNED)))

    def _share_is(self, base: Sql, current: Sql, ratio: tuple[int, int], factor: int) -> Sql:
        if self._has_room(factor + 3):
            return super()._share_is(base, current, ratio, factor)
        larger = _larger(self._size(base), self._size(current))
        (high, low), (most_high, most_low) = (
            _product(value, by)
            for value, by in ((self._distance(base, current), ratio[1]), (larger, ratio[0]))
        )
        less = exp.LT(this=high, expression=most_high)
        no_more = [
            exp.EQ(this=high.copy(), expression=most_high.copy()),
            exp.LTE(this=low, expression=most_low),
        ]
        return any_of([less, all_of(no_more)])

    @cached_property
    def counts(self) -> tuple[int, int]:
        """Numbers of `parts` and `aggregates`, without building the parts: their expressions are large."""
        return super().counts if self._has_room(self.rows + 1) else (2, 4)

    def parts(self, base: Sql, current: Sql) -> list[Sql]:
        """Build the sign of the difference, true if it is negative, and its absolute value."""
        if self._has_room(self.rows + 1):
            return super().parts(base, current)
        return [exp.LT(this=current.copy(), expression=base.copy()), self._distance(base, current)]

    def aggregates(self, parts: Sequence[Sql]) -> list[Sql]:
        """Build the count, the sums of both halves of the signed difference, and the maximum."""
        if self._has_room(self.rows + 1):
            return super().aggregates(parts)
        is_less, distance = parts
        # A half has up to 20 digits, so 128 bits hold the sum of any number of rows.
        halves = [_cast(half, "HUGEINT") for half in (_high(distance), _low(distance))]
        sums = [exp.Sum(this=_either(is_less.copy(), exp.Neg(this=half.copy()), half)) for half in halves]
        return [exp.Count(this=distance.copy()), *sums, exp.Max(this=distance.copy())]

    def read(self, figures: Sequence[Any]) -> Distances:
        """Return exact numbers."""
        if self._has_room(self.rows + 1):
            return super().read(figures)
        count = int(figures[0])
        if not count:
            return Distances()
        high, low, most = (int(each) for each in figures[1:])
        total = Fraction(high * HALF + low, 10**self._scale)
        largest = Decimal((0, tuple(map(int, str(most))), -self._scale)) if self._scale else most
        return Distances(mean_of(total, count), largest)

    def _whole(self, value: Sql) -> Sql:
        """Return *value* as a whole number in units of its last digit."""
        if self._is_unsigned:
            return _cast(value.copy(), "UHUGEINT")
        if not self._scale:
            return _cast(value.copy(), "HUGEINT")
        text = self._dialect.text(self._dialect.decimal(value.copy(), self._scale))
        point = [exp.Literal.string("."), exp.Literal.string("")]
        return _cast(exp.Anonymous(this="REPLACE", expressions=[text, *point]), "HUGEINT")

    def _moved(self, value: Sql) -> Sql:
        """Return *value* shifted so that the smallest value is 0."""
        whole = self._whole(value)
        if self._is_unsigned:
            return whole
        # DuckDB folds the constants of a sum, which would overflow: hence two casts.
        up = minus(_unsigned(LARGEST_SIGNED), _as_unsigned(_below(whole)))
        above = _plus(_as_unsigned(whole.copy()), _unsigned(LARGEST_SIGNED + 1))
        return _either(_is_negative(whole), up, above)

    def _size(self, value: Sql) -> Sql:
        """Return the absolute value."""
        whole = self._whole(value)
        if self._is_unsigned:
            return whole
        below = _plus(_as_unsigned(_below(whole)), _unsigned(1))
        return _either(_is_negative(whole), below, _as_unsigned(whole))

    def _distance(self, base: Sql, current: Sql) -> Sql:
        left, right = self._moved(base), self._moved(current)
        is_less = exp.LT(this=current.copy(), expression=base.copy())
        back = minus(left.copy(), right.copy())
        return exp.paren(_either(is_less, back, minus(right, left)), copy=False)


class Bignums(Arithmetic):
    """Arithmetic for DuckDB's whole numbers of any size."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def is_close(self, base: Sql, current: Sql, absolute: Decimal, relative: Decimal) -> Sql:
        """Build the condition that the distance is within either tolerance."""
        distance = self._distance(base, current)
        near: list[Sql] = []
        if absolute:
            near.append(exp.LTE(this=distance.copy(), expression=_bignum(str(math.floor(absolute)))))
        if relative >= 2:
            near.append(both_there(base, current))
        elif relative:
            top, bottom = Fraction(relative).as_integer_ratio()
            larger = _larger(self._size(base), self._size(current))
            near.append(exp.LTE(this=_times(distance, bottom), expression=_times(larger, top)))
        return any_of(near)

    def parts(self, base: Sql, current: Sql) -> list[Sql]:
        """Build the difference, and its absolute value."""
        difference = minus(_as_bignum(current), _as_bignum(base))
        return [difference, self._distance(base, current)]

    def aggregates(self, parts: Sequence[Sql]) -> list[Sql]:
        """Build the count, the sum and the maximum."""
        difference, distance = parts
        return [
            exp.Count(this=difference.copy()),
            exp.Sum(this=difference.copy()),
            exp.Max(this=distance.copy()),
        ]

    def read(self, figures: Sequence[Any]) -> Distances:
        """Return exact numbers."""
        return distances(int(figures[0]), number_of(figures[1]), number_of(figures[2]))

    def _distance(self, base: Sql, current: Sql) -> Sql:
        left, right = _as_bignum(base), _as_bignum(current)
        is_less = exp.LT(this=right.copy(), expression=left.copy())
        return _either(is_less, minus(left.copy(), right.copy()), minus(right, left))

    def _size(self, value: Sql) -> Sql:
        whole = _as_bignum(value)
        is_less = exp.LT(this=whole.copy(), expression=_bignum("0"))
        return _either(is_less, minus(_bignum("0"), whole.copy()), whole)


def hugeints(dialect: Dialect, base: ColumnType, current: ColumnType, whole: int, scale: int) -> Arithmetic:
    """Return the arithmetic for two DuckDB whole numbers or decimals."""
    types = (base, current)
    if any(of.text.upper() in ("BIGNUM", "VARINT") for of in types):
        return Bignums(dialect)
    is_unsigned = any(of.is_unsigned and (of.precision or 0) > 64 for of in types)
    return Hugeints(dialect, whole, scale, is_unsigned=is_unsigned)


# Pieces of SQL


@cache
def _type(name: str) -> exp.DataType:
    return exp.DataType.build(name, dialect="duckdb")


def _cast(value: Sql, name: str) -> Sql:
    """Cast *value*, which is not copied: copies of large expressions take most of the time."""
    return exp.cast(value, _type(name).copy(), copy=False)


def _either(condition: Sql, then: Sql, otherwise: Sql) -> Sql:
    """Build a CASE of expressions that no other expression contains, without copying them."""
    return exp.Case().when(condition, then, copy=False).else_(otherwise, copy=False)


def _below(value: Sql) -> Sql:
    """Return the distance of *value*, which is negative, from -1."""
    # -(value + 1) cannot overflow, while -value of the smallest number can.
    return exp.Neg(this=_plus(value.copy(), exp.Literal.number(1)))


def _unsigned(number: int) -> Sql:
    """Cast a string: DuckDB 1.1 reads a literal with this many digits as a double."""
    return _as_unsigned(exp.Literal.string(str(number)))


def _as_unsigned(value: Sql) -> Sql:
    return _cast(value, "UHUGEINT")


def _as_bignum(value: Sql) -> Sql:
    return _cast(value.copy(), "BIGNUM")


def _bignum(digits: str) -> Sql:
    return _cast(exp.Literal.string(digits), "BIGNUM")


def _plus(left: Sql, right: Sql) -> Sql:
    return exp.paren(exp.Add(this=left, expression=right), copy=False)


def _is_negative(value: Sql) -> Sql:
    return exp.LT(this=value.copy(), expression=exp.Literal.number(0))


def _larger(left: Sql, right: Sql) -> Sql:
    is_less = exp.LT(this=left.copy(), expression=right.copy())
    return exp.paren(_either(is_less, right, left), copy=False)


def _high(value: Sql) -> Sql:
    return exp.paren(exp.IntDiv(this=value.copy(), expression=_unsigned(HALF)), copy=False)


def _low(value: Sql) -> Sql:
    return exp.paren(exp.Mod(this=value.copy(), expression=_unsigned(HALF)), copy=False)


def _product(value: Sql, by: int) -> tuple[Sql, Sql]:
    """Return both halves of *value* times *by*, which has at most 18 digits after its first."""
    high, low = (
        exp.paren(exp.Mul(this=half, expression=_unsigned(by)), copy=False)
        for half in (_high(value), _low(value))
    )
    return _plus(high, _high(low)), _low(low)


def _times(value: Sql, by: int) -> Sql:
    """Return *value*, a BIGNUM, times *by*: for each digit, add *value* with zeros appended that many
    times.
    """
    total: Sql | None = None
    for zeros, digit in enumerate(reversed(str(by))):
        text = _cast(exp.paren(value.copy(), copy=False), "TEXT")
        written = exp.DPipe(this=text, expression=exp.Literal.string("0" * zeros), safe=True)
        shifted = _cast(exp.paren(written, copy=False), "BIGNUM") if zeros else value
        for _ in range(int(digit)):
            total = shifted.copy() if total is None else _plus(total, shifted.copy())
    assert total is not None, "a factor of 0"
    return total
