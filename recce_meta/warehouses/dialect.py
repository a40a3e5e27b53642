"""SQL features of a warehouse beyond what sqlglot translates: functions from expressions to expressions.

A dialect is the module `dialect` of the folder with sqlglot's name of the dialect: one class that overrides
the defaults below. Other dialects of sqlglot use `generic.dialect`. Queries are built with these functions
once and rendered for each warehouse, so no other module checks which warehouse it is. Input expressions are
copied if they are used twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import ClassVar, TypeAlias

from sqlglot import ErrorLevel, exp
from sqlglot.dialects.dialect import Dialect as SqlglotDialect
from sqlglot.errors import UnsupportedError

from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models.data_diff import Moment
from recce_meta.plugins import DIALECTS, plugin_names
from recce_meta.warehouses.arithmetic import NumberDialect
from recce_meta.warehouses.registry import GENERIC, built_in, folders_with, plugin
from recce_meta.warehouses.types import ColumnType, Kind, Sql, column_type

GROUPED_BY_TEXT = frozenset([Kind.ARRAY, Kind.STRUCT, Kind.MAP, Kind.JSON, Kind.BINARY, Kind.OTHER])
"""Kinds whose values not every warehouse can group or sort."""

SAMPLE_SLICES = 1_000_000
"""Number of slices of key hashes, which makes samples exact to a ten-thousandth of a per cent."""

PORTABLE_ESCAPES = (("~", "~t"), ("|", "~p"))
"""Characters within the values of a portable line, and their codes, which are written in this order."""
LINE_BREAKS = (("\n", "~n"), ("\r", "~r"))
"""Characters within a portable line that a file of lines must not have, and their codes."""
PORTABLE_NULL = "~N"
"""NULL in a portable line."""


def per_cent(percent: float) -> str:
    """Return *percent* as a literal without an exponent.

    >>> per_cent(10.0), per_cent(0.00001)
    ('10', '0.00001')
    """
    return f"{Decimal(repr(percent)).normalize():f}"


def moment_literal(moment: Moment) -> Sql:
    """Return the version of *moment* as a number, or its time with the offset as a text."""
    if moment.at is None:
        return exp.Literal.number(moment.version)
    return exp.Literal.string(moment.at.isoformat(" "))


def epoch(value: Sql) -> Sql:
    """Return the seconds since 1970 of *value*, a date or timestamp."""
    return exp.Extract(this=exp.var("EPOCH"), expression=value)


def rows_where(relation: Sql, condition: Sql) -> Sql:
    """Return the rows of *relation* that meet *condition*, which refers to it as `t`, for FROM."""
    rows = exp.alias_(relation.copy(), "t", table=True, copy=False)
    select = exp.Select(expressions=[exp.Star()]).from_(rows, copy=False)
    return select.where(condition, copy=False).subquery(copy=False)


def tablesample(table: str, clause: str) -> Sql:
    """Return *table*, the SQL of a name, followed by a sampling *clause* of the dialect, for FROM.

    sqlglot writes another method, or none, for some dialects, so the clause is not translated.
    """
    sampled = exp.Table(this=exp.Var(this=f"{table} {clause}"))
    return exp.Select(expressions=[exp.Star()]).from_(sampled, copy=False).subquery(copy=False)


Reader: TypeAlias = Callable[[Sql], Sql]


def unchanged(value: Sql) -> Sql:
    """Return *value*."""
    return value


class Aggregates:
    """Aggregates of a dialect, and the keys and lengths of values that they need."""

    has_cheap_distinct: ClassVar[bool] = False
    """True if several COUNT(DISTINCT …) in one scan cost no more than one scan each."""
    has_approximate_distinct: ClassVar[bool] = True
    has_many_medians: ClassVar[bool] = True
    """True if one SELECT can compute medians of several columns."""
    has_median: ClassVar[bool] = True
    """True if an aggregate returns the median of numbers, exact or not."""
    median_function: ClassVar[str | None] = None
    """Name of the aggregate that returns the median; None for PERCENTILE_CONT."""
    has_median_moment: ClassVar[bool] = True
    """True if an aggregate returns the median of points in time."""
    array_length: ClassVar[str | None] = None
    """Name of the function that returns the number of elements; None for sqlglot's."""
    has_exact_median: ClassVar[bool] = True
    """True if an aggregate returns the exact median, not an estimate."""
    figures_per_statement: ClassVar[int] = 1500
    """Number of aggregates in one SELECT; PostgreSQL allows 1,664 columns."""
    top_lists_per_statement: ClassVar[int] = 50
    """Number of columns whose most frequent values one UNION ALL lists when measuring quality."""
    relations_per_statement: ClassVar[int] = 50
    """Number of relations that one UNION ALL counts."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def groupable(self, value: Sql, of: ColumnType) -> Sql:
        """Return *value* in a form that GROUP BY accepts.

        Equal values have the same form, unequal ones do not.
        """
        if of.kind is Kind.TEXT:  # the column's collation may treat different strings as equal
            return self._dialect.comparable(value, of)
        return self._dialect.portable_text(value, of) if of.kind in GROUPED_BY_TEXT else value

    def group_text(self, key: Sql, of: ColumnType) -> Sql:
        """Return the portable text of *key*, which is `groupable`."""
        return key if of.kind in GROUPED_BY_TEXT else self._dialect.portable_text(key, of)

    def group_sorted(self, key: Sql, of: ColumnType) -> Sql:
        """Return *key*, which is `groupable`, for sorting; as text if Python cannot order the values."""
        if of.kind is Kind.TEXT:
            return self._dialect.ordered_text(key)
        if of.kind in GROUPED_BY_TEXT or of.kind in (Kind.INTERVAL, Kind.TIME):
            return self._dialect.ordered_text(self.group_text(key, of))
        return key

    def count_if(self, condition: Sql) -> Sql:
        """Count the rows that meet *condition*. Not every warehouse supports FILTER."""
        return exp.Count(this=exp.Case().when(condition, exp.Literal.number(1), copy=False))

    def sum_of(self, value: Sql) -> Sql:
        """Sum small whole numbers as a whole number; 0 for no rows."""
        # Some warehouses return a sum of whole numbers as a decimal.
        total = exp.func("COALESCE", exp.Sum(this=value), exp.Literal.number(0))
        return exp.cast(total, "BIGINT", dialect=self._dialect.name)

    def mean(self, value: Sql, of: ColumnType) -> Sql:
        """Build the mean of numbers, without overflow and with digits after the point."""
        return exp.Avg(this=value)

    def count_distinct(self, value: Sql, of: ColumnType) -> Sql:
        """Count the distinct values, NULL excluded."""
        return exp.Count(this=exp.Distinct(expressions=[value]))

    def counts_distinct_rows(self, of: ColumnType) -> bool:
        """Return True if counting the rows of a SELECT DISTINCT is faster than COUNT(DISTINCT …)."""
        return False

    def approximate_distinct(self, value: Sql) -> Sql:
        """Estimate the number of distinct values, NULL excluded."""
        return exp.ApproxDistinct(this=value)

    def median(self, value: Sql) -> Sql:
        """Build the median of numbers: the mean of the middle two for an even count."""
        if self.median_function is not None:
            return exp.Anonymous(this=self.median_function, expressions=[value])
        return exp.WithinGroup(
            this=exp.PercentileCont(this=exp.Literal.number("0.5")),
            expression=exp.Order(expressions=[exp.Ordered(this=value, nulls_first=False)]),
        )

    def median_as_double(self, value: Sql, of: ColumnType) -> Sql:
        """Build the median of numbers as a double: some warehouses round the median of decimals to
        their scale.
        """
        is_double = of.kind is Kind.FLOAT and of.precision == 64
        return self.median(value if is_double else self._dialect.double(value))

    def median_moment(self, value: Sql) -> Sql | None:
        """Build the median of points in time, the earlier of the middle two; None if none exists."""
        if not self.has_median_moment:
            return None
        return exp.WithinGroup(
            this=exp.PercentileDisc(this=exp.Literal.number("0.5")),
            expression=exp.Order(expressions=[exp.Ordered(this=value, nulls_first=False)]),
        )

    def length(self, value: Sql, of: ColumnType) -> Sql | None:
        """Build the number of characters, bytes or array elements; None for other types."""
        if of.kind is Kind.TEXT:
            return exp.func("LENGTH", value)
        if of.kind is Kind.BINARY:
            return exp.Anonymous(this="OCTET_LENGTH", expressions=[value])
        if of.kind is Kind.ARRAY and self.array_length is not None:
            return exp.Anonymous(this=self.array_length, expressions=[value])
        return exp.ArraySize(this=value) if of.kind is Kind.ARRAY else None


class CanonicalTexts:
    """Texts of values and hashes of rows that are the same in every warehouse: see `data_diff.portable`."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def text(self, value: Sql, of: ColumnType) -> Sql:
        """Return *value* as text that is the same for equal values."""
        if of.kind is Kind.FLOAT:
            return self._float(self._dialect.double(value))
        text = self._dialect.portable_text(value, of)
        if of.kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.TIME):
            blank, letter = exp.Literal.string(" "), exp.Literal.string("T")
            return self.without_zeros(exp.Anonymous(this="REPLACE", expressions=[text, blank, letter]))
        if of.kind is Kind.DECIMAL:
            return self.without_zeros(text)
        return exp.Lower(this=text) if of.kind in (Kind.BINARY, Kind.UUID) else text

    def without_zeros(self, text: Sql) -> Sql:
        """Remove trailing zeros of the fraction from *text*, a number or a time."""
        has_zeros = exp.Like(this=text.copy(), expression=exp.Literal.string("%.%0"))
        trimmed = self._dialect.without_trailing(self._dialect.without_trailing(text.copy(), "0"), ".")
        return exp.Case().when(has_zeros, trimmed).else_(text)

    def _float(self, value: Sql) -> Sql:
        written = self._dialect.scientific(value.copy()) or self._dialect.text(value.copy())
        spelt = [exp.Literal.string(text) for text in ("nan", "-nan")]
        is_nan = exp.In(this=exp.Lower(this=self._dialect.text(value.copy())), expressions=spelt)
        zero = exp.Literal.number(0)
        case = exp.Case().when(exp.EQ(this=value.copy(), expression=zero), exp.Literal.string("0"))
        is_finite = self._dialect.is_finite(value)
        if is_finite is None:
            return case.else_(written)
        return (
            case.when(is_finite, written)
            .when(is_nan, exp.Literal.string("nan"))
            .when(exp.LT(this=value.copy(), expression=zero.copy()), exp.Literal.string("-inf"))
            .when(exp.GT(this=value.copy(), expression=zero.copy()), exp.Literal.string("inf"))
        )

    def hash(self, texts: Sequence[Sql]) -> Sql:
        """Build the MD5 of `line`, in hexadecimal digits."""
        return exp.MD5(this=self.line(texts))

    def line(self, texts: Sequence[Sql]) -> Sql:
        """Join *texts*, which may be NULL, so that they can be split again at each bar."""
        # `part` escapes every ~, so no text equals the mark of NULL.
        parts = [exp.func("COALESCE", text, exp.Literal.string(PORTABLE_NULL)) for text in texts]
        return self.joined_by_bars(parts)

    def joined_by_bars(self, texts: Sequence[Sql]) -> Sql:
        """Join *texts*, none of which is NULL, with a bar between them."""
        joined = texts[0]
        for text in texts[1:]:
            joined = exp.DPipe(this=joined, expression=exp.Literal.string("|"), safe=True)
            joined = exp.DPipe(this=joined, expression=text, safe=True)
        return joined

    def part(self, text: Sql) -> Sql:
        """Escape *text* so that `line` cannot confuse it with NULL or with two texts."""
        for character, code in PORTABLE_ESCAPES:
            literals = [exp.Literal.string(character), exp.Literal.string(code)]
            text = exp.Anonymous(this="REPLACE", expressions=[text, *literals])
        return text

    def sampled(self, row_hash: Sql, percent: float) -> Sql:
        """Build the condition that a row with that hash is in a sample of *percent*."""
        slices = round(percent * SAMPLE_SLICES / 100)
        # Eight digits are 32 bits: enough for a million slices, and safe in 64 bits.
        digits = exp.Substring(this=row_hash, start=exp.Literal.number(1), length=exp.Literal.number(8))
        number = self._dialect.hex_number(digits)
        remainder = exp.Mod(this=number, expression=exp.Literal.number(SAMPLE_SLICES))
        return exp.LT(this=remainder, expression=exp.Literal.number(slices))


class Dialect(NumberDialect):
    """Default SQL: the SQL standard, and PostgreSQL where the standard is silent."""

    aggregates_type: ClassVar[type[Aggregates]] = Aggregates
    canonical_type: ClassVar[type[CanonicalTexts]] = CanonicalTexts
    ignores_case_of_columns: ClassVar[bool] = False
    """True if two columns of a table cannot differ in case alone."""
    has_short_databases: ClassVar[bool] = False
    """True if the first of two parts of a name can be a database instead of a schema."""
    place: ClassVar[tuple[str, ...]] = ()
    """SQL of the session's database and schema, which complete a name."""
    server: ClassVar[str | None] = None
    """SQL that distinguishes servers, databases and roles of sessions; None if nothing does."""
    enforces_types: ClassVar[bool] = True
    """False if a column may hold values of any other type."""
    nan_equals_nan: ClassVar[bool] = True
    """True if NaN = NaN: IEEE 754 says no, most warehouses yes."""
    has_nan: ClassVar[bool] = True
    """True if floats can be NaN or infinite."""
    timestamp_type: ClassVar[str] = "TIMESTAMP"
    """Without a time zone."""
    has_slices: ClassVar[bool] = True
    """True if the queries that search slices of differing rows were run in it."""
    has_far_moments: ClassVar[bool] = True
    """True if dates and timestamps can lie before year 1, after year 9999, or at infinity."""
    samples_by_seed: ClassVar[bool] = True
    """True if all queries that sample a table with the same seed get the same rows."""
    columns_per_statement: ClassVar[int | None] = None
    """Maximum columns in a query result; None if there is no relevant limit."""

    def __init__(self) -> None:
        self.aggregates = self.aggregates_type(self)
        self.canonical = self.canonical_type(self)

    def __repr__(self) -> str:
        return f"<Dialect {self.name}>"

    # Text

    def render(self, expression: Sql, *, pretty: bool = False) -> str:
        """Return the statement in this warehouse's SQL.

        Raises UsageError if the dialect lacks a feature, rather than leaving it out.
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
            raise UsageError(f"{self.name} does not support this query: {error}") from error

    def column_type(self, text: str) -> ColumnType:
        """Parse *text*, a column type as this warehouse writes it."""
        return column_type(text, self.name)

    def as_of(self, relation: exp.Table, moment: Moment) -> exp.Table:
        """Return *relation* as it was at *moment*. Raises UsageError if there are no such moments."""
        raise UsageError(
            f"{self.name} keeps no history of its tables: --base-at cannot be used",
            hint="Snowflake, BigQuery, Databricks, and DuckLake or Iceberg in DuckDB keep one",
        )

    def fold(self, name: str) -> str:
        """Return *name* as columns of a table are compared: casefolded if the dialect ignores case."""
        return name.casefold() if self.ignores_case_of_columns else name

    def evaluated_once(self, select: exp.Select) -> exp.Select:
        """Return *select*, a subquery with columns used several times, so that each is computed once."""
        return select

    def identity(self, names: Sequence[str]) -> Sql | None:
        """Build a query for what identifies a relation under any of its names; None if names decide.

        *names* are the parts of a name as they are stored. The row has NULL if the relation is unknown.
        Names that differ in their length or case may be one relation.
        """
        return exp.select(self.full_name(names)) if self.place else None

    def full_name(self, names: Sequence[str]) -> Sql:
        """Build the name of a relation, with the session's database and schema if *names* lack them."""
        lacking = self.place[: max(len(self.place) + 1 - len(names), 0)]
        parts = [*map(exp.var, lacking), *map(exp.Literal.string, names)]
        return exp.Anonymous(this="CONCAT_WS", expressions=[exp.Literal.string("."), *parts])

    def reader(self, of: ColumnType) -> Reader:
        """Return the function that reads a column of that type independently of the session."""
        return unchanged

    # Comparing

    def differ(self, left: Sql, right: Sql) -> Sql:
        """Build the condition that the values differ: one is NULL, or both are not NULL and unequal."""
        return exp.NullSafeNEQ(this=left, expression=right)

    def is_among(self, value: Sql, literals: Iterable[Sql]) -> Sql:
        """Build the condition that *value* is one of *literals*."""
        return exp.In(this=value, expressions=list(literals))

    def comparable(self, value: Sql, of: ColumnType) -> Sql:
        """Return *value* in a form that `=`, GROUP BY and `row_hash` accept.

        Equal values have the same form.
        """
        if of.kind in (Kind.OTHER, Kind.JSON):
            return self.exact_text(self.text(value))
        return self.exact_text(value) if of.kind is Kind.TEXT else value

    def exact_text(self, value: Sql) -> Sql:
        """Return *value*, a string, so that only identical strings are equal in any collation."""
        return value

    def plain_text(self, value: Sql) -> Sql:
        """Return the string inside *value*, which is an `exact_text` or a column of these."""
        return value

    def as_timestamp(self, value: Sql) -> Sql:
        """Return *value*, a date or timestamp, as a timestamp without time zone."""
        return exp.cast(value, "TIMESTAMP", dialect=self.name)

    def as_utc(self, value: Sql) -> Sql:
        """Return *value*, a date or timestamp without time zone, as a point in time in UTC."""
        return exp.AtTimeZone(this=exp.cast(value, "TIMESTAMP"), zone=exp.Literal.string("UTC"))

    def in_utc(self, value: Sql) -> Sql:
        """Return *value*, a point in time with a zone, in UTC, whatever the zone of the session."""
        return exp.AtTimeZone(this=value, zone=exp.Literal.string("UTC"))

    def truncate(self, value: Sql, unit: str, of: ColumnType) -> Sql:
        """Truncate *value*, a point in time, to *unit*: second, minute … year."""
        return exp.TimestampTrunc(this=value, unit=exp.var(unit.upper()))

    def is_finite(self, value: Sql) -> Sql | None:
        """Build the condition that *value*, a double, is finite; None if all doubles are."""
        if not self.has_nan:
            return None
        # NaN sorts above every number and is equal to itself, so two comparisons suffice.
        largest = exp.Literal.number("1.7976931348623157e308")
        return exp.and_(
            exp.LTE(this=value.copy(), expression=largest.copy()),
            exp.GTE(this=value.copy(), expression=exp.Neg(this=largest)),
        )

    def is_within(self, value: Sql, of: ColumnType) -> Sql | None:
        """Build the condition that *value* is finite, or in the years 1 to 9999; None if every value is."""
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
        """Return *value*, a number or point in time, in a form that compares exactly with a literal."""
        return self.double(value) if of.kind is Kind.FLOAT else value

    def aligned(self, value: Sql, own: ColumnType, other: ColumnType) -> Sql:
        """Return *value*, of type *own*, in a form that compares exactly with *other* and cannot fail.

        Both types are of one kind but spelled differently.
        """
        return value

    # Literals

    def nested_literal(self, value: object, of: ColumnType) -> Sql | None:
        """Return *value*, a list or dict, as SQL of type *of*; None if the dialect compares texts instead."""
        return None

    def number(self, text: str, of: ColumnType) -> Sql:
        """Return the number in *text* as a literal that compares with values of type *of*."""
        if of.kind is Kind.FLOAT:  # some warehouses round a decimal before converting it to a double
            return self.double(exp.Literal.string(text))
        literal = exp.Literal.number(text.lstrip("-"))
        return exp.Neg(this=literal) if text.startswith("-") else literal

    def moment(self, text: str, of: ColumnType) -> Sql:
        """Return the UTC date or timestamp in *text* as a literal that compares with values of type *of*."""
        if of.kind is Kind.TIMESTAMPTZ:
            text += "+00:00"
        if of.kind is Kind.TIMESTAMP:
            return exp.cast(exp.Literal.string(text), self.timestamp_type, dialect=self.name)
        return exp.cast(exp.Literal.string(text), "DATE" if of.kind is Kind.DATE else "TIMESTAMPTZ")

    # Casting

    def portable_text(self, value: Sql, of: ColumnType) -> Sql:
        """Return *value* as text that does not depend on session settings.

        Points in time are in UTC and ISO 8601, binaries in hexadecimal digits, arrays, structs and maps in
        JSON, booleans are `true` and `false`.
        """
        if of.kind is Kind.TIMESTAMPTZ:
            return self.text(self.in_utc(value))
        if of.kind is Kind.BINARY:
            return self.hexadecimal(value)
        if of.kind in (Kind.ARRAY, Kind.STRUCT, Kind.MAP):
            return self.nested_text(value)
        if of.kind in (Kind.JSON, Kind.OTHER):
            return self.text(self.comparable(value, of))
        return self.text(value)

    def hexadecimal(self, value: Sql) -> Sql:
        """Return *value*, a binary, as hexadecimal digits."""
        return exp.Anonymous(this="HEX", expressions=[value])

    def nested_text(self, value: Sql) -> Sql:
        """Return *value*, an array, struct or map, as JSON."""
        return self.text(exp.Anonymous(this="TO_JSON", expressions=[value]))

    def text_of(self, value: Sql, of: ColumnType) -> Sql:
        """Return *value* as text. Its type has a single text form."""
        return self.text(value)

    # Hashing

    def row_hash(self, values: Sequence[Sql]) -> Sql:
        """Build a 64-bit hash of *values*, which are `comparable`, that depends on the position of NULLs.

        Hashes are comparable only within one query: never stored, never compared across warehouses.
        """
        raise NotImplementedError

    def hashable(self, value: Sql, of: ColumnType) -> Sql:
        """Return *value*, which is `comparable`, in a form for which `row_hash` distinguishes unequal values.

        Equal values have the same form. *of* is the type of the *value* passed in.
        """
        return value

    def sampled(self, keys: Sequence[Sql], percent: float) -> Sql:
        """Build the condition that the row with these *keys* is in a sample of *percent*.

        Both sides sample the same keys, whatever their order.
        """
        slices = round(percent * SAMPLE_SLICES / 100)
        remainder = exp.Mod(this=self.row_hash(keys), expression=exp.Literal.number(SAMPLE_SLICES))
        return exp.LT(this=exp.Abs(this=remainder), expression=exp.Literal.number(slices))

    def sampled_rows(self, relation: Sql, percent: float, seed: int) -> Sql | None:
        """Return a random sample of *relation*, a table, for FROM: each row has a chance of *percent*.

        If `samples_by_seed`, the same seed gives the same rows while the table is unchanged. Returns None if
        the warehouse has no native sampling; the caller then samples by a hash of the rows.
        """
        return None

    # Across warehouses

    def fetched(self, value: Sql, of: ColumnType) -> Sql:
        """Return *value* in a form that reaches Python with all of its digits."""
        return value

    def scientific(self, value: Sql) -> Sql | None:
        """Format *value*, a finite double, as C's `%.14e`; return None if the dialect has no such format."""
        return None

    def hex_number(self, digits: Sql) -> Sql:
        """Convert up to 15 hexadecimal *digits* to a whole number."""
        raise NotImplementedError

    # Strings

    def without_trailing(self, text: Sql, character: str) -> Sql:
        """Remove every *character* at the end of *text*."""
        return exp.Anonymous(this="RTRIM", expressions=[text, exp.Literal.string(character)])

    def without_trailing_blanks(self, value: Sql) -> Sql:
        """Remove trailing spaces from *value*, a string. Other white space stays."""
        return self.without_trailing(value, " ")

    def is_blank(self, value: Sql) -> Sql:
        """Build the condition that *value*, a string, is empty or only spaces.

        Other white space is not blank.
        """
        return exp.EQ(this=self.exact_text(exp.Trim(this=value)), expression=exp.Literal.string(""))

    def ordered_text(self, value: Sql) -> Sql:
        """Return *value*, a string, in a form that sorts by code point, whatever its collation."""
        return self.exact_text(value)


def dialect_names() -> tuple[str, ...]:
    """Return the sorted names of all built-in dialects."""
    return folders_with("dialect")


def dialect_named(name: str) -> Dialect:
    """Return the dialect that sqlglot calls *name*: built in, from an installed package, or the defaults.

    Raises UnknownNameError if sqlglot has no such dialect, PluginError if a package's dialect is unusable.
    """
    found = built_in("dialect", name, Dialect) or (plugin(DIALECTS, name, Dialect) if name else None)
    if found is None and name and SqlglotDialect.get(name) is not None:
        standard = built_in("dialect", GENERIC, Dialect)
        assert standard is not None, "recce_meta.warehouses.generic.dialect is missing"
        found = type(name.capitalize(), (standard,), {"name": name, "__doc__": f"{name}, untried."})
    if found is None:
        raise UnknownNameError("SQL dialect", name, (*dialect_names(), *plugin_names(DIALECTS)))
    return found()
