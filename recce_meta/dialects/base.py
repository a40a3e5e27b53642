"""What a warehouse's SQL needs beyond what sqlglot translates: functions from expressions to expressions.

A dialect is one file in this package with one class that overrides what differs from the documented defaults
below. Statements are built from these once and rendered for each warehouse, so that nobody else asks which
warehouse it is. Expressions that are handed in are copied where they are used twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import ClassVar

from sqlglot import ErrorLevel, exp
from sqlglot.errors import UnsupportedError

from recce_meta.dialects.arithmetic import Arithmetic, Decimals, whole_digits
from recce_meta.dialects.types import ColumnType, Kind, Sql, column_type
from recce_meta.errors import UsageError

REGISTRY: dict[str, type[Dialect]] = {}
"""Dialect classes by sqlglot's name; a class enters by being defined."""

GROUPED_BY_TEXT = frozenset([Kind.ARRAY, Kind.STRUCT, Kind.MAP, Kind.JSON, Kind.BINARY, Kind.OTHER])
"""Kinds of which not every warehouse can group or sort the values."""

SAMPLE_SLICES = 1_000_000
"""Into how many slices hashes of keys are cut: samples are exact to a ten-thousandth of a per cent."""


def per_cent(percent: float) -> str:
    """*percent* as a literal, in digits alone.

    >>> per_cent(10.0), per_cent(0.00001)
    ('10', '0.00001')
    """
    return f"{Decimal(repr(percent)).normalize():f}"


@lru_cache(maxsize=256)
def _type(text: str, dialect: str) -> exp.DataType:
    """The type that *dialect* writes as *text*, to be copied where it is used."""
    return exp.DataType.build(text, dialect=dialect)


class Dialect:
    """The defaults: the SQL standard, and PostgreSQL where that is silent."""

    name: ClassVar[str] = ""
    """sqlglot's name, and that of this file."""
    ignores_case_of_columns: ClassVar[bool] = False
    """Whether two columns of a table cannot differ in case alone."""
    nan_equals_nan: ClassVar[bool] = True
    """Whether `=` holds between two NaN; IEEE 754 says no, most warehouses yes."""
    has_nan: ClassVar[bool] = True
    """Whether floats can be NaN or infinite at all."""
    decimal_digits: ClassVar[int | None] = 38
    """Digits of the widest decimal; None where there is no limit that matters."""
    keeps_scale: ClassVar[bool] = True
    """Whether a difference that may need more digits than there are keeps all digits after the point."""
    double_type: ClassVar[str] = "DOUBLE"
    text_type: ClassVar[str] = "TEXT"
    timestamp_type: ClassVar[str] = "TIMESTAMP"
    """Without a time zone."""
    has_cheap_distinct: ClassVar[bool] = False
    """Whether several COUNT(DISTINCT …) in one scan cost no more than one scan each."""
    has_approximate_distinct: ClassVar[bool] = True
    has_many_medians: ClassVar[bool] = True
    """Whether one SELECT can hold medians of several columns."""
    has_median: ClassVar[bool] = True
    """Whether an aggregate gives the median of numbers at all."""
    has_exact_median: ClassVar[bool] = True
    """Whether an aggregate gives the median itself, and no estimate."""
    has_far_moments: ClassVar[bool] = True
    """Whether dates and timestamps can lie before year 1, after year 9999, or at infinity."""
    samples_by_seed: ClassVar[bool] = True
    """Whether all statements that sample a table with one seed look at the same rows."""
    figures_per_statement: ClassVar[int] = 1500
    """How many aggregates one SELECT computes; PostgreSQL allows 1,664 columns."""
    columns_per_statement: ClassVar[int | None] = None
    """How many columns a query may give; None where there is no limit that matters."""
    top_lists_per_statement: ClassVar[int] = 50
    """Of how many columns one UNION ALL lists the most frequent values, where quality is measured."""
    relations_per_statement: ClassVar[int] = 50
    """How many relations one UNION ALL counts."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        # A class of another package takes no built-in one's place, whatever name it inherits.
        if cls.name not in REGISTRY or cls.__module__.startswith(f"{__package__}."):
            REGISTRY[cls.name] = cls

    def __repr__(self) -> str:
        return f"<Dialect {self.name}>"

    # Text

    def render(self, expression: Sql, *, pretty: bool = False) -> str:
        """The statement as this warehouse reads it.

        Raises UsageError rather than leave out what the dialect lacks.
        """
        try:
            return expression.sql(
                self.name,
                pretty=pretty,
                comments=False,
                unsupported_level=ErrorLevel.RAISE,
                normalize_functions=False,
            )
        except UnsupportedError as error:
            raise UsageError(f"{self.name} has no SQL for this: {error}") from error

    def column_type(self, text: str) -> ColumnType:
        """What *text*, a column's type as this warehouse writes it, means."""
        return column_type(text, self.name)

    def fold(self, name: str) -> str:
        """What two columns of one table cannot share: the name, less its case where that does not count."""
        return name.casefold() if self.ignores_case_of_columns else name

    def evaluated_once(self, select: exp.Select) -> exp.Select:
        """*select*, a subquery whose columns are used several times, so that each is computed once a row."""
        return select

    # Comparing

    def differ(self, left: Sql, right: Sql) -> Sql:
        """Whether one alone is NULL, or both have a value and these are not equal."""
        return exp.NullSafeNEQ(this=left, expression=right)

    def comparable(self, value: Sql, of: ColumnType) -> Sql:
        """*value* in a form that `=`, GROUP BY and `row_hash` accept, the same for equal values."""
        if of.kind in (Kind.OTHER, Kind.JSON):
            return self.exact_text(self.text(value))
        return self.exact_text(value) if of.kind is Kind.TEXT else value

    def exact_text(self, value: Sql) -> Sql:
        """*value*, a text, so that it is equal to no other, whatever the column's collation."""
        return value

    def plain_text(self, value: Sql) -> Sql:
        """Return the text itself of *value*, which is an `exact_text`, or a column of these."""
        return value

    def as_utc(self, value: Sql) -> Sql:
        """*value*, a date or a timestamp without a zone, as the point in time that it names in UTC."""
        return exp.AtTimeZone(this=exp.cast(value, "TIMESTAMP"), zone=exp.Literal.string("UTC"))

    def truncate(self, value: Sql, unit: str, of: ColumnType) -> Sql:
        """*value*, a point in time, without what is smaller than *unit*: second, minute … year."""
        return exp.TimestampTrunc(this=value, unit=exp.var(unit.upper()))

    def is_finite(self, value: Sql) -> Sql | None:
        """Whether *value*, a double, is neither NaN nor infinite; None where every double is."""
        if not self.has_nan:
            return None
        # NaN sorts above every number and is equal to itself, so two comparisons tell.
        largest = exp.Literal.number("1.7976931348623157e308")
        return exp.and_(
            exp.LTE(this=value.copy(), expression=largest.copy()),
            exp.GTE(this=value.copy(), expression=exp.Neg(this=largest)),
        )

    def is_within(self, value: Sql, of: ColumnType) -> Sql | None:
        """Whether *value* is a finite number, or within the years 1 to 9999; None where every value is."""
        value = self.measured(value, of)
        if of.kind is Kind.FLOAT:
            return self.is_finite(value)
        if not of.kind.is_point_in_time or not self.has_far_moments:
            return None
        first, last = ("0001-01-01", "9999-12-31")
        if of.kind is not Kind.DATE:
            first, last = f"{first} 00:00:00", f"{last} 23:59:59.999999"
        return exp.and_(
            exp.GTE(this=value.copy(), expression=self.moment(first, of)),
            exp.LTE(this=value.copy(), expression=self.moment(last, of)),
        )

    def measured(self, value: Sql, of: ColumnType) -> Sql:
        """*value*, a number or a point in time, so that comparing it with a literal is exact."""
        return self.double(value) if of.kind is Kind.FLOAT else value

    def aligned(self, value: Sql, own: ColumnType, other: ColumnType) -> Sql:
        """*value*, of the type *own*, so that comparing it with values of *other* is exact and cannot fail.

        Both types are of one kind, and written differently.
        """
        return value

    # Grouping

    def groupable(self, value: Sql, of: ColumnType) -> Sql:
        """*value* in a form that GROUP BY takes: equal values share one, and unequal ones do not."""
        if of.kind is Kind.TEXT:  # which a column's own collation may take for others
            return self.comparable(value, of)
        return self.portable_text(value, of) if of.kind in GROUPED_BY_TEXT else value

    def group_text(self, key: Sql, of: ColumnType) -> Sql:
        """*key*, which is `groupable`, as the portable text of a value that it stands for."""
        return key if of.kind in GROUPED_BY_TEXT else self.portable_text(key, of)

    def group_sorted(self, key: Sql, of: ColumnType) -> Sql:
        """*key*, which is `groupable`, as it sorts: what Python cannot order, by its text."""
        if of.kind is Kind.TEXT:
            return self.ordered_text(key)
        if of.kind in GROUPED_BY_TEXT or of.kind in (Kind.INTERVAL, Kind.TIME):
            return self.ordered_text(self.group_text(key, of))
        return key

    def nested_literal(self, value: object, of: ColumnType) -> Sql | None:
        """*value*, a list or a dict, as SQL of the type *of*; None if the dialect compares texts instead."""
        return None

    # Literals

    def number(self, text: str, of: ColumnType) -> Sql:
        """The number that *text* writes, to compare with values of the type *of*."""
        if (
            of.kind is Kind.FLOAT
        ):  # not as a decimal, which some warehouses round before they make a double of it
            return self.double(exp.Literal.string(text))
        literal = exp.Literal.number(text.lstrip("-"))
        return exp.Neg(this=literal) if text.startswith("-") else literal

    def moment(self, text: str, of: ColumnType) -> Sql:
        """The date or timestamp that *text* writes, in UTC, to compare with values of the type *of*."""
        if of.kind is Kind.TIMESTAMPTZ:
            text += "+00:00"
        if of.kind is Kind.TIMESTAMP:
            return exp.cast(exp.Literal.string(text), self.timestamp_type, dialect=self.name)
        return exp.cast(exp.Literal.string(text), "DATE" if of.kind is Kind.DATE else "TIMESTAMPTZ")

    # Casting

    def portable_text(self, value: Sql, of: ColumnType) -> Sql:
        """*value* as a text that means the same whatever the session's settings.

        Points in time are in UTC and ISO 8601, binary is in hexadecimal digits, arrays, structs and maps are
        in JSON, booleans are `true` and `false`.
        """
        if of.kind is Kind.TIMESTAMPTZ:
            return self.text(exp.AtTimeZone(this=value, zone=exp.Literal.string("UTC")))
        if of.kind is Kind.BINARY:
            return self.hexadecimal(value)
        if of.kind in (Kind.ARRAY, Kind.STRUCT, Kind.MAP):
            return self.nested_text(value)
        if of.kind in (Kind.JSON, Kind.OTHER):
            return self.text(self.comparable(value, of))
        return self.text(value)

    def hexadecimal(self, value: Sql) -> Sql:
        """*value*, a binary, as hexadecimal digits."""
        return exp.Anonymous(this="HEX", expressions=[value])

    def nested_text(self, value: Sql) -> Sql:
        """*value*, an array, struct or map, as JSON."""
        return self.text(exp.Anonymous(this="TO_JSON", expressions=[value]))

    def text_of(self, value: Sql, of: ColumnType) -> Sql:
        """*value*, whose type has one spelling, as text."""
        return self.text(value)

    def text(self, value: Sql) -> Sql:
        """*value* as text."""
        return exp.cast(value, _type(self.text_type, self.name), dialect=self.name)

    def double(self, value: Sql) -> Sql:
        """*value* as a double."""
        return exp.cast(value, _type(self.double_type, self.name), dialect=self.name)

    def decimal(self, value: Sql, scale: int) -> Sql:
        """*value* as the widest decimal with *scale* digits after the point."""
        digits = self.decimal_digits or 1000
        return exp.cast(value, f"DECIMAL({digits}, {scale})", dialect=self.name)

    # Arithmetic

    def arithmetic(self, base: ColumnType, current: ColumnType) -> Arithmetic:
        """How far apart two whole numbers or decimals of these types are."""
        types = (base, current)
        return Decimals(self, max(map(whole_digits, types)), max(of.scale or 0 for of in types))

    def exact(self, value: Sql, digits: int, scale: int, *, more: int = 0) -> Sql:
        """*value*, which fits, as a decimal of *digits*; what it is multiplied by has up to *more* digits."""
        return exp.cast(value, _type(f"DECIMAL({digits}, {scale})", self.name), dialect=self.name)

    def exact_number(self, digits: str) -> Sql:
        """The number that *digits* write, without an exponent, as a decimal and never as a double."""
        literal = exp.Literal.number(digits.lstrip("-"))
        return exp.Neg(this=literal) if digits.startswith("-") else literal

    # Hashing

    def row_hash(self, values: Sequence[Sql]) -> Sql:
        """A 64-bit hash of *values*, which are `comparable`, that tells where among them a NULL stands.

        Equal within one statement's warehouse alone: never kept, never compared with another warehouse's.
        """
        raise NotImplementedError

    def hashable(self, value: Sql, of: ColumnType) -> Sql:
        """*value*, which is `comparable`, in a form that `row_hash` tells from every unequal one.

        Equal values have one form. *of* is the type of *value* as it is handed in.
        """
        return value

    def sampled(self, keys: Sequence[Sql], percent: float) -> Sql:
        """Whether the row with these *keys* is among the *percent* of all keys that are taken.

        The same keys are taken on both sides, whatever their order.
        """
        slices = round(percent * SAMPLE_SLICES / 100)
        remainder = exp.Mod(this=self.row_hash(keys), expression=exp.Literal.number(SAMPLE_SLICES))
        return exp.LT(this=exp.Abs(this=remainder), expression=exp.Literal.number(slices))

    def sampled_rows(self, relation: Sql, percent: float, seed: int) -> Sql | None:
        """The rows of *relation*, a table, of which each has a chance of *percent*: what stands in FROM.

        The same seed gives the same rows as long as the table stays as it is, where `samples_by_seed`. None
        where the warehouse has no sampling of its own; then a hash of the rows chooses.
        """
        return None

    def rows_where(self, relation: Sql, condition: Sql) -> Sql:
        """The rows of *relation* that meet *condition*, in which it is called `t`: what stands in FROM."""
        rows = exp.alias_(relation.copy(), "t", table=True, copy=False)
        select = exp.Select(expressions=[exp.Star()]).from_(rows, copy=False)
        return select.where(condition, copy=False).subquery(copy=False)

    def tablesample(self, relation: Sql, *words: str) -> Sql:
        """The rows of *relation*, a table, that *words* of the dialect's own behind its name choose.

        sqlglot writes another method, or none, for some dialects; so they are not translated.
        """
        sampled = exp.Table(this=exp.Var(this=" ".join([self.render(relation), *words])))
        return exp.Select(expressions=[exp.Star()]).from_(sampled, copy=False).subquery(copy=False)

    # Across warehouses

    def canonical_text(self, value: Sql, of: ColumnType) -> Sql:
        """*value* as the text that every warehouse gives for an equal value (see `diff.data.portable`)."""
        if of.kind is Kind.FLOAT:
            return self._canonical_float(self.double(value))
        text = self.portable_text(value, of)
        if of.kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.TIME):
            blank, letter = exp.Literal.string(" "), exp.Literal.string("T")
            return self.without_zeros(exp.Anonymous(this="REPLACE", expressions=[text, blank, letter]))
        if of.kind is Kind.DECIMAL:
            return self.without_zeros(text)
        return exp.Lower(this=text) if of.kind in (Kind.BINARY, Kind.UUID) else text

    def without_zeros(self, text: Sql) -> Sql:
        """*text*, a number's or a time's, without zeros at the end of its fraction."""

        def trimmed(text: Sql, character: str) -> Sql:
            return exp.Anonymous(this="RTRIM", expressions=[text, exp.Literal.string(character)])

        has_fraction = exp.Like(this=text.copy(), expression=exp.Literal.string("%.%"))
        return exp.Case().when(has_fraction, trimmed(trimmed(text.copy(), "0"), ".")).else_(text)

    def _canonical_float(self, value: Sql) -> Sql:
        written = self.scientific(value.copy()) or self.text(value.copy())
        spelt = [exp.Literal.string(text) for text in ("nan", "-nan")]
        is_nan = exp.In(this=exp.Lower(this=self.text(value.copy())), expressions=spelt)
        zero = exp.Literal.number(0)
        case = exp.Case().when(exp.EQ(this=value.copy(), expression=zero), exp.Literal.string("0"))
        is_finite = self.is_finite(value)
        if is_finite is None:
            return case.else_(written)
        return (
            case.when(is_finite, written)
            .when(is_nan, exp.Literal.string("nan"))
            .when(exp.LT(this=value.copy(), expression=zero.copy()), exp.Literal.string("-inf"))
            .when(exp.GT(this=value.copy(), expression=zero.copy()), exp.Literal.string("inf"))
        )

    def scientific(self, value: Sql) -> Sql | None:
        """*value*, a finite double, as C's `%.14e` writes it; None where there is no such format."""
        return None

    def portable_hash(self, texts: Sequence[Sql]) -> Sql:
        """The MD5 of *texts*, which may be NULL, in hexadecimal digits: the same in every warehouse."""
        parts = [exp.func("COALESCE", text, exp.Literal.string("~N")) for text in texts]
        joined: Sql = parts[0]
        for part in parts[1:]:
            joined = exp.DPipe(this=joined, expression=exp.Literal.string("|"), safe=True)
            joined = exp.DPipe(this=joined, expression=part, safe=True)
        return exp.MD5(this=joined)

    def portable_part(self, text: Sql) -> Sql:
        """*text*, of any characters, so that `portable_hash` cannot take it for NULL or for two texts."""
        for character in ("~", "|"):
            literals = [exp.Literal.string(character), exp.Literal.string(f"~{character}")]
            text = exp.Anonymous(this="REPLACE", expressions=[text, *literals])
        return text

    def portable_sampled(self, portable_hash: Sql, percent: float) -> Sql:
        """Whether a row of that hash is among the *percent* of all that are taken, in any warehouse."""
        slices = round(percent * SAMPLE_SLICES / 100)
        digits = exp.Substring(this=portable_hash, start=exp.Literal.number(1), length=exp.Literal.number(8))
        remainder = exp.Mod(this=self.hex_number(digits), expression=exp.Literal.number(SAMPLE_SLICES))
        return exp.LT(this=remainder, expression=exp.Literal.number(slices))

    def hex_number(self, digits: Sql) -> Sql:
        """The whole number that up to 15 hexadecimal *digits* write."""
        raise NotImplementedError

    # Aggregating

    def count_if(self, condition: Sql) -> Sql:
        """How many rows meet *condition*; FILTER is not known everywhere."""
        return exp.Count(this=exp.Case().when(condition, exp.Literal.number(1), copy=False))

    def sum_of(self, value: Sql) -> Sql:
        """The sum of small whole numbers, as a whole number; 0 for no rows."""
        return exp.cast(
            exp.func("COALESCE", exp.Sum(this=value), exp.Literal.number(0)), "BIGINT", dialect=self.name
        )

    def mean(self, value: Sql, of: ColumnType) -> Sql:
        """The mean of numbers, without overflow and with digits after the point."""
        return exp.Avg(this=value)

    def count_distinct(self, value: Sql, of: ColumnType) -> Sql:
        """How many distinct values there are, NULL aside."""
        return exp.Count(this=exp.Distinct(expressions=[value]))

    def counts_distinct_rows(self, of: ColumnType) -> bool:
        """Whether counting the rows of a SELECT DISTINCT is quicker than COUNT(DISTINCT …)."""
        return False

    def approximate_distinct(self, value: Sql) -> Sql:
        """An estimate of the number of distinct values, NULL aside."""
        return exp.ApproxDistinct(this=value)

    def median(self, value: Sql) -> Sql:
        """The median of numbers: the mean of the middle two where there are two."""
        return exp.WithinGroup(
            this=exp.PercentileCont(this=exp.Literal.number("0.5")),
            expression=exp.Order(expressions=[exp.Ordered(this=value, nulls_first=False)]),
        )

    def median_as_double(self, value: Sql, of: ColumnType) -> Sql:
        """The median of numbers as a double: of decimals, some warehouses would round it to their scale."""
        is_double = of.kind is Kind.FLOAT and of.precision == 64
        return self.median(value if is_double else self.double(value))

    def median_moment(self, value: Sql) -> Sql | None:
        """The median of points in time, the earlier of the middle two; None where no aggregate gives it."""
        return exp.WithinGroup(
            this=exp.PercentileDisc(this=exp.Literal.number("0.5")),
            expression=exp.Order(expressions=[exp.Ordered(this=value, nulls_first=False)]),
        )

    def length(self, value: Sql, of: ColumnType) -> Sql | None:
        """Characters of a text, bytes of a binary, elements of an array; None for other types."""
        if of.kind is Kind.TEXT:
            return exp.func("LENGTH", value)
        if of.kind is Kind.BINARY:
            return exp.Anonymous(this="OCTET_LENGTH", expressions=[value])
        if of.kind is Kind.ARRAY:
            return exp.ArraySize(this=value)
        return None

    def without_trailing_blanks(self, value: Sql) -> Sql:
        """Return *value*, a text, without spaces at its end: other white space stays."""
        return exp.Anonymous(this="RTRIM", expressions=[value, exp.Literal.string(" ")])

    def is_blank(self, value: Sql) -> Sql:
        """Whether *value*, a text, is empty or of spaces alone: other white space is left to be seen."""
        return exp.EQ(this=self.exact_text(exp.Trim(this=value)), expression=exp.Literal.string(""))

    def ordered_text(self, value: Sql) -> Sql:
        """*value*, a text, so that it sorts by code point, whatever its collation."""
        return self.exact_text(value)
