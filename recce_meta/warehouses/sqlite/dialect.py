"""SQLite dialect: dates and times are texts, decimals are doubles, and any column can hold any value.

The driver defines the functions `recce_hash`, `recce_hex`, `recce_md5`, `recce_median`, `recce_scientific`
and `recce_text` on its connections. Statements that call them run only there.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from msgspec import structs
from sqlglot import exp

from recce_meta.warehouses.arithmetic import Arithmetic, Distances, Doubles, all_of, minus
from recce_meta.warehouses.dialect import Aggregates, CanonicalTexts, Dialect, rows_where
from recce_meta.warehouses.rewriting import without_grouping_sets
from recce_meta.warehouses.types import ColumnType, Kind, Sql

EXACT = 2**53
"""Largest whole number up to which doubles are exact."""

_CUTS = {
    "microsecond": (26, ""),
    "millisecond": (23, ""),
    "second": (19, ""),
    "minute": (16, ":00"),
    "hour": (13, ":00:00"),
    "day": (10, " 00:00:00"),
    "month": (7, "-01 00:00:00"),
    "year": (4, "-01-01 00:00:00"),
}
"""Number of characters of a time to keep, and the text to append."""

_STORED_AS = {
    Kind.INTEGER: ("integer",),
    Kind.DECIMAL: ("integer",),
    Kind.FLOAT: ("integer", "real"),
    Kind.BOOLEAN: ("integer", "null"),
    Kind.BINARY: ("blob", "null"),
    Kind.TEXT: ("text", "integer", "real", "null"),
}
"""Types of values that a cast writes as values of a kind; kinds that are not listed are texts."""


class _Aggregates(Aggregates):
    """Aggregates of SQLite."""

    has_approximate_distinct = False
    median_function = "recce_median"
    has_median_moment = False  # texts have no median

    def length(self, value: Sql, of: ColumnType) -> Sql | None:
        """Use `length`, which counts the bytes of a blob; `octet_length` is newer."""
        return exp.func("LENGTH", value) if of.kind is Kind.BINARY else super().length(value, of)


class _Texts(CanonicalTexts):
    """Texts of SQLite."""

    def hash(self, texts: Sequence[Sql]) -> Sql:
        """Call the driver's function, since SQLite has no MD5."""
        return exp.Anonymous(this="recce_md5", expressions=[self.line(texts)])

    def text(self, value: Sql, of: ColumnType) -> Sql:
        """Write a value of another type than its column's as it is, so that it equals no value of that type.

        A CAST would make a text the number 0, round a double to 15 digits, and turn a blob into its bytes.
        """
        kinds = map(exp.Literal.string, _STORED_AS.get(of.kind, _STORED_AS[Kind.TEXT]))
        own = exp.Anonymous(this="typeof", expressions=[value.copy()])
        name = "recce_text" if of.kind.is_number else "quote"
        other = exp.Anonymous(this=name, expressions=[value.copy()])
        text = super().text(value, of)
        return exp.Case().when(exp.In(this=own, expressions=[*kinds]), text, copy=False).else_(other)


class SQLite(Dialect):
    """SQLite 3.39 and later, which has FULL JOIN."""

    name = "sqlite"
    aggregates_type = _Aggregates
    canonical_type = _Texts
    has_slices = False
    ignores_case_of_columns = True
    enforces_types = False
    # https://www.sqlite.org/limits.html: 2,000 columns of a result, 500 terms of a UNION
    columns_per_statement: ClassVar[int | None] = 1600

    def identity(self, names: Sequence[str]) -> Sql | None:
        """https://www.sqlite.org/pragma.html#pragma_table_list: temporary tables come first, then `main`."""
        *above, name = (exp.Literal.string(part.lower()) for part in names)
        found = exp.select("schema || '.' || LOWER(name)").from_("pragma_table_list")
        found = found.where(exp.EQ(this=exp.Lower(this=exp.column("name")), expression=name))
        if above:
            found = found.where(exp.EQ(this=exp.Lower(this=exp.column("schema")), expression=above[-1]))
        return exp.select(found.order_by("schema <> 'temp'", "schema <> 'main'").limit(1).subquery())

    def render(self, expression: Sql, *, pretty: bool = False) -> str:
        """Replace GROUPING SETS, which SQLite lacks."""
        return super().render(without_grouping_sets(expression.copy()), pretty=pretty)

    def column_type(self, text: str) -> ColumnType:
        """Set 64 bits for every float and integer: https://www.sqlite.org/datatype3.html"""
        of = super().column_type(text)
        is_sized = of.kind is Kind.FLOAT or (of.kind is Kind.INTEGER and of.scale is None)
        return structs.replace(of, precision=64) if is_sized else of

    def comparable(self, value: Sql, of: ColumnType) -> Sql:
        """Compare exactly: a column of any type may hold strings, and may ignore case."""
        if of.kind.is_number:
            return value
        return self.exact_text(self.text(value) if of.kind in (Kind.OTHER, Kind.JSON) else value)

    def exact_text(self, value: Sql) -> Sql:
        """Set the collation explicitly, since a CAST of a column keeps the column's own.

        https://www.sqlite.org/datatype3.html#collation
        """
        return exp.Collate(this=value, expression=exp.var("BINARY"))

    def as_timestamp(self, value: Sql) -> Sql:
        """Add midnight to the text of a date; DATETIME would drop a fraction, and what it cannot read."""
        text = self._written(value)
        is_date = exp.Like(this=text.copy(), expression=exp.Literal.string("____-__-__"))
        midnight = exp.DPipe(this=text.copy(), expression=exp.Literal.string(" 00:00:00"), safe=True)
        return exp.Case().when(is_date, midnight, copy=False).else_(text)

    def as_utc(self, value: Sql) -> Sql:
        """Return the timestamp: SQLite has no time zones."""
        return self.as_timestamp(value)

    def in_utc(self, value: Sql) -> Sql:
        """Return the value: SQLite has no time zones."""
        return value

    def truncate(self, value: Sql, unit: str, of: ColumnType) -> Sql:
        """Truncate the text to its first characters."""
        if unit == "week":
            steps = [exp.Literal.string(text) for text in ("-6 days", "weekday 1", "start of day")]
            return exp.Anonymous(this="datetime", expressions=[self._written(value), *steps])
        if unit == "quarter":
            return self._quarter(value)
        length, rest = _CUTS[unit]
        cut = exp.Substring(
            this=self._written(value), start=exp.Literal.number(1), length=exp.Literal.number(length)
        )
        return exp.DPipe(this=cut, expression=exp.Literal.string(rest), safe=True)

    def _quarter(self, value: Sql) -> Sql:
        """Return the first day of the quarter: subtract (month - 1) % 3 months."""
        month = exp.cast(exp.Anonymous(this="strftime", expressions=[exp.Literal.string("%m"), value]), "INT")
        over = exp.Mod(
            this=exp.paren(exp.Sub(this=month, expression=exp.Literal.number(1))),
            expression=exp.Literal.number(3),
        )
        back = exp.DPipe(this=exp.Literal.string("-"), expression=exp.paren(over), safe=True)
        back = exp.DPipe(this=back, expression=exp.Literal.string(" months"), safe=True)
        first = exp.Literal.string("start of month")
        return exp.Anonymous(this="datetime", expressions=[self._written(value.copy()), first, back])

    def measured(self, value: Sql, of: ColumnType) -> Sql:
        """Compare points in time as texts in one spelling."""
        return self._written(value) if of.kind.is_point_in_time else super().measured(value, of)

    def is_within(self, value: Sql, of: ColumnType) -> Sql | None:
        """Check the value itself: numeric columns may hold texts, date columns invalid dates."""
        within = super().is_within(value, of)
        if of.kind.is_number:
            kind = exp.Anonymous(this="typeof", expressions=[value.copy()])
            numbers = [exp.Literal.string(name) for name in ("integer", "real")]
            is_number = exp.In(this=kind, expressions=numbers)
            return is_number if within is None else exp.and_(is_number, within)
        if within is None or not of.kind.is_point_in_time:
            return within
        written = self.measured(value, of)
        has_form = exp.Like(this=written.copy(), expression=exp.Literal.string("____-__-__%"))
        whole = exp.Substring(  # a fraction may be rounded up into year 10000
            this=written, start=exp.Literal.number(1), length=exp.Literal.number(19)
        )
        moment = exp.Anonymous(this="datetime", expressions=[whole])
        return exp.and_(within, has_form, exp.not_(exp.Is(this=moment, expression=exp.null())))

    def moment(self, text: str, of: ColumnType) -> Sql:
        """Write the literal without trailing zeros, so that no other spelling of the same moment sorts before
        it.
        """
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        return exp.Literal.string(text.removesuffix(" 00:00:00"))

    def portable_text(self, value: Sql, of: ColumnType) -> Sql:
        """Spell out booleans, which are the numbers 1 and 0; other values keep their text."""
        if of.kind is Kind.BOOLEAN:
            found = exp.Case(this=value.copy()).when(exp.Literal.number(1), exp.Literal.string("true"))
            return found.when(exp.Literal.number(0), exp.Literal.string("false")).else_(self.text(value))
        if of.kind.is_point_in_time:
            return self._written(value)
        return super().portable_text(value, of)

    def _written(self, value: Sql) -> Sql:
        """Return *value*, a date or time, as text with a blank between the two."""
        literals = [exp.Literal.string("T"), exp.Literal.string(" ")]
        return exp.Anonymous(this="REPLACE", expressions=[self.text(value), *literals])

    def hexadecimal(self, value: Sql) -> Sql:
        """Keep NULL, which HEX makes an empty text: https://www.sqlite.org/lang_corefunc.html#hex"""
        is_there = exp.not_(exp.Is(this=value.copy(), expression=exp.null()))
        return exp.Case().when(is_there, super().hexadecimal(value), copy=False)

    def nested_text(self, value: Sql) -> Sql:
        """Cast to text, since SQLite has no arrays."""
        return self.text(value)

    def decimal(self, value: Sql, scale: int) -> Sql:
        """Return *value*: whole numbers have 64 bits, all other numbers are doubles."""
        return value

    def arithmetic(self, base: ColumnType, current: ColumnType) -> Arithmetic:
        """Use arithmetic for doubles and 64-bit whole numbers, whose sums may overflow."""
        return _Numbers(self)

    def row_hash(self, values: Sequence[Sql]) -> Sql:
        """Call the driver's function, in which 1 and 1.0 are equal."""
        return exp.Anonymous(this="recce_hash", expressions=list(values))

    def sampled_rows(self, relation: Sql, percent: float, seed: int) -> Sql | None:
        """Sample by a hash of the row number, which WITHOUT ROWID tables lack."""
        keys = [exp.Literal.number(seed), exp.column("rowid", table="t")]
        return rows_where(relation, self.sampled(keys, percent))

    def hex_number(self, digits: Sql) -> Sql:
        """Call the driver's function, since SQLite cannot parse hexadecimal digits."""
        return exp.Anonymous(this="recce_hex", expressions=[digits])

    def scientific(self, value: Sql) -> Sql | None:
        """Call the driver's function."""
        return exp.Anonymous(this="recce_scientific", expressions=[value])


_INTEGER = exp.Literal.string("integer")


class _Numbers(Doubles):
    """Doubles, in which whole numbers of more than 53 bits are rounded."""

    def is_close(self, base: Sql, current: Sql, absolute: Decimal, relative: Decimal) -> Sql:
        """Subtract two integers exactly; a difference of more than 64 bits becomes a double."""
        close = super().is_close(base, current, absolute, relative)
        if relative:
            return close
        integers = [
            exp.EQ(this=exp.Anonymous(this="typeof", expressions=[value.copy()]), expression=_INTEGER.copy())
            for value in (base, current)
        ]
        bound = exp.Literal.number(str(int(absolute)))  # differences of whole numbers have no fraction
        near = exp.Between(
            this=minus(current.copy(), base.copy()), low=exp.Neg(this=bound.copy()), high=bound
        )
        return exp.Case().when(all_of(integers), near, copy=False).else_(close)

    def read(self, figures: Sequence[Any]) -> Distances:
        """Mark results above the exact range of doubles as rounded."""
        found = super().read(figures)
        return found._replace(is_rounded=(found.largest or 0) >= EXACT)
