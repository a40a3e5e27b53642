"""SQL that compares two columns: their common type, the condition that values differ, and the distance.

NULL differs from every value and equals NULL, NaN equals NaN, -0.0 equals 0.0. Numbers within the tolerance
are equal by PEP 485: |c - b| <= max(relative * max(|b|, |c|), absolute). An infinity is close only to itself.
Whole numbers and decimals are compared exactly, floats as doubles (`warehouses.arithmetic`).

A common type is safe if equal values stay equal and different values stay different. Numbers of any kind are
compared as numbers, dates and timestamps as points in time. Whole numbers, dates and UUIDs are compared with
text in their only notation. A decimal or float has many notations, so it has no common type with text. If
types differ, both sides are cast explicitly, so that equal values also hash alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from sqlglot import exp

from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.source import ColumnPair, LiveColumn, negation
from recce_meta.models.data_diff import PRECISIONS, ROUNDED_DOUBLE
from recce_meta.warehouses.arithmetic import Arithmetic, all_of, arithmetic_of, whole_digits
from recce_meta.warehouses.dialect import Dialect
from recce_meta.warehouses.types import ColumnType, Kind, Sql

Cast = Callable[[Sql], Sql]

_BIGINT = ColumnType("BIGINT", Kind.INTEGER, precision=64)
_TIMESTAMP = ColumnType("TIMESTAMP", Kind.TIMESTAMP)
DOUBLE_BITS = 53
"""Whole numbers of up to this many bits are exact as doubles."""
DOUBLE_DIGITS = 15
"""Decimals of up to this many digits remain distinct as doubles."""
_ONE_SPELLING = frozenset([Kind.INTEGER, Kind.DATE, Kind.UUID, Kind.OTHER])


@dataclass(frozen=True)
class CommonType:
    """Casts that make the values of both sides comparable."""

    kind: Kind
    base: Cast
    current: Cast
    label: str | None = None
    """Name of the type in reports; None if both sides have the type already."""
    type: ColumnType | None = None


def common_type(
    dialect: Dialect, base: ColumnType, current: ColumnType, *, is_cut: bool = False
) -> CommonType | None:
    """Return the type to compare *base* and *current* through, or None if no safe one is known.

    With *is_cut*, points in time are truncated to a unit of a microsecond or longer.
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
    return _texts(dialect, base, current) or _truths(dialect, base, current)


def hashed_type(
    dialect: Dialect, base: ColumnType, current: ColumnType, *, is_cut: bool = False
) -> CommonType | None:
    """Return `common_type` with a cast of both sides to one `type`, so that equal values hash alike."""
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
    """Return the cast that gives values of *common* one type, and that type."""
    text = dialect.text, ColumnType(dialect.text_type, Kind.TEXT)
    if common.kind in (Kind.INTEGER, Kind.DECIMAL):
        if not dialect.enforces_types:  # a cast would change values of other types
            return _as_is, types[1]
        # PostgreSQL's `numeric` may hold NaN, which a cast to BIGINT refuses.
        may_be_nan = dialect.decimal_digits is None and any(of.scale is not None for of in types)
        if not may_be_nan and all(of.kind is Kind.BOOLEAN or _fits_bigint(of) for of in types):
            return lambda value: exp.cast(value, "BIGINT", dialect=dialect.name), _BIGINT
        # Whole numbers of any size have one notation, unless a decimal type has no fixed scale.
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
    """Return True if every value of *of* is a signed 64-bit integer."""
    if of.kind is not Kind.INTEGER:
        return False
    if of.scale is not None:
        return (of.precision or 38) <= 18
    # Half of the unsigned 64-bit integers exceed the signed range.
    return (of.precision or 64) <= (32 if of.is_unsigned else 64)


def _is_same_within(base: ColumnType, current: ColumnType) -> bool:
    """Return True if two types of one kind differ only in lengths and digits that do not matter."""
    if base.kind in (Kind.OTHER, Kind.STRUCT):  # names and order of a struct's fields matter
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
    # A cast to the widest decimal could overflow although the values fit their own types.
    return _doubles(dialect, base, current, "double")


def _doubles(dialect: Dialect, base: ColumnType, current: ColumnType, label: str | None) -> CommonType:
    is_exact = _fits_double(base) and _fits_double(current)
    return CommonType(
        Kind.FLOAT, dialect.double, dialect.double, label if is_exact else ROUNDED_DOUBLE, current
    )


def _fits_double(of: ColumnType) -> bool:
    """Return True if different values of *of* remain different as doubles."""
    if of.kind is Kind.FLOAT:
        return True
    if of.kind is Kind.INTEGER and of.scale is None:
        return (of.precision or 64) <= DOUBLE_BITS
    return of.precision is not None and of.precision <= DOUBLE_DIGITS


def _are_integers(base: ColumnType, current: ColumnType) -> bool:
    """Return True if neither type is a decimal and one of them can hold all values of the other."""
    if base.scale is not None or current.scale is not None:
        return False
    if base.is_unsigned is current.is_unsigned:
        return True
    signed, unsigned = (current, base) if base.is_unsigned else (base, current)
    # BIGINT and UBIGINT share HUGEINT in DuckDB, but no integer holds both HUGEINT and UHUGEINT.
    return (signed.precision or 64) > (unsigned.precision or 64) or (unsigned.precision or 64) <= 64


def _points_in_time(dialect: Dialect, base: ColumnType, current: ColumnType, *, is_cut: bool) -> CommonType:
    if Kind.TIMESTAMPTZ not in (base.kind, current.kind):

        def timestamp(own: ColumnType, other: ColumnType) -> Cast:
            def cast(value: Sql) -> Sql:
                plain = dialect.as_timestamp(value.copy())
                # Truncation to a microsecond or more discards the digits that a plain cast may lose.
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

    if not is_cut and (casts := _finer_than_zoned(dialect, base, current)):
        return CommonType(Kind.TIMESTAMP, *casts, "timestamp in UTC", current)

    def cast(of: ColumnType) -> Cast:
        return _as_is if of.kind is Kind.TIMESTAMPTZ else dialect.as_utc

    return CommonType(Kind.TIMESTAMPTZ, cast(base), cast(current), "timestamp in UTC", current)


def _finer_than_zoned(dialect: Dialect, base: ColumnType, current: ColumnType) -> tuple[Cast, Cast] | None:
    """Return casts for a timestamp with another unit than a point in time with a zone; None for the same."""
    probe = exp.column("probe")
    plain = next(of for of in (base, current) if of.kind is not Kind.TIMESTAMPTZ)
    if dialect.aligned(probe, plain, _TIMESTAMP) is probe:
        return None

    def cast(value: Sql, of: ColumnType) -> Sql:
        if of is plain:
            return dialect.aligned(value, plain, _TIMESTAMP)
        return dialect.aligned(dialect.in_utc(value), _TIMESTAMP, plain)

    return lambda value: cast(value, base), lambda value: cast(value, current)


def _texts(dialect: Dialect, base: ColumnType, current: ColumnType) -> CommonType | None:
    """Return a common type for text and a type with a single notation; two unknown types have none."""

    def exactly(written: Cast) -> Cast:
        return lambda value: dialect.exact_text(written(value))

    for one, other in ((base, current), (current, base)):
        if one.kind is Kind.TEXT and other.kind in _ONE_SPELLING:
            texts = [exactly(_written(dialect, of)) for of in (base, current)]
            return CommonType(Kind.TEXT, texts[0], texts[1], "text", one)
    return None


def _written(dialect: Dialect, of: ColumnType) -> Cast:
    return lambda value: dialect.text_of(value, of)


def _truths(dialect: Dialect, base: ColumnType, current: ColumnType) -> CommonType | None:
    """Return a common type for booleans and integers: true is 1."""
    if {base.kind, current.kind} != {Kind.BOOLEAN, Kind.INTEGER}:
        return None

    def cast(of: ColumnType) -> Cast:
        # A boolean of SQLite is a number, perhaps another one than 1 and 0.
        return _as_number if of.kind is Kind.BOOLEAN and dialect.enforces_types else _as_is

    return CommonType(Kind.INTEGER, cast(base), cast(current), "integer", base)


def _as_is(value: Sql) -> Sql:
    return value


def _as_number(value: Sql) -> Sql:
    one, zero = exp.Literal.number(1), exp.Literal.number(0)
    # NULL meets neither condition and stays NULL.
    return exp.Case().when(value.copy(), one).when(exp.not_(value.copy()), zero)


@dataclass(frozen=True)
class ColumnComparison:
    """Comparison of the values of one pair of columns."""

    pair: ColumnPair
    dialect: Dialect
    common: CommonType
    options: ValueOptions

    def base_value(self, alias: str) -> Sql:
        """Return base's value, made comparable, from the relation *alias*."""
        return self._prepared(self.common.base(self.pair.base.of(alias)))

    def current_value(self, alias: str) -> Sql:
        """Return current's value, made comparable, from the relation *alias*."""
        return self._prepared(self.common.current(self.pair.current.of(alias)))

    def differ(self, base: Sql, current: Sql) -> Sql:
        """Return SQL that is true if the values differ, never NULL. Both are columns, used several times."""
        differ = self.dialect.differ(base.copy(), current.copy())
        if self.common.kind is Kind.FLOAT and not self.dialect.nan_equals_nan:
            both_nan = all_of([exp.IsNan(this=base.copy()), exp.IsNan(this=current.copy())])
            differ = all_of([differ, negation(exp.func("COALESCE", both_nan, exp.false()))])
        if self.options.has_tolerance and self.common.kind.is_number:
            differ = all_of([differ, negation(self._is_close(base, current))])
        return differ

    @property
    def has_difference(self) -> bool:
        """Return True if values can be subtracted."""
        return self.common.kind.is_number

    @property
    def rounds(self) -> bool:
        """Return True if values are compared as doubles that cannot hold all their digits."""
        return self.common.label == ROUNDED_DOUBLE

    @cached_property
    def arithmetic(self) -> Arithmetic:
        """Return the arithmetic for differences between both columns' numbers."""
        types = self.pair.base.type, self.pair.current.type
        return arithmetic_of(self.dialect, *types, self.common.kind)

    def _prepared(self, value: Sql) -> Sql:
        if self.common.kind is not Kind.TEXT:
            return normalize(self.dialect, value, self.common.kind, self.options)
        if not self.options.ignores_in_texts:
            return value
        # LOWER follows the column's own collation: the collation "C" only maps ASCII letters.
        text = normalize(self.dialect, self.dialect.plain_text(value), Kind.TEXT, self.options)
        return self.dialect.exact_text(text)

    def _is_close(self, base: Sql, current: Sql) -> Sql:
        """Return SQL for "within the tolerance": FALSE if one is NULL or infinite, never NULL."""
        tolerance = self.options.exact_absolute, self.options.exact_relative
        return exp.func("COALESCE", self.arithmetic.is_close(base, current, *tolerance), exp.false())


def normalize(dialect: Dialect, value: Sql, kind: Kind, options: ValueOptions) -> Sql:
    """Return *value*, of that *kind*, without the parts that *options* ignore."""
    unit = options.timestamp_precision
    if unit and kind.is_point_in_time and not (kind is Kind.DATE and _is_below_day(unit)):
        # Zones differ by whole seconds.
        is_zoned = kind is Kind.TIMESTAMPTZ and PRECISIONS.index(unit) > PRECISIONS.index("second")
        value = dialect.truncate(
            dialect.in_utc(value) if is_zoned else value, unit, ColumnType(kind.value, kind)
        )
        value = dialect.as_utc(value) if is_zoned else value
        if kind is Kind.DATE:  # some warehouses return a timestamp
            value = exp.cast(value, "DATE")
    if kind is Kind.TEXT and options.ignore_trailing_blanks:
        value = dialect.without_trailing_blanks(value)
    if kind is Kind.TEXT and options.ignore_case:
        value = exp.Lower(this=value)
    return value


def comparison(pair: ColumnPair, dialect: Dialect, options: ValueOptions) -> ColumnComparison | None:
    """Return how the values of *pair* are compared, or None if their types have no common one."""
    is_cut = options.timestamp_precision is not None
    common = common_type(dialect, pair.base.type, pair.current.type, is_cut=is_cut)
    return None if common is None else ColumnComparison(pair, dialect, common, options)


def no_common_type(base: LiveColumn, current: LiveColumn) -> str:
    """Return why two columns cannot be compared."""
    types = f"{base.type.text} in base and {current.type.text} in current"
    return f"{types} have no common type; choose one with --cast {current.name}=TYPE"


def _is_below_day(unit: str) -> bool:
    return PRECISIONS.index(unit) < PRECISIONS.index("day")
