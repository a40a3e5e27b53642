"""SQL of PostgreSQL."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import ClassVar

from sqlglot import exp

from recce_meta.warehouses.arithmetic import Arithmetic, Decimals, whole_digits
from recce_meta.warehouses.dialect import Aggregates, CanonicalTexts, Dialect, per_cent, tablesample
from recce_meta.warehouses.types import ColumnType, Kind, Sql

_QUICKLY_SORTED = frozenset(
    [
        Kind.INTEGER,
        Kind.FLOAT,
        Kind.BOOLEAN,
        Kind.TEXT,
        Kind.DATE,
        Kind.TIMESTAMP,
        Kind.TIMESTAMPTZ,
        Kind.TIME,
        Kind.UUID,
    ]
)
"""Kinds that sort faster than they hash.

Measured on PostgreSQL 15 with one million values each, half of them distinct or few of them.
"""

_ONE_TEXT = frozenset(
    [
        *(Kind.BOOLEAN, Kind.TEXT, Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ, Kind.TIME),
        *(Kind.UUID, Kind.BINARY, Kind.OTHER, Kind.JSON),
    ]
)
"""Kinds whose equal values have the same text in an array, within a session, or are compared by text
there.
"""

_BYTES = {
    Kind.INTEGER: "int8send",
    Kind.TIMESTAMP: "timestamp_send",
    Kind.TIMESTAMPTZ: "timestamptz_send",
}
"""Functions that return the eight bytes of a value (pg_type.typsend). Its own hash folds them into four."""

_UPPER_MIDDLE = "0.5000000001"
"""Fraction with which percentile_disc returns the upper of the middle two of up to 5 billion values."""

_ZEROS_IN_JSON = r"\.[0-9]*0([^0-9]|$)"
"""Pre-check for `_NUMBERS_IN_JSON`: ten times as fast, and most documents do not match it."""

_NUMBERS_IN_JSON = r'("([^"\\]|\\.)*")|(\.[0-9]*[1-9])0+(?![0-9])|\.0+(?![0-9])'
"""A string, which stays unchanged, or the zeros at the end of a number."""

_NO_JSONB = (
    r"\\u0000|\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]"
    r"|[0-9][eE][+-]?[0-9]{5,}\s*([,}\]]|$)"
)
"""Values that `json` allows and `jsonb` does not: NUL, half a surrogate pair, numbers beyond `numeric`."""

_PERHAPS_NO_JSONB = r"\\u|[eE][+-]?[0-9]{5}"
"""Pre-check for `_NO_JSONB`: several times as fast, and most documents do not match it."""

_DOUBLE_DIGITS = 150
"""A `numeric` with at most this many digits on either side of the point is in the range of doubles."""
_SECONDS_MORE = 453_600
"""Seconds by which EPOCH's year, 365.25 days, exceeds the year used to compare intervals, 12 * 30 days."""

BIGINT_DIGITS = 18
"""Whole numbers with this many digits fit into a `bigint`."""

SEED = 7_046_029_254_386_353_131
"""Seed for hashes: any large number."""


# Copies of a server have another start.
_SERVER = "CONCAT_WS('/', EXTRACT(EPOCH FROM PG_POSTMASTER_START_TIME()), CURRENT_DATABASE(), CURRENT_USER)"


class _Aggregates(Aggregates):
    """Aggregates of PostgreSQL."""

    # https://www.postgresql.org/docs/current/functions-aggregate.html has no estimate
    has_approximate_distinct = False
    # One statement for ten columns took a fifth more CPU time than ten, which connections can share.
    top_lists_per_statement = 1
    array_length = "cardinality"  # 0 for an empty array; `array_length` returns NULL

    def groupable(self, value: Sql, of: ColumnType) -> Sql:
        """Group arrays and JSON in their comparable form: texts differ in bounds, zeros and signs of zero."""
        is_value = of.kind in (Kind.ARRAY, Kind.JSON)
        return self._dialect.comparable(value, of) if is_value else super().groupable(value, of)

    def group_text(self, key: Sql, of: ColumnType) -> Sql:
        """Return the key itself for an array that is compared by its text."""
        if of.kind is Kind.JSON:
            return self._dialect.text(key)
        is_array = of.kind is Kind.ARRAY and not _is_compared_by_text(of)
        return self._dialect.portable_text(key, of) if is_array else super().group_text(key, of)

    def mean(self, value: Sql, of: ColumnType) -> Sql:
        """Divide the sum by the count: AVG of floats also sums their squares, which overflow from 1e154
        on.
        """
        if of.kind is not Kind.FLOAT:
            return super().mean(value, of)
        count = exp.Nullif(this=exp.Count(this=value.copy()), expression=exp.Literal.number(0))
        return _quotient(exp.Sum(this=self._dialect.double(value)), count)

    def median_as_double(self, value: Sql, of: ColumnType) -> Sql:
        """Return the median; NULL if a `numeric` is beyond doubles, because it cannot be cast.

        percentile_cont returns NaN if one of the middle two values is infinite.
        """
        if of.kind is Kind.FLOAT:
            number = value if of.precision == 64 else self._dialect.double(value)
            # Aggregates of the same values share one sort.
            low, high = _percentile_disc(number, "0.5"), _percentile_disc(number, _UPPER_MIDDLE)
            is_infinite = exp.or_(
                exp.EQ(this=low, expression=_double("-Infinity")),
                exp.EQ(this=high, expression=_double("Infinity")),
            )
            ends = exp.Add(this=low.copy(), expression=high.copy())
            return exp.Case().when(is_infinite, ends).else_(self.median(number.copy()))
        digits, scale = of.precision or sys.maxsize, of.scale or 0
        if of.kind is not Kind.DECIMAL or (digits <= _DOUBLE_DIGITS and abs(scale) <= _DOUBLE_DIGITS):
            return super().median_as_double(value, of)
        zero = exp.Literal.number(0)
        size = exp.Abs(this=value.copy())
        too_small = exp.LT(this=size.copy(), expression=exp.Literal.number("1e-307"))
        too_large = exp.and_(
            exp.GT(this=size.copy(), expression=exp.Literal.number("1.7976931348623157e308")),
            exp.LT(this=size, expression=exp.cast(exp.Literal.string("Infinity"), "DECIMAL")),
        )
        known = exp.Case().when(too_small, zero.copy()).when(exp.not_(too_large.copy()), value)
        are_known = exp.EQ(this=self.count_if(too_large), expression=zero)
        return exp.Case().when(are_known, self.median(self._dialect.double(known)))

    def count_distinct(self, value: Sql, of: ColumnType) -> Sql:
        """Use the collation "C" for strings: COUNT(DISTINCT …) sorts, which is fastest by bytes."""
        value = self._dialect.ordered_text(value) if of.kind is Kind.TEXT else value
        return super().count_distinct(value, of)

    def counts_distinct_rows(self, of: ColumnType) -> bool:
        """Return True for `numeric` and longer values: SELECT DISTINCT hashes, which is faster than
        sorting them.
        """
        return of.kind not in _QUICKLY_SORTED or (of.kind is Kind.INTEGER and of.scale is not None)


class _Texts(CanonicalTexts):
    """Texts of PostgreSQL."""

    def without_zeros(self, text: Sql) -> Sql:
        """Return *text*: times have no trailing zeros."""
        return text

    def text(self, value: Sql, of: ColumnType) -> Sql:
        """Use TRIM_SCALE: https://www.postgresql.org/docs/current/functions-math.html"""
        if of.kind is Kind.DECIMAL:
            value = exp.Anonymous(this="TRIM_SCALE", expressions=[value])
        if of.kind in (Kind.JSON, Kind.ARRAY, Kind.INTERVAL):
            return _one_text(self._dialect, self._dialect.comparable(value, of), of)
        if of.kind is Kind.TEXT:  # `char(n)` loses its blanks
            return self._dialect.text(value)
        return super().text(value, of)

    def hash(self, texts: Sequence[Sql]) -> Sql:
        """Hash the text in UTF-8: MD5 of a text depends on the encoding of the database."""
        line, encoding = self.line(texts), exp.Literal.string("UTF8")
        in_utf8 = exp.Anonymous(this="CONVERT_TO", expressions=[line, encoding])
        return exp.MD5(this=in_utf8)


class Postgres(Dialect):
    """PostgreSQL 14 and later."""

    name = "postgres"
    aggregates_type: ClassVar[type[Aggregates]] = _Aggregates
    canonical_type: ClassVar[type[CanonicalTexts]] = _Texts
    decimal_digits: ClassVar[int | None] = None
    # https://www.postgresql.org/docs/current/limits.html
    columns_per_statement: ClassVar[int | None] = 1600
    server: ClassVar[str | None] = _SERVER
    relation_named: ClassVar[str] = "TO_REGCLASS({})"

    def evaluated_once(self, select: exp.Select) -> exp.Select:
        """Add OFFSET 0, so that the subquery is not merged into its outer query and its columns
        recomputed.
        """
        return select.offset(0)

    def identity(self, names: Sequence[str]) -> Sql | None:
        """https://www.postgresql.org/docs/current/datatype-oid.html: names are found as in a query."""
        return exp.select(exp.var(f"{self.relation_named.format(self.render(self.full_name(names)))}::OID"))

    def full_name(self, names: Sequence[str]) -> Sql:
        """Quote the parts: the catalog completes the name."""
        quoted = (exp.to_identifier(name, quoted=True) for name in names)
        return exp.Literal.string(".".join(map(self.render, quoted)))

    def comparable(self, value: Sql, of: ColumnType) -> Sql:
        """Cast `json`, which has no equality, to `jsonb`, which ignores the order of keys; cast enums to
        text.

        JSON that cannot become `jsonb` is compared as a string of its original text.
        """
        if of.kind is Kind.JSON and of.text.lower() == "jsonb":
            return value
        if of.kind is Kind.JSON:
            text = self.text(value.copy())
            patterns = (_PERHAPS_NO_JSONB, _NO_JSONB)
            is_out = exp.and_(*(_matches(text.copy(), pattern) for pattern in patterns), copy=False)
            as_string = exp.Anonymous(this="TO_JSONB", expressions=[text])
            return exp.Case().when(is_out, as_string).else_(exp.cast(value, "JSONB", dialect=self.name))
        if _is_compared_by_text(of) or of.kind is Kind.OTHER:
            return self.exact_text(self.text(value))
        texts = [part for part in (of, *of.elements) if part.kind is Kind.TEXT]
        if of.kind not in (Kind.TEXT, Kind.ARRAY) or not texts:
            return super().comparable(value, of)
        # Comparing char(n) ignores trailing blanks, comparing citext ignores case.
        if not all(_PLAIN_TEXT.match(part.text) for part in texts):
            value = exp.cast(value, "TEXT[]" if of.kind is Kind.ARRAY else "TEXT", dialect=self.name)
        return self.exact_text(value)

    def exact_text(self, value: Sql) -> Sql:
        """Compare by bytes: a nondeterministic collation treats different strings as equal."""
        return exp.Collate(this=value, expression=exp.to_identifier("C", quoted=True))

    def plain_text(self, value: Sql) -> Sql:
        """Remove the collation "C", because LOWER depends on it: "C" only has ASCII letters."""
        return value.this if isinstance(value, exp.Collate) else value

    def is_within(self, value: Sql, of: ColumnType) -> Sql | None:
        """Exclude infinite `numeric` values and NaN, which is larger still."""
        if of.kind is Kind.DECIMAL or (of.kind is Kind.INTEGER and of.scale is not None):
            infinite = exp.cast(exp.Literal.string("Infinity"), "DECIMAL")
            return exp.and_(
                exp.LT(this=value.copy(), expression=infinite.copy()),
                exp.GT(this=value.copy(), expression=exp.Neg(this=infinite)),
            )
        return super().is_within(value, of)

    def portable_text(self, value: Sql, of: ColumnType) -> Sql:
        """Use JSON's dates and timestamps, which are in ISO 8601 whatever the DateStyle.

        Only an array's own text shows the bounds of an array that does not begin at 1.
        """
        if of.kind is Kind.ARRAY:
            text = self.text(value.copy())
            has_bounds = exp.Like(this=text, expression=exp.Literal.string("[%"))
            return exp.Case().when(has_bounds, text.copy()).else_(self.nested_text(value))
        if not of.kind.is_point_in_time:
            return super().portable_text(value, of)
        if of.kind is Kind.TIMESTAMPTZ:
            value = self.in_utc(value)
        return exp.Anonymous(this="BTRIM", expressions=[self.nested_text(value), exp.Literal.string('"')])

    def nested_literal(self, value: object, of: ColumnType) -> Sql | None:
        """https://www.postgresql.org/docs/current/arrays.html#ARRAYS-INPUT"""
        if of.kind is not Kind.ARRAY or not isinstance(value, list) or _is_compared_by_text(of):
            return None
        return exp.cast(exp.Literal.string(_array(value)), of.text, dialect=self.name)

    def hexadecimal(self, value: Sql) -> Sql:
        """https://www.postgresql.org/docs/current/functions-binarystring.html"""
        return exp.Anonymous(this="ENCODE", expressions=[value, exp.Literal.string("hex")])

    def decimal(self, value: Sql, scale: int) -> Sql:
        """Cast to `numeric` of any length: its hash and equality ignore trailing zeros."""
        return exp.cast(value, "DECIMAL", dialect=self.name)

    def arithmetic(self, base: ColumnType, current: ColumnType) -> Arithmetic:
        """Return decimal arithmetic without a limit; `numeric` may be NaN or infinite."""
        types = (base, current)
        has_numeric = any(of.kind is Kind.DECIMAL or of.scale is not None for of in types)
        return Decimals(self, max(map(whole_digits, types)), int(has_numeric), may_be_infinite=has_numeric)

    def exact(self, value: Sql, digits: int, scale: int, *, more: int = 0) -> Sql:
        """Use `bigint` for small whole numbers, which is faster."""
        is_small = not scale and digits + more <= BIGINT_DIGITS
        return exp.cast(value, "BIGINT" if is_small else "DECIMAL", dialect=self.name)

    def row_hash(self, values: Sequence[Sql]) -> Sql:
        """Use `hash_record_extended` (14 and later), which uses each type's own hash: -0.0 and 0.0 hash
        alike.

        The seed is not 0, because NULL hashes as 0, and so does 0.0 with the seed 0.
        """
        row = exp.Anonymous(this="ROW", expressions=list(values))
        return exp.Anonymous(this="hash_record_extended", expressions=[row, exp.Literal.number(SEED)])

    def sampled_rows(self, relation: Sql, percent: float, seed: int) -> Sql | None:
        """Sample a table or materialized view: https://www.postgresql.org/docs/current/sql-select.html"""
        clause = f"TABLESAMPLE BERNOULLI ({per_cent(percent)}) REPEATABLE ({seed:d})"
        return tablesample(self.render(relation), clause)

    def hashable(self, value: Sql, of: ColumnType) -> Sql:
        """Return bytes or text for types whose own hash ignores part of the value.

        64-bit values hash as 32 bits, numbers without their sign; NaN and infinities collide as well. See
        https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/access/hash/hashfunc.c and
        src/backend/utils/adt/numeric.c. Types that hash in full are unchanged.
        """
        if of.kind is Kind.INTEGER and of.scale is None:
            return _bytes(self, value, of) if (of.precision or 64) > 32 else value
        if of.kind in (Kind.TIMESTAMP, Kind.TIMESTAMPTZ):
            return _bytes(self, value, of)
        if of.kind is Kind.TIME:
            return self.text(value)
        if of.kind in (Kind.INTEGER, Kind.DECIMAL, Kind.INTERVAL, Kind.JSON, Kind.ARRAY):
            return _one_text(self, value, of)
        return value

    def scientific(self, value: Sql) -> Sql | None:
        """https://www.postgresql.org/docs/current/functions-formatting.html"""
        template = exp.Literal.string("9.99999999999999EEEE")
        written = exp.Anonymous(this="TO_CHAR", expressions=[value, template])
        return exp.Anonymous(this="LTRIM", expressions=[written])

    def hex_number(self, digits: Sql) -> Sql:
        """Prefix the digits with x and cast them to bits."""
        padded = exp.Anonymous(
            this="LPAD", expressions=[digits, exp.Literal.number(16), exp.Literal.string("0")]
        )
        prefixed = exp.DPipe(this=exp.Literal.string("x"), expression=padded, safe=True)
        bits = exp.cast(exp.paren(prefixed), "BIT(64)", dialect=self.name)
        return exp.cast(bits, "BIGINT", dialect=self.name)

    def ordered_text(self, value: Sql) -> Sql:
        """Use the collation "C": the database's own may be any language's."""
        return self.exact_text(value)


def _has_one_text(of: ColumnType) -> bool:
    """Return True if equal values of *of* have the same text, also within an array."""
    return of.kind in _ONE_TEXT or (of.kind is Kind.INTEGER and of.scale is None)


def _bytes(dialect: Dialect, value: Sql, of: ColumnType) -> Sql:
    return exp.Anonymous(this=_BYTES[of.kind], expressions=[value])


def _one_text(dialect: Dialect, value: Sql, of: ColumnType) -> Sql:
    """Return *value*, which is `comparable`, as text that is the same only for equal values."""
    if of.kind is Kind.DECIMAL or (of.kind is Kind.INTEGER and of.scale is not None):
        return dialect.text(exp.Anonymous(this="TRIM_SCALE", expressions=[value]))
    if of.kind is Kind.FLOAT:  # -0.0 + 0.0 is 0.0
        return dialect.text(exp.Add(this=value, expression=exp.Literal.number("0.0")))
    if of.kind is Kind.INTERVAL:
        return _interval_text(dialect, value)
    if of.kind is Kind.JSON:
        text = dialect.text(value)
        literals = [exp.Literal.string(each) for each in (_NUMBERS_IN_JSON, r"\1\3", "g")]
        trimmed = exp.Anonymous(this="REGEXP_REPLACE", expressions=[text.copy(), *literals])
        return exp.Case().when(_matches(text.copy(), _ZEROS_IN_JSON), trimmed).else_(text)
    if of.kind is Kind.ARRAY and not any(_has_one_text(element) for element in of.elements):
        return _array_text(dialect, value, of)
    return dialect.text(value)


def _interval_text(dialect: Dialect, value: Sql) -> Sql:
    """Return an interval in seconds, with months of 30 days, as intervals compare; cap infinite years."""
    epoch = exp.Extract(this=exp.var("EPOCH"), expression=value.copy())
    years: Sql = exp.Extract(this=exp.var("YEAR"), expression=value)
    bound = exp.Literal.number(1_000_000_000)
    years = exp.Least(
        this=exp.Greatest(this=years, expressions=[exp.Neg(this=bound.copy())], ignore_nulls=False),
        expressions=[bound],
        ignore_nulls=False,
    )
    # LEAST and GREATEST skip NULL; the epoch keeps it.
    more = exp.Mul(this=years, expression=exp.Literal.number(_SECONDS_MORE))
    seconds = exp.Sub(this=epoch, expression=more)
    return dialect.text(exp.Anonymous(this="TRIM_SCALE", expressions=[seconds]))


def _array_text(dialect: Dialect, value: Sql, of: ColumnType) -> Sql:
    """Concatenate the texts of the elements, and add the dimensions."""
    element = of.elements[0] if of.elements else ColumnType("", Kind.OTHER)
    elements = exp.Select(expressions=[_one_text(dialect, exp.column("e", table="u"), element)])
    unnested = exp.Unnest(
        expressions=[value.copy()],
        alias=exp.TableAlias(this=exp.to_identifier("u"), columns=[exp.to_identifier("e")]),
    )
    listed = exp.Anonymous(this="ARRAY", expressions=[elements.from_(unnested, copy=False)])
    dimensions = exp.Anonymous(this="ARRAY_DIMS", expressions=[value.copy()])
    text = exp.DPipe(
        this=dialect.text(listed),
        expression=exp.func("COALESCE", dimensions, exp.Literal.string("")),
        safe=True,
    )
    is_there = exp.not_(exp.Is(this=value, expression=exp.null()))
    return exp.Case().when(is_there, text)


def _matches(text: Sql, pattern: str) -> Sql:
    return exp.RegexpLike(this=text, expression=exp.Literal.string(pattern))


_PLAIN_TEXT = re.compile(r"\s*(text|varchar|character varying|char varying)\b", re.I)


def _quotient(total: Sql, count: Sql) -> Sql:
    """Return 0 for a *total* so small that the quotient may underflow, which is an error in PostgreSQL."""
    too_small = exp.LT(this=exp.Abs(this=total.copy()), expression=_double("1e-290"))
    return exp.Case().when(too_small, _double("0")).else_(exp.Div(this=total, expression=count))


def _percentile_disc(value: Sql, fraction: str) -> Sql:
    return exp.WithinGroup(
        this=exp.PercentileDisc(this=exp.Literal.number(fraction)),
        expression=exp.Order(expressions=[exp.Ordered(this=value.copy(), nulls_first=False)]),
    )


def _double(text: str) -> Sql:
    return exp.cast(exp.Literal.string(text), "DOUBLE")


def _is_compared_by_text(of: ColumnType) -> bool:
    """Return True if *of* is an array of values without a reliable equality."""
    return of.kind is Kind.ARRAY and any(element.kind in (Kind.JSON, Kind.OTHER) for element in of.elements)


def _array(value: object) -> str:
    """Return *value*, a list or an item of one, in the syntax of array literals."""
    if value is None:
        return "NULL"
    if isinstance(value, list):
        return "{" + ",".join(map(_array, value)) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
