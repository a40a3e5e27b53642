"""PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlglot import exp

from recce_meta.dialects.base import Dialect
from recce_meta.dialects.types import ColumnType, Kind, Sql

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
"""One million values each, half of them distinct or few of them, on PostgreSQL 15."""

SEED = 7_046_029_254_386_353_131
"""For hashes: any large number."""


class Postgres(Dialect):
    """PostgreSQL 14 and later."""

    name = "postgres"
    decimal_digits: ClassVar[int | None] = None
    # https://www.postgresql.org/docs/current/limits.html
    columns_per_statement: ClassVar[int | None] = 1600
    # https://www.postgresql.org/docs/current/functions-aggregate.html knows no estimate
    has_approximate_distinct = False

    def evaluated_once(self, select: exp.Select) -> exp.Select:
        """A subquery is merged into its outer query, its columns computed wherever they are used; but not one
        with OFFSET.
        """
        return select.offset(0)

    def comparable(self, value: Sql, of: ColumnType) -> Sql:
        """`json` has no equality, `jsonb` has, whatever the order of keys; enums compare as they are read."""
        if of.kind is Kind.JSON:
            return exp.cast(value, "JSONB", dialect=self.name)
        if of.kind is Kind.ARRAY and any(element.kind in (Kind.JSON, Kind.OTHER) for element in of.elements):
            return self.text(value)
        return super().comparable(value, of)

    def is_within(self, value: Sql, of: ColumnType) -> Sql | None:
        """`numeric` can be infinite, or NaN, which is larger still."""
        if of.kind is Kind.DECIMAL or (of.kind is Kind.INTEGER and of.scale is not None):
            infinite = exp.cast(exp.Literal.string("Infinity"), "DECIMAL")
            return exp.and_(
                exp.LT(this=value.copy(), expression=infinite.copy()),
                exp.GT(this=value.copy(), expression=exp.Neg(this=infinite)),
            )
        return super().is_within(value, of)

    def portable_text(self, value: Sql, of: ColumnType) -> Sql:
        """JSON's dates and timestamps are in ISO 8601, whatever DateStyle says."""
        if not of.kind.is_point_in_time:
            return super().portable_text(value, of)
        if of.kind is Kind.TIMESTAMPTZ:
            value = exp.AtTimeZone(this=value, zone=exp.Literal.string("UTC"))
        return exp.Anonymous(this="BTRIM", expressions=[self.nested_text(value), exp.Literal.string('"')])

    def hexadecimal(self, value: Sql) -> Sql:
        """https://www.postgresql.org/docs/current/functions-binarystring.html"""
        return exp.Anonymous(this="ENCODE", expressions=[value, exp.Literal.string("hex")])

    def decimal(self, value: Sql, scale: int) -> Sql:
        """`numeric` of any length: its hash and equality pass over trailing zeros."""
        return exp.cast(value, "DECIMAL", dialect=self.name)

    def row_hash(self, values: Sequence[Sql]) -> Sql:
        """`hash_record_extended` (14 and later) uses each type's own hash: -0.0 and 0.0 hash alike.

        NULL hashes as 0. So do, with the seed 0, 0.0 and a numeric NaN; with the seed 1, a numeric 0.
        """
        row = exp.Anonymous(this="ROW", expressions=list(values))
        return exp.Anonymous(this="hash_record_extended", expressions=[row, exp.Literal.number(SEED)])

    def without_zeros(self, text: Sql) -> Sql:
        """Times come without zeros already."""
        return text

    def canonical_text(self, value: Sql, of: ColumnType) -> Sql:
        """https://www.postgresql.org/docs/current/functions-math.html has a function for zeros."""
        if of.kind is Kind.DECIMAL:
            value = exp.Anonymous(this="TRIM_SCALE", expressions=[value])
        if of.kind is Kind.TEXT:  # `char(n)` loses its blanks
            return self.text(value)
        return super().canonical_text(value, of)

    def scientific(self, value: Sql) -> Sql | None:
        """https://www.postgresql.org/docs/current/functions-formatting.html"""
        template = exp.Literal.string("9.99999999999999EEEE")
        written = exp.Anonymous(this="TO_CHAR", expressions=[value, template])
        return exp.Anonymous(this="LTRIM", expressions=[written])

    def hex_number(self, digits: Sql) -> Sql:
        """Hexadecimal digits are read as bits."""
        padded = exp.Anonymous(
            this="LPAD", expressions=[digits, exp.Literal.number(16), exp.Literal.string("0")]
        )
        prefixed = exp.DPipe(this=exp.Literal.string("x"), expression=padded, safe=True)
        bits = exp.cast(exp.paren(prefixed), "BIT(64)", dialect=self.name)
        return exp.cast(bits, "BIGINT", dialect=self.name)

    def mean(self, value: Sql, of: ColumnType) -> Sql:
        """AVG of floats sums their squares as well, which overflow from 1e154 on."""
        if of.kind is not Kind.FLOAT:
            return super().mean(value, of)
        count = exp.Nullif(this=exp.Count(this=value.copy()), expression=exp.Literal.number(0))
        return exp.Div(this=exp.Sum(this=self.double(value)), expression=count)

    def count_distinct(self, value: Sql, of: ColumnType) -> Sql:
        """It sorts, and texts sort quickest by their bytes."""
        return super().count_distinct(self.ordered_text(value) if of.kind is Kind.TEXT else value, of)

    def counts_distinct_rows(self, of: ColumnType) -> bool:
        """SELECT DISTINCT hashes: of `numeric` and what is longer, that is quicker than to sort."""
        return of.kind not in _QUICKLY_SORTED or (of.kind is Kind.INTEGER and of.scale is not None)

    def length(self, value: Sql, of: ColumnType) -> Sql | None:
        """`cardinality` counts an empty array as 0, where `array_length` gives NULL."""
        if of.kind is Kind.ARRAY:
            return exp.Anonymous(this="cardinality", expressions=[value])
        return super().length(value, of)

    def ordered_text(self, value: Sql) -> Sql:
        """The database's own collation may be any language's."""
        return exp.Collate(this=value, expression=exp.to_identifier("C", quoted=True))
