"""Snowflake dialect. Compiled and read against its documentation; not run on an account yet."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from recce_meta.errors import UsageError
from recce_meta.models.data_diff import Moment
from recce_meta.warehouses.dialect import Aggregates, Dialect, moment_literal, per_cent, tablesample
from recce_meta.warehouses.types import ColumnType, Kind, Sql

_INSTANT = "YYYY-MM-DD HH24:MI:SS.FF6"
_FORMATS = {
    Kind.DATE: "YYYY-MM-DD",
    Kind.TIME: "HH24:MI:SS.FF6",
    Kind.TIMESTAMP: _INSTANT,
    Kind.TIMESTAMPTZ: _INSTANT,
}


class _Aggregates(Aggregates):
    """Aggregates of Snowflake."""

    # https://docs.snowflake.com/en/sql-reference/functions/count
    has_cheap_distinct = True
    # https://docs.snowflake.com/en/sql-reference/functions/median
    median_function = "MEDIAN"


class Snowflake(Dialect):
    """Snowflake SQL."""

    name = "snowflake"
    aggregates_type = _Aggregates
    has_slices = False
    place = ("CURRENT_DATABASE()", "CURRENT_SCHEMA()")
    server = "CONCAT_WS('/', CURRENT_REGION(), CURRENT_ACCOUNT(), CURRENT_ROLE())"
    timestamp_type = "TIMESTAMP_NTZ"

    def as_of(self, relation: exp.Table, moment: Moment) -> exp.Table:
        """https://docs.snowflake.com/en/sql-reference/constructs/at-before: by time, or by statement."""
        if moment.at is None:
            raise UsageError("Snowflake has no versions of tables", hint="name a time with --base-at")
        past, at = relation.copy(), exp.cast(moment_literal(moment), "TIMESTAMPTZ")
        past.set("when", exp.HistoricalData(this="AT", kind=moment.word, expression=at))
        return past

    def identity(self, names: Sequence[str]) -> Sql | None:
        """Find a name without a schema in the session's, then in PUBLIC.

        https://docs.snowflake.com/en/sql-reference/name-resolution
        """
        if len(names) > 1:
            return super().identity(names)
        found = exp.select("CONCAT_WS('.', table_catalog, table_schema, table_name)")
        found = found.from_("information_schema.tables").where("table_schema IN (CURRENT_SCHEMA(), 'PUBLIC')")
        found = found.where(exp.EQ(this=exp.column("table_name"), expression=exp.Literal.string(names[0])))
        return exp.select(found.order_by("table_schema <> CURRENT_SCHEMA()").limit(1).subquery())

    def comparable(self, value: Sql, of: ColumnType) -> Sql:
        """Compare semi-structured values by their JSON, which has sorted keys."""
        if of.kind.is_nested:
            return exp.Anonymous(this="TO_JSON", expressions=[value])
        return super().comparable(value, of)

    def exact_text(self, value: Sql) -> Sql:
        """Set an empty collation, which means none: https://docs.snowflake.com/en/sql-reference/collation"""
        return exp.Collate(this=value, expression=exp.Literal.string(""))

    def as_utc(self, value: Sql) -> Sql:
        """https://docs.snowflake.com/en/sql-reference/functions/convert_timezone"""
        zoneless = exp.cast(value, "TIMESTAMPNTZ", dialect=self.name)
        shifted = exp.Anonymous(
            this="CONVERT_TIMEZONE",
            expressions=[exp.Literal.string("UTC"), exp.Literal.string("UTC"), zoneless],
        )
        return exp.cast(shifted, "TIMESTAMPTZ", dialect=self.name)

    def in_utc(self, value: Sql) -> Sql:
        """https://docs.snowflake.com/en/sql-reference/functions/convert_timezone"""
        return exp.Anonymous(this="CONVERT_TIMEZONE", expressions=[exp.Literal.string("UTC"), value])

    def portable_text(self, value: Sql, of: ColumnType) -> Sql:
        """Set the formats of dates and times, which otherwise depend on session parameters."""
        if of.kind is Kind.TIMESTAMPTZ:
            value = self.in_utc(value)
        if of.kind in _FORMATS:
            template = exp.Literal.string(_FORMATS[of.kind])
            return exp.Anonymous(this="TO_VARCHAR", expressions=[value, template])
        return super().portable_text(value, of)

    def hexadecimal(self, value: Sql) -> Sql:
        """https://docs.snowflake.com/en/sql-reference/functions/hex_encode"""
        return exp.Anonymous(this="HEX_ENCODE", expressions=[value])

    def row_hash(self, values: Sequence[Sql]) -> Sql:
        """Use HASH, which has its own value for NULL:
        https://docs.snowflake.com/en/sql-reference/functions/hash
        """
        return exp.Anonymous(this="HASH", expressions=list(values))

    def sampled_rows(self, relation: Sql, percent: float, seed: int) -> Sql | None:
        """Sample with a seed, possible for tables:
        https://docs.snowflake.com/en/sql-reference/constructs/sample
        """
        clause = f"SAMPLE BERNOULLI ({per_cent(percent)}) SEED ({seed:d})"
        return tablesample(self.render(relation), clause)

    def scientific(self, value: Sql) -> Sql | None:
        """Shorten the exponent, which has three digits:
        https://docs.snowflake.com/en/sql-reference/sql-format-models
        """
        template = exp.Literal.string("9.99999999999999EEEEE")
        text: Sql = exp.Anonymous(this="TO_VARCHAR", expressions=[value, template])
        text = exp.Lower(this=exp.Anonymous(this="LTRIM", expressions=[text]))
        for sign in "+-":
            signs = [exp.Literal.string(f"e{sign}0"), exp.Literal.string(f"e{sign}")]
            text = exp.Anonymous(this="REPLACE", expressions=[text, *signs])
        return text

    def hex_number(self, digits: Sql) -> Sql:
        """https://docs.snowflake.com/en/sql-reference/sql-format-models"""
        return exp.Anonymous(this="TO_NUMBER", expressions=[digits, exp.Literal.string("X" * 15)])
