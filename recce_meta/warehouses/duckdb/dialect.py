"""SQL of DuckDB."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import ClassVar

from sqlglot import exp

from recce_meta.models.data_diff import Moment
from recce_meta.warehouses.arithmetic import Arithmetic, whole_digits
from recce_meta.warehouses.dialect import (
    SAMPLE_SLICES,
    Aggregates,
    CanonicalTexts,
    Dialect,
    moment_literal,
    rows_where,
)
from recce_meta.warehouses.duckdb.hugeints import hugeints
from recce_meta.warehouses.types import ColumnType, Kind, Sql

SUMMED_DIGITS = 28
"""Digits of a decimal of which 10,000,000,000 can be summed in 128 bits."""

DIGITS_OF_64_BITS = 18

_MICROSECONDS = {
    "year": 31_104_000_000_000,
    "month": 2_592_000_000_000,
    "day": 86_400_000_000,
    "hour": 3_600_000_000,
    "minute": 60_000_000,
    "microsecond": 1,  # includes the seconds
}
_MANY_DIGITS = r"[1-9][0-9.]{14,}[1-9]|[eE][+-]?[0-9]{3}"
"""Pattern of a number that may not fit into a double, which holds up to 15 digits."""
_STRING_IN_JSON = r'("(?:[^"\\]|\\.)*")'
_BLANKS_IN_JSON = rf"{_STRING_IN_JSON}|\s+"
_ZEROS_IN_JSON = rf"{_STRING_IN_JSON}|(\.[0-9]*[1-9])0+([^0-9]|$)|\.0+([^0-9]|$)"
_NESTED = frozenset([Kind.ARRAY, Kind.STRUCT, Kind.MAP])


class _Aggregates(Aggregates):
    """Aggregates of DuckDB."""

    # It equals PERCENTILE_CONT(0.5), and is faster.
    median_function = "MEDIAN"
    array_length = "len"  # for arrays of every kind

    def groupable(self, value: Sql, of: ColumnType) -> Sql:
        """Group nested values and UNIONs directly: their texts differ for 0.0 and -0.0."""
        return value if of.kind in _NESTED or _is_union(of) else super().groupable(value, of)

    def group_text(self, key: Sql, of: ColumnType) -> Sql:
        """Convert the keys that `groupable` did not convert to text."""
        is_value = of.kind in _NESTED or _is_union(of)
        return self._dialect.portable_text(key, of) if is_value else super().group_text(key, of)

    def mean(self, value: Sql, of: ColumnType) -> Sql:
        """Convert wide numbers to doubles: DuckDB sums whole numbers and decimals in 128 bits, which could
        overflow.
        """
        if _is_bignum(of):
            return self._quotient(exp.Sum(this=value.copy()), exp.Count(this=value))
        bits = of.precision or 0
        digits = bits if of.scale is not None else 39 if bits > 64 else 0
        return exp.Avg(this=self._dialect.double(value) if digits > SUMMED_DIGITS else value)

    def _quotient(self, above: Sql, below: Sql) -> Sql:
        """Return a fraction as text, because BIGNUM has no division; NULL if *above* is."""
        bar = exp.Literal.string("/")
        return exp.DPipe(
            this=exp.DPipe(this=self._dialect.text(above), expression=bar, safe=True),
            expression=self._dialect.text(below),
            safe=True,
        )

    def median_as_double(self, value: Sql, of: ColumnType) -> Sql:
        """Skip the cast for integers, whose median is a double already; use two quantiles for a BIGNUM."""
        if _is_bignum(of):
            half = exp.Literal.number("0.5")
            down = exp.Order(this=half.copy(), expressions=[exp.Ordered(this=value.copy(), desc=True)])
            lower = exp.Anonymous(this="QUANTILE_DISC", expressions=[value.copy(), half])
            upper = exp.Anonymous(this="QUANTILE_DISC", expressions=[value, down])
            total = exp.paren(exp.Add(this=lower, expression=upper), copy=False)
            return self._quotient(total, exp.Literal.number(2))
        is_integer = of.kind is Kind.INTEGER and of.scale is None
        return self.median(value) if is_integer else super().median_as_double(value, of)

    def median_moment(self, value: Sql) -> Sql | None:
        """https://duckdb.org/docs/stable/sql/functions/aggregates#holistic-aggregate-functions"""
        return exp.Anonymous(this="QUANTILE_DISC", expressions=[value, exp.Literal.number("0.5")])


class _Texts(CanonicalTexts):
    """Texts of DuckDB."""

    def joined_by_bars(self, texts: Sequence[Sql]) -> Sql:
        """Join by one function, which is faster than many operators."""
        return exp.Anonymous(this="CONCAT_WS", expressions=[exp.Literal.string("|"), *texts])

    def text(self, value: Sql, of: ColumnType) -> Sql:
        """Use DuckDB's own keys: both databases are files of one DuckDB, so equal keys mean equal values."""
        if of.kind in _NESTED:
            is_there = exp.not_(exp.Is(this=value.copy(), expression=exp.null()))
            return exp.Case().when(is_there, exp.Anonymous(this="HEX", expressions=[_sort_key(value)]))
        if of.kind is Kind.INTERVAL:
            return _interval_text(self._dialect, value)
        return super().text(value, of)


class DuckDB(Dialect):
    """DuckDB 1.1 and later."""

    name = "duckdb"
    aggregates_type = _Aggregates
    canonical_type = _Texts
    # https://duckdb.org/docs/stable/sql/dialect/keywords_and_identifiers#case-sensitivity-of-identifiers
    ignores_case_of_columns = True
    has_short_databases = True

    # Our own limit: planning is quadratic in the number of aggregates, 30 s for 8,000 of them.
    columns_per_statement: ClassVar[int | None] = 1600

    def as_of(self, relation: exp.Table, moment: Moment) -> exp.Table:
        """https://duckdb.org/docs/stable/sql/query_syntax/from#time-travel-queries: DuckLake and Iceberg."""
        past, when = relation.copy(), moment_literal(moment)
        if moment.at is not None:
            when = exp.cast(when, "TIMESTAMPTZ")
        past.set("when", exp.HistoricalData(this="AT", kind=moment.word, expression=when))
        return past

    def identity(self, names: Sequence[str]) -> Sql | None:
        """Find the relation in the catalog as DuckDB does: temporary relations, then the search path.

        https://duckdb.org/docs/stable/sql/dialect/keywords_and_identifiers
        """
        *above, name = names
        found = exp.select("CONCAT_WS('.', table_catalog, table_schema, table_name)")
        found = found.from_("information_schema.tables").where(_is_named("table_name", name))
        if len(above) == 2:
            found = found.where(*map(_is_named, ("table_catalog", "table_schema"), above))
        elif above:
            is_schema, is_database = (_is_named(part, above[0]) for part in ("table_schema", "table_catalog"))
            found = found.where(exp.or_(is_schema, exp.and_(is_database, "table_schema = 'main'")))
        else:
            found = found.where(f"{_PLACE} > 0")
        order = ("table_catalog <> 'temp'", "table_catalog <> CURRENT_DATABASE()", _PLACE)
        return exp.select(found.order_by(*order).limit(1).subquery())

    def is_among(self, value: Sql, literals: Iterable[Sql]) -> Sql:
        """Join the literals: a scan reads the other columns of few rows, and of all rows for a long list."""
        listed = exp.select(exp.func("UNNEST", exp.Array(expressions=list(literals))))
        return exp.In(this=value, query=listed.subquery(copy=False))

    def comparable(self, value: Sql, of: ColumnType) -> Sql:
        """Return JSON without white space, since DuckDB compares it as text. The order of keys counts.

        `json` converts numbers to doubles. Numbers with more digits keep their spelling.
        """
        if of.text.upper() == "VARIANT":  # VARIANT has the same text for 1 and '1'
            return self.nested_text(value)
        if of.kind is Kind.JSON:
            text = self.text(exp.Anonymous(this="json", expressions=[value.copy()]))
            literals = [self.text(value.copy()), exp.Literal.string(_MANY_DIGITS)]
            has_many = exp.Anonymous(this="REGEXP_MATCHES", expressions=literals)
            return exp.Case().when(has_many, _as_written(self.text(value))).else_(text)
        return self.exact_text(value) if of.text.upper() == "VARCHAR" else value

    def exact_text(self, value: Sql) -> Sql:
        """Use the C collation: some others ignore case or accents.

        https://duckdb.org/docs/stable/sql/expressions/collations
        """
        return exp.Collate(this=value, expression=exp.to_identifier("C", quoted=True))

    def plain_text(self, value: Sql) -> Sql:
        """Return *value* with the column's own collation."""
        return value.this if isinstance(value, exp.Collate) else value

    def hashable(self, value: Sql, of: ColumnType) -> Sql:
        """Return DuckDB's sort key for types whose native hashes collide.

        128-bit values hash as one half xor the other, so 0 and -1 collide. Nested values hash as their items,
        so NULL, [] and [NULL] collide. Sort keys differ for each value.
        """
        if of.kind is Kind.INTERVAL:
            return _interval_text(self, value)
        return _sort_key(value) if of.kind in _NESTED or _has_128_bits(of) else value

    def aligned(self, value: Sql, own: ColumnType, other: ColumnType) -> Sql:
        """Cast timestamps of different units to text, and arrays to lists.

        Timestamps of other units can overflow, and a list may have another length than an array. Texts of
        timestamps are equal if the timestamps are, to the nanosecond.
        """
        if own.kind is Kind.TIMESTAMP:
            return self.text(value) if _has_own_unit(own) or _has_own_unit(other) else value
        if own.kind is Kind.ARRAY and own.elements:
            return exp.cast(value, f"{own.elements[0].text}[]", dialect=self.name)
        return value

    def portable_text(self, value: Sql, of: ColumnType) -> Sql:
        """Put BC at the end, as PostgreSQL does; DuckDB puts it after the date.

        A UNION is written with its tag: 1 and '1' are two values.
        """
        if _is_union(of):
            return self.nested_text(value)
        text = super().portable_text(value, of)
        if of.kind is Kind.DECIMAL and whole_digits(of) == 0:
            return _with_a_zero(text)
        if not of.kind.is_point_in_time:
            return text
        literals = [exp.Literal.string(r" \(BC\)(.*)"), exp.Literal.string(r"\1 BC")]
        return exp.Anonymous(this="REGEXP_REPLACE", expressions=[text, *literals])

    def nested_literal(self, value: object, of: ColumnType) -> Sql | None:
        """Cast from JSON, which works for any nested type without UNION, BLOB or JSON."""
        if any(word in of.text.upper() for word in ("UNION(", "BLOB", "JSON")):
            return None
        text = json.dumps(_with_texts(value), ensure_ascii=False)
        document = exp.cast(exp.Literal.string(text), "JSON", dialect=self.name)
        return exp.cast(document, of.text, dialect=self.name)

    def arithmetic(self, base: ColumnType, current: ColumnType) -> Arithmetic:
        """Use 128-bit arithmetic, since sums of decimals fail beyond 38 digits."""
        types = (base, current)
        whole, scale = max(map(whole_digits, types)), max(of.scale or 0 for of in types)
        return hugeints(self, base, current, whole, scale)

    def exact(self, value: Sql, digits: int, scale: int, *, more: int = 0) -> Sql:
        """Widen the type if needed: a product of two 64-bit decimals has 64 bits."""
        is_short = digits <= DIGITS_OF_64_BITS < digits + more
        return super().exact(value, DIGITS_OF_64_BITS + 1 if is_short else digits, scale)

    def row_hash(self, values: Sequence[Sql]) -> Sql:
        """Use `hash`, which distinguishes NULL and treats -0.0 and 0.0 as equal, as well as all NaN."""
        return exp.Anonymous(this="hash", expressions=list(values))

    def sampled(self, keys: Sequence[Sql], percent: float) -> Sql:
        """Skip ABS: hashes are unsigned."""
        slices = round(percent * SAMPLE_SLICES / 100)
        remainder = exp.Mod(this=self.row_hash(keys), expression=exp.Literal.number(SAMPLE_SLICES))
        return exp.LT(this=remainder, expression=exp.Literal.number(slices))

    def sampled_rows(self, relation: Sql, percent: float, seed: int) -> Sql | None:
        """Sample by a hash of the row number, because DuckDB's own samples are not repeatable.

        With several threads, REPEATABLE returned other rows each time in DuckDB 1.1, and other rows of a join
        in 2.0.
        """
        keys = [exp.Literal.number(seed), exp.column("rowid", table="t")]
        return rows_where(relation, self.sampled(keys, percent))

    def measured(self, value: Sql, of: ColumnType) -> Sql:
        """Cast TIMESTAMP_NS: a literal converted to nanoseconds cannot be before 1677."""
        if of.kind is Kind.TIMESTAMP and "_NS" in of.text.upper():
            return exp.cast(value, "TIMESTAMP", dialect=self.name)
        return super().measured(value, of)

    def scientific(self, value: Sql) -> Sql | None:
        """https://duckdb.org/docs/stable/sql/functions/text#printf-syntax"""
        return exp.Anonymous(this="PRINTF", expressions=[exp.Literal.string("%.14e"), value])

    def hex_number(self, digits: Sql) -> Sql:
        """https://duckdb.org/docs/stable/sql/data_types/literal_types#integer-literals"""
        prefixed = exp.DPipe(this=exp.Literal.string("0x"), expression=digits, safe=True)
        return exp.cast(exp.paren(prefixed), "BIGINT", dialect=self.name)

    def is_blank(self, value: Sql) -> Sql:
        """Compare with `!` first, which few strings sort before, then remove the spaces.

        TRIM removes every Unicode space, or takes five times as long with explicit characters. `!` is the
        character after the space.
        """
        text = self.text(value)
        literals = [exp.Literal.string(" "), exp.Literal.string("")]
        rest = exp.Anonymous(this="REPLACE", expressions=[text.copy(), *literals])
        return exp.and_(
            exp.LT(this=text, expression=exp.Literal.string("!")),
            exp.EQ(this=rest, expression=exp.Literal.string("")),
            copy=False,
        )

    def ordered_text(self, value: Sql) -> Sql:
        """Cast an ENUM, which sorts in order of declaration; strings sort by their bytes."""
        return self.exact_text(self.text(value))


_PLACE = "LIST_POSITION(CURRENT_SCHEMAS(TRUE), table_schema)"


def _is_named(column: str, name: str) -> Sql:
    return exp.EQ(this=exp.Lower(this=exp.column(column)), expression=exp.Literal.string(name.lower()))


def _is_bignum(of: ColumnType) -> bool:
    return of.text.upper() == "BIGNUM"


def _as_written(text: Sql) -> Sql:
    """Remove white space between the strings of *text*, JSON, and trailing zeros of fractions."""
    for pattern, kept in ((_BLANKS_IN_JSON, r"\1"), (_ZEROS_IN_JSON, r"\1\2\3\4")):
        literals = [exp.Literal.string(each) for each in (pattern, kept, "g")]
        text = exp.Anonymous(this="REGEXP_REPLACE", expressions=[text, *literals])
    return text


def _sort_key(value: Sql) -> Sql:
    """Return bytes that differ for unequal values, and within nested values also for 30 days and a month."""
    return exp.Anonymous(this="create_sort_key", expressions=[value, exp.Literal.string("ASC NULLS FIRST")])


def _interval_text(dialect: Dialect, value: Sql) -> Sql:
    """Return an interval as microseconds, as DuckDB compares them: a month has 30 days."""
    whole: Sql | None = None
    for unit, size in _MICROSECONDS.items():
        part = exp.Anonymous(this="DATE_PART", expressions=[exp.Literal.string(unit), value.copy()])
        product = exp.Mul(
            this=exp.cast(part, "HUGEINT", dialect=dialect.name), expression=exp.Literal.number(size)
        )
        whole = product if whole is None else exp.Add(this=whole, expression=product)
    assert whole is not None, "an interval has parts"
    return dialect.text(whole)


def _with_a_zero(text: Sql) -> Sql:
    """Return *text*, a decimal without digits before the point, as `0.5` instead of DuckDB's `.5`."""
    literals = [exp.Literal.string("^(-?)[.]"), exp.Literal.string(r"\10.")]
    return exp.Anonymous(this="REGEXP_REPLACE", expressions=[text, *literals])


def _is_union(of: ColumnType) -> bool:
    return of.kind is Kind.OTHER and of.text.upper().startswith("UNION(")


def _with_texts(value: object) -> object:
    """Return *value* with its numbers as strings, since JSON numbers are doubles."""
    if isinstance(value, list):
        return [_with_texts(item) for item in value]
    if isinstance(value, dict):
        return {key: _with_texts(item) for key, item in value.items()}
    is_number = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
    return str(value) if is_number else value


def _has_own_unit(of: ColumnType) -> bool:
    """Return True if *of* is a timestamp with another unit than microseconds."""
    return of.kind is Kind.TIMESTAMP and of.text.upper().endswith(("_S", "_MS", "_NS"))


def _has_128_bits(of: ColumnType) -> bool:
    """Return True if values of *of* take more than 64 bits."""
    if of.kind in (Kind.INTEGER, Kind.DECIMAL):
        digits = of.precision or 0
        return digits > (64 if of.kind is Kind.INTEGER and of.scale is None else 18)
    return of.kind is Kind.UUID
