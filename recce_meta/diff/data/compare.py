"""When two values of a column differ, and by how much: SQL for one pair of columns.

Rules that hold on every warehouse: NULL differs from every value and equals NULL, NaN equals NaN, -0.0 equals
0.0. Numbers within the tolerance are equal by PEP 485: |c - b| <= max(relative * max(|b|, |c|), absolute), in
which infinities are near to nothing but themselves. Whole numbers and decimals are measured exactly, floats
as doubles (`dialects.arithmetic`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sqlglot import exp

from recce_meta.dialects import ColumnType, Dialect, Kind, Sql
from recce_meta.dialects.arithmetic import Arithmetic, arithmetic_of
from recce_meta.diff.data.common_type import CommonType, common_type
from recce_meta.diff.data.settings import PRECISIONS, ValueOptions
from recce_meta.diff.data.source import ColumnPair, LiveColumn
from recce_meta.diff.data.sql import all_of, negated
from recce_meta.models.data_diff import ROUNDED_DOUBLE


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

    @property
    def rounds(self) -> bool:
        """Whether values are compared as doubles that do not hold all their digits."""
        return self.common.label == ROUNDED_DOUBLE

    @cached_property
    def arithmetic(self) -> Arithmetic:
        """How far apart the numbers of both columns are."""
        types = self.pair.base.type, self.pair.current.type
        return arithmetic_of(self.dialect, *types, self.common.kind)

    def _prepared(self, value: Sql) -> Sql:
        if self.common.kind is not Kind.TEXT:
            return prepared(self.dialect, value, self.common.kind, self.options)
        if not self.options.ignores_in_texts:
            return value
        text = prepared(self.dialect, self.dialect.plain_text(value), Kind.TEXT, self.options)
        return self.dialect.exact_text(text)

    def _is_close(self, base: Sql, current: Sql) -> Sql:
        """Whether both are within the tolerance; FALSE where one is NULL or infinite, never NULL."""
        tolerance = self.options.exact_absolute, self.options.exact_relative
        return exp.func("COALESCE", self.arithmetic.is_close(base, current, *tolerance), exp.false())


def prepared(dialect: Dialect, value: Sql, kind: Kind, options: ValueOptions) -> Sql:
    """*value*, of that *kind*, without what *options* ignore."""
    unit = options.timestamp_precision
    if unit and kind.is_point_in_time and not (kind is Kind.DATE and _is_below_day(unit)):
        value = dialect.truncate(value, unit, ColumnType(kind.value, kind))
        if kind is Kind.DATE:  # some make a timestamp of it
            value = exp.cast(value, "DATE")
    if kind is Kind.TEXT and options.ignore_trailing_blanks:
        value = dialect.without_trailing_blanks(value)
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


def _is_below_day(unit: str) -> bool:
    return PRECISIONS.index(unit) < PRECISIONS.index("day")
