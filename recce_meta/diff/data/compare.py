"""When two values of a column differ, and by how much: SQL for one pair of columns.

Rules that hold on every warehouse: NULL differs from every value and equals NULL, NaN equals NaN, -0.0 equals
0.0. Numbers within the tolerance are equal by PEP 485: |c - b| <= max(relative * max(|b|, |c|), absolute), in
which infinities are near to nothing but themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sqlglot import exp

from recce_meta.dialects import ColumnType, Dialect, Kind, Sql
from recce_meta.diff.data.common_type import CommonType, common_type
from recce_meta.diff.data.settings import PRECISIONS, ValueOptions
from recce_meta.diff.data.source import ColumnPair, LiveColumn
from recce_meta.diff.data.sql import all_of, any_of, negated

LARGEST_SUMMED = exp.Literal.number("1e290")
"""Differences of larger numbers are left out: the sum of any number of smaller ones fits into a double."""
LARGEST_SUBTRACTED = exp.Literal.number("8e307")
"""Of two numbers up to this one, the difference fits into a double."""
BITS_OF_A_DOUBLE = 1024
"""Integers with fewer bits fit into a double, rounded."""


@dataclass(frozen=True)
class Comparison:
    """How the values of one pair of columns are compared."""

    pair: ColumnPair
    dialect: Dialect
    common: CommonType
    options: ValueOptions

    def base_value(self, alias: str) -> Sql:
        """Base's value, made comparable, out of the relation called *alias*."""
        return self._prepared(self.common.base(self.pair.base.of(alias)))

    def current_value(self, alias: str) -> Sql:
        """Current's value, likewise."""
        return self._prepared(self.common.current(self.pair.current.of(alias)))

    def differ(self, base: Sql, current: Sql) -> Sql:
        """Whether the values differ; never NULL. Both are columns, which may be read several times."""
        differ = self.dialect.differ(base.copy(), current.copy())
        if self.common.kind is Kind.FLOAT and not self.dialect.nan_equals_nan:
            both_nan = all_of([exp.IsNan(this=base.copy()), exp.IsNan(this=current.copy())])
            differ = all_of([differ, negated(exp.func("COALESCE", both_nan, exp.false()))])
        if self.options.has_tolerance and self.common.kind.is_number:
            differ = all_of([differ, negated(self._is_close(base, current))])
        return differ

    @property
    def has_difference(self) -> bool:
        """Whether values can be subtracted."""
        return self.common.kind.is_number

    def difference(self, base: Sql, current: Sql) -> Sql:
        """Current less base as a double; NULL where either is NULL, NaN, infinite or too large to sum."""
        subtracted = exp.Sub(
            this=self.dialect.double(current.copy()), expression=self.dialect.double(base.copy())
        )
        if not self._is_unbounded:
            return subtracted
        within = all_of([_within(base, LARGEST_SUMMED), _within(current, LARGEST_SUMMED)])
        return exp.Case().when(within, subtracted, copy=False)

    @property
    def _is_unbounded(self) -> bool:
        """Whether a value may be NaN, infinite, or too large for a double."""
        return self.common.kind is Kind.FLOAT or (
            self.common.kind is Kind.DECIMAL and self.dialect.decimal_digits is None
        )

    @property
    def _may_exceed_double(self) -> bool:
        """Whether a value may be NaN, infinite, not a number at all, or too large for a double.

        Other values are not compared with `LARGEST_SUBTRACTED`: BigQuery has no NUMERIC of this size.
        """
        bits = max(of.precision or 64 for of in (self.pair.base.type, self.pair.current.type))
        is_wide = self.common.kind is Kind.INTEGER and bits >= BITS_OF_A_DOUBLE
        return self._is_unbounded or is_wide or not self.dialect.enforces_types

    def _prepared(self, value: Sql) -> Sql:
        return prepared(self.dialect, value, self.common.kind, self.options)

    def _is_close(self, base: Sql, current: Sql) -> Sql:
        """Whether both are within the tolerance; FALSE where one is NULL or infinite, never NULL.

        The relative distance is divided, not multiplied: a quotient of numbers that differ cannot fall below
        what a double can hold, which PostgreSQL takes for an error.
        """
        left, right = (self._subtractable(value) for value in (base, current))
        distance = exp.Abs(this=exp.Sub(this=right.copy(), expression=left.copy()))
        near: list[Sql] = []
        if self.options.absolute:
            near.append(exp.LTE(this=distance.copy(), expression=_number(self.options.absolute)))
        if self.options.relative:
            left, right = self.dialect.double(base.copy()), self.dialect.double(current.copy())
            distance = exp.Abs(this=exp.Sub(this=right.copy(), expression=left.copy()))
            larger = exp.Greatest(
                this=exp.Abs(this=left), expressions=[exp.Abs(this=right)], ignore_nulls=False
            )
            share = exp.Div(
                this=distance, expression=exp.Nullif(this=larger, expression=exp.Literal.number(0))
            )
            near.append(exp.LTE(this=share, expression=_number(self.options.relative)))
        is_close = any_of(near)
        if self._may_exceed_double:
            within = all_of([_within(base, LARGEST_SUBTRACTED), _within(current, LARGEST_SUBTRACTED)])
            is_close = exp.Case().when(within, is_close)
        return exp.func("COALESCE", is_close, exp.false())

    def _subtractable(self, value: Sql) -> Sql:
        """*value* in a type in which subtracting neither overflows nor, if it can be helped, rounds."""
        if self.common.kind is Kind.FLOAT or not self._has_exact_difference:
            return self.dialect.double(value.copy())
        if self.common.kind is Kind.INTEGER:
            return self.dialect.decimal(value.copy(), 0)
        return value.copy()

    @property
    def _has_exact_difference(self) -> bool:
        """Whether the difference of two values fits into the warehouse's decimals."""
        most = self.dialect.decimal_digits
        if most is None:
            return True
        types = (self.pair.base.type, self.pair.current.type)
        scale = max(of.scale or 0 for of in types)
        return max(_whole_digits(of) for of in types) + scale < most


def prepared(dialect: Dialect, value: Sql, kind: Kind, options: ValueOptions) -> Sql:
    """*value*, of that *kind*, without what *options* ignore."""
    unit = options.timestamp_precision
    if unit and kind.is_point_in_time and not (kind is Kind.DATE and _is_below_day(unit)):
        value = dialect.truncate(value, unit, ColumnType(kind.value, kind))
        if kind is Kind.DATE:  # some make a timestamp of it
            value = exp.cast(value, "DATE")
    if kind is Kind.TEXT and options.ignore_trailing_blanks:
        value = exp.Anonymous(this="RTRIM", expressions=[value])
    if kind is Kind.TEXT and options.ignore_case:
        value = exp.Lower(this=value)
    return value


def comparison(pair: ColumnPair, dialect: Dialect, options: ValueOptions) -> Comparison | None:
    """How the values of *pair* are compared; None where their types have no common one."""
    is_cut = options.timestamp_precision is not None
    common = common_type(dialect, pair.base.type, pair.current.type, is_cut=is_cut)
    return None if common is None else Comparison(pair, dialect, common, options)


def no_common_type(base: LiveColumn, current: LiveColumn) -> str:
    """Why two columns cannot be compared."""
    return f"{base.type.text} in base and {current.type.text} in current have no common type"


def _within(value: Sql, bound: Sql) -> Sql:
    """Whether *value* is no further from 0 than *bound*: not so for NaN, which sorts above every number."""
    return exp.Between(this=value.copy(), low=exp.Neg(this=bound.copy()), high=bound.copy())


def _number(value: float) -> Sql:
    """*value* as it was written, in digits alone: with an exponent it would be a double."""
    return exp.Literal.number(f"{Decimal(repr(value)):f}")


def _is_below_day(unit: str) -> bool:
    return PRECISIONS.index(unit) < PRECISIONS.index("day")


def _whole_digits(of: ColumnType) -> int:
    """Digits before the point of the largest value of *of*."""
    if of.kind is Kind.BOOLEAN:
        return 1
    if of.kind is Kind.INTEGER and of.scale is None:
        bits = of.precision or 64
        return len(str(2**bits))
    return (of.precision or 38) - (of.scale or 0)
