"""SQL of MySQL and MariaDB. Run on MariaDB 10.11.

Collation and time zone of a session are those of the server, as in a session of dbt. So strings are compared
with a collation that distinguishes all of them, and TIMESTAMPs are read in UTC, as DATETIMEs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlglot import exp

from recce_meta.warehouses.dialect import Aggregates, CanonicalTexts, Dialect, Reader, per_cent, rows_where
from recce_meta.warehouses.rewriting import without_full_joins, without_grouping_sets
from recce_meta.warehouses.types import ColumnType, Kind, Sql

HASH_DIGITS = 15
"""Number of hexadecimal digits of an MD5 in a row hash: 60 bits, which fit into a BIGINT."""

EXACT_COLLATION = "/*M!100202 utf8mb4_nopad_bin *//*!80017 utf8mb4_0900_bin */"
"""Collation of exact strings: MariaDB executes the first comment, MySQL the second.

https://mariadb.com/kb/en/comment-syntax/, https://dev.mysql.com/doc/refman/8.0/en/comments.html
"""
_FORMATS = {
    "microsecond": "%Y-%m-%d %H:%i:%s.%f",
    "millisecond": "%Y-%m-%d %H:%i:%s.%f",
    "second": "%Y-%m-%d %H:%i:%s",
    "minute": "%Y-%m-%d %H:%i:00",
    "hour": "%Y-%m-%d %H:00:00",
    "day": "%Y-%m-%d 00:00:00",
    "month": "%Y-%m-01 00:00:00",
    "year": "%Y-01-01 00:00:00",
}


class _Aggregates(Aggregates):
    """Aggregates of MySQL and MariaDB."""

    has_approximate_distinct = False
    has_median = False
    has_median_moment = False

    def mean(self, value: Sql, of: ColumnType) -> Sql:
        """Convert to doubles: AVG of whole numbers and decimals only adds four digits."""
        return exp.Avg(this=self._dialect.double(value))

    def median(self, value: Sql) -> Sql:
        """Raise NotImplementedError: MariaDB's median is only a window function, MySQL has none."""
        raise NotImplementedError


class _Texts(CanonicalTexts):
    """Texts of MySQL and MariaDB."""

    def text(self, value: Sql, of: ColumnType) -> Sql:
        """Add 0 to a whole number: a YEAR and a column with ZEROFILL have leading zeros."""
        if of.kind is Kind.INTEGER and of.scale is None:
            value = exp.Add(this=value, expression=exp.Literal.number(0))
        return super().text(value, of)


class MySQL(Dialect):
    """MySQL 8 and MariaDB 10.6 and later."""

    name = "mysql"
    aggregates_type = _Aggregates
    canonical_type = _Texts
    has_slices = False
    ignores_case_of_columns = True
    place = ("DATABASE()",)
    server = "CONCAT_WS('/', @@hostname, @@port, @@server_id, @@datadir, CURRENT_USER())"
    has_nan = False
    # https://dev.mysql.com/doc/refman/8.0/en/fixed-point-types.html
    decimal_digits: ClassVar[int | None] = 65
    timestamp_type = "DATETIME(6)"

    def render(self, expression: Sql, *, pretty: bool = False) -> str:
        """Replace FULL JOIN and GROUPING SETS, which MySQL lacks."""
        expression = without_grouping_sets(without_full_joins(expression.copy()))
        return super().render(expression, pretty=pretty)

    def column_type(self, text: str) -> ColumnType:
        """Return the type that a cast to BOOLEAN has: it is TINYINT."""
        return super().column_type("TINYINT" if text.upper() in ("BOOLEAN", "BOOL") else text)

    def full_name(self, names: Sequence[str]) -> Sql:
        """https://dev.mysql.com/doc/refman/8.0/en/identifier-case-sensitivity.html"""
        full = super().full_name(names)
        ignores_case = exp.var("@@lower_case_table_names > 0")
        return exp.Case().when(ignores_case, exp.Lower(this=full.copy())).else_(full)

    def exact_text(self, value: Sql) -> Sql:
        """Cast to a collation that distinguishes case and blanks at the end, whatever the column's."""
        if isinstance(value, exp.Collate):
            return value
        text = value if isinstance(value, exp.Cast) else self.text(value)
        return exp.Collate(this=text, expression=exp.Var(this=EXACT_COLLATION))

    def reader(self, of: ColumnType) -> Reader:
        """Read a TIMESTAMP in UTC."""
        return _in_utc if of.kind is Kind.TIMESTAMPTZ else super().reader(of)

    def as_utc(self, value: Sql) -> Sql:
        """Cast only: a DATETIME holds the point in time in UTC."""
        return exp.cast(value, self.timestamp_type, dialect=self.name)

    def in_utc(self, value: Sql) -> Sql:
        """Return the value, which `reader` has read in UTC."""
        return value

    def truncate(self, value: Sql, unit: str, of: ColumnType) -> Sql:
        """https://dev.mysql.com/doc/refman/8.0/en/date-and-time-functions.html#function_date-format"""
        cut: Sql
        if unit == "week":
            # WEEKDAY counts the days since Monday.
            day = exp.Anonymous(this="WEEKDAY", expressions=[value.copy()])
            cut = exp.Anonymous(this="SUBDATE", expressions=[exp.cast(value, "DATE"), day])
        elif unit == "quarter":
            quarter = exp.Mul(
                this=exp.Anonymous(this="QUARTER", expressions=[value.copy()]),
                expression=exp.Literal.number(3),
            )
            month = exp.Sub(this=quarter, expression=exp.Literal.number(2))
            year = exp.Anonymous(this="YEAR", expressions=[value])
            dash, first = exp.Literal.string("-"), exp.Literal.string("-01")
            cut = exp.Anonymous(this="CONCAT", expressions=[year, dash, month, first])
        else:
            digits = exp.Literal.string(_FORMATS[unit])
            cut = exp.Anonymous(this="DATE_FORMAT", expressions=[value, digits])
            if unit == "millisecond":
                # DATE_FORMAT only has microseconds, of which the last three digits are cut.
                cut = exp.Anonymous(this="LEFT", expressions=[cut, exp.Literal.number(23)])
        return exp.cast(cut, self.timestamp_type, dialect=self.name)

    def moment(self, text: str, of: ColumnType) -> Sql:
        """Omit the offset, which MariaDB cannot parse."""
        kind = "DATE" if of.kind is Kind.DATE else self.timestamp_type
        return exp.cast(exp.Literal.string(text), kind, dialect=self.name)

    def portable_text(self, value: Sql, of: ColumnType) -> Sql:
        """Cast a TIMESTAMP, which `reader` has read in UTC, and a FLOAT as a double.

        The text of a FLOAT has six digits, in which different numbers look equal.
        """
        if of.kind is Kind.FLOAT:
            return self.text(self.double(value))
        return self.text(value) if of.kind is Kind.TIMESTAMPTZ else super().portable_text(value, of)

    def is_within(self, value: Sql, of: ColumnType) -> Sql | None:
        """Exclude dates without a year, month or day, which MariaDB stores in some modes."""
        if of.kind is not Kind.DATE and of.kind is not Kind.TIMESTAMP:
            return super().is_within(value, of)
        parts = (exp.Anonymous(this=part, expressions=[value.copy()]) for part in ("YEAR", "MONTH", "DAY"))
        return exp.and_(*(exp.GT(this=part, expression=exp.Literal.number(0)) for part in parts))

    def fetched(self, value: Sql, of: ColumnType) -> Sql:
        """Cast a FLOAT, which the server sends with six digits."""
        return self.double(value) if of.kind is Kind.FLOAT and of.precision == 32 else value

    def decimal(self, value: Sql, scale: int) -> Sql:
        """Limit the scale to 30, MySQL's maximum."""
        return super().decimal(value, min(scale, 30))

    def hashable(self, value: Sql, of: ColumnType) -> Sql:
        """Add 0.0, since values are hashed as texts: -0.0 + 0.0 is 0.0."""
        if of.kind is Kind.FLOAT:
            return exp.paren(exp.Add(this=self.double(value), expression=exp.Literal.number("0.0e0")))
        return self.hexadecimal(value) if of.kind is Kind.BINARY else value

    def row_hash(self, values: Sequence[Sql]) -> Sql:
        """Hash the texts with MD5, each prefixed with its length. NULL has no length."""
        # With lengths, ('ab', 'c') and ('a', 'bc') differ; `~` cannot be a length.
        parts: list[Sql] = []
        for value in values:
            text = self.text(value)
            prefixed = exp.Anonymous(
                this="CONCAT",
                expressions=[
                    exp.Anonymous(this="OCTET_LENGTH", expressions=[text.copy()]),
                    exp.Literal.string(":"),
                    text,
                ],
            )
            parts.append(exp.func("COALESCE", prefixed, exp.Literal.string("~")))
        joined = exp.Anonymous(this="CONCAT", expressions=parts)
        digits = exp.Substring(
            this=exp.MD5(this=joined),
            start=exp.Literal.number(1),
            length=exp.Literal.number(HASH_DIGITS),
        )
        return self.hex_number(digits)

    def hex_number(self, digits: Sql) -> Sql:
        """https://dev.mysql.com/doc/refman/8.0/en/mathematical-functions.html#function_conv"""
        bases = [exp.Literal.number(16), exp.Literal.number(10)]
        return exp.cast(exp.Anonymous(this="CONV", expressions=[digits, *bases]), "BIGINT", dialect=self.name)

    def without_trailing(self, text: Sql, character: str) -> Sql:
        """Use TRIM with TRAILING: RTRIM takes one argument, and only removes blanks."""
        return exp.Trim(this=text, expression=exp.Literal.string(character), position="TRAILING")

    def sampled_rows(self, relation: Sql, percent: float, seed: int) -> Sql | None:
        """Sample with a seeded RAND(): rows get the same sequence of numbers each time, in reading order.

        https://dev.mysql.com/doc/refman/8.0/en/mathematical-functions.html#function_rand
        """
        number = exp.Anonymous(this="RAND", expressions=[exp.Literal.number(seed)])
        chance = exp.Literal.number(per_cent(percent / 100))
        return rows_where(relation, exp.LT(this=number, expression=chance))


def _in_utc(column: Sql) -> Sql:
    """Return the DATETIME in UTC of *column*, a TIMESTAMP; the zero date is the first second of 1970.

    UNIX_TIMESTAMP returns what is stored, also in the hour that two points in time share in the session.
    https://dev.mysql.com/doc/refman/8.0/en/date-and-time-functions.html#function_unix-timestamp
    """
    seconds = exp.Anonymous(this="UNIX_TIMESTAMP", expressions=[column])
    start = exp.cast(exp.Literal.string("1970-01-01"), "DATETIME", dialect="mysql")
    return exp.paren(exp.Add(this=start, expression=exp.Interval(this=seconds, unit=exp.var("SECOND"))))
