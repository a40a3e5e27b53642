"""DuckDB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from sqlglot import exp

from recce_meta.dialects.base import SAMPLE_SLICES, Dialect
from recce_meta.dialects.types import ColumnType, Kind, Sql

SUMMED_DIGITS = 28
"""Digits of a decimal of which 10,000,000,000 can be summed in 128 bits."""


class DuckDB(Dialect):
    """DuckDB 1.1 and later."""

    name = "duckdb"
    # https://duckdb.org/docs/stable/sql/dialect/keywords_and_identifiers#case-sensitivity-of-identifiers
    ignores_case_of_columns = True

    # A limit of ours: planning takes the square of the number of aggregates, 30 s for 8,000 of them.
    columns_per_statement: ClassVar[int | None] = 1600

    def comparable(self, value: Sql, of: ColumnType) -> Sql:
        """JSON without white space: it is text to DuckDB. The order of keys counts."""
        if of.kind is Kind.JSON:
            return self.text(exp.Anonymous(this="json", expressions=[value]))
        return value

    def hashable(self, value: Sql, of: ColumnType) -> Sql:
        """128 bits hash as one half xor the other: 0 and -1, whose halves are alike, would have one hash."""
        return self.text(value) if _has_128_bits(of) else value

    def row_hash(self, values: Sequence[Sql]) -> Sql:
        """`hash` tells NULL from other values, -0.0 and 0.0 hash alike, as do all NaN."""
        return exp.Anonymous(this="hash", expressions=list(values))

    def sampled(self, keys: Sequence[Sql], percent: float) -> Sql:
        """Hashes are unsigned."""
        slices = round(percent * SAMPLE_SLICES / 100)
        remainder = exp.Mod(this=self.row_hash(keys), expression=exp.Literal.number(SAMPLE_SLICES))
        return exp.LT(this=remainder, expression=exp.Literal.number(slices))

    def measured(self, value: Sql, of: ColumnType) -> Sql:
        """A TIMESTAMP_NS would take the literal to nanoseconds, of which there are none before 1677."""
        if of.kind is Kind.TIMESTAMP and "_NS" in of.text.upper():
            return exp.cast(value, "TIMESTAMP", dialect=self.name)
        return super().measured(value, of)

    def mean(self, value: Sql, of: ColumnType) -> Sql:
        """Sums of whole numbers and decimals are kept in 128 bits: what is wide would overflow them."""
        bits = of.precision or 0
        digits = bits if of.scale is not None else 39 if bits > 64 else 0
        return exp.Avg(this=self.double(value) if digits > SUMMED_DIGITS else value)

    def scientific(self, value: Sql) -> Sql | None:
        """https://duckdb.org/docs/stable/sql/functions/text#printf-syntax"""
        return exp.Anonymous(this="PRINTF", expressions=[exp.Literal.string("%.14e"), value])

    def hex_number(self, digits: Sql) -> Sql:
        """https://duckdb.org/docs/stable/sql/data_types/literal_types#integer-literals"""
        prefixed = exp.DPipe(this=exp.Literal.string("0x"), expression=digits, safe=True)
        return exp.cast(exp.paren(prefixed), "BIGINT", dialect=self.name)

    def median(self, value: Sql) -> Sql:
        """The same as `percentile_cont(0.5)`, and quicker."""
        return exp.Median(this=value)

    def median_as_double(self, value: Sql, of: ColumnType) -> Sql:
        """Of integers it is a double by itself, and quicker so."""
        is_integer = of.kind is Kind.INTEGER and of.scale is None
        return self.median(value) if is_integer else super().median_as_double(value, of)

    def median_moment(self, value: Sql) -> Sql | None:
        """https://duckdb.org/docs/stable/sql/functions/aggregates#holistic-aggregate-functions"""
        return exp.Anonymous(this="QUANTILE_DISC", expressions=[value, exp.Literal.number("0.5")])

    def length(self, value: Sql, of: ColumnType) -> Sql | None:
        """`len` serves arrays of every kind."""
        if of.kind is Kind.ARRAY:
            return exp.Anonymous(this="len", expressions=[value])
        return super().length(value, of)

    def ordered_text(self, value: Sql) -> Sql:
        """An ENUM sorts as it was declared, a text by its bytes."""
        return self.text(value)


def _has_128_bits(of: ColumnType) -> bool:
    """Whether values of *of*, or some that they hold, take more than 64 bits."""
    if of.kind in (Kind.INTEGER, Kind.DECIMAL):
        digits = of.precision or 0
        return digits > (64 if of.kind is Kind.INTEGER and of.scale is None else 18)
    return of.kind is Kind.UUID or any(_has_128_bits(element) for element in of.elements)
