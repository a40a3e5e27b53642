"""DuckDB."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from recce_meta.dialects.base import SAMPLE_SLICES, Dialect
from recce_meta.dialects.types import ColumnType, Kind, Sql


class DuckDB(Dialect):
    """DuckDB 1.1 and later."""

    name = "duckdb"
    # https://duckdb.org/docs/stable/sql/dialect/keywords_and_identifiers#case-sensitivity-of-identifiers
    ignores_case_of_columns = True

    def comparable(self, value: Sql, of: ColumnType) -> Sql:
        """JSON without white space: it is text to DuckDB. The order of keys counts."""
        if of.kind is Kind.JSON:
            return self.text(exp.Anonymous(this="json", expressions=[value]))
        return value

    def row_hash(self, values: Sequence[Sql]) -> Sql:
        """`hash` tells NULL from other values, -0.0 and 0.0 hash alike, as do all NaN."""
        return exp.Anonymous(this="hash", expressions=list(values))

    def sampled(self, keys: Sequence[Sql], percent: float) -> Sql:
        """Hashes are unsigned."""
        slices = round(percent * SAMPLE_SLICES / 100)
        remainder = exp.Mod(this=self.row_hash(keys), expression=exp.Literal.number(SAMPLE_SLICES))
        return exp.LT(this=remainder, expression=exp.Literal.number(slices))

    def median(self, value: Sql) -> Sql:
        """The same as `percentile_cont(0.5)`, and quicker."""
        return exp.Median(this=value)

    def length(self, value: Sql, of: ColumnType) -> Sql | None:
        """`len` serves arrays of every kind."""
        if of.kind is Kind.ARRAY:
            return exp.Anonymous(this="len", expressions=[value])
        return super().length(value, of)
