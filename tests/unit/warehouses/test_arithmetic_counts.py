"""Numbers of the parts and aggregates of each arithmetic, which are known without building them."""

from __future__ import annotations

import pytest
from sqlglot import exp

from recce_meta.warehouses.arithmetic import arithmetic_of
from recce_meta.warehouses.dialect import dialect_named
from recce_meta.warehouses.types import ColumnType, Kind

NUMBERS = {
    "INTEGER": ColumnType("INTEGER", Kind.INTEGER, precision=32),
    "HUGEINT": ColumnType("HUGEINT", Kind.INTEGER, precision=128),
    "UHUGEINT": ColumnType("UHUGEINT", Kind.INTEGER, precision=128, is_unsigned=True),
    "BIGNUM": ColumnType("BIGNUM", Kind.INTEGER),
    "DECIMAL(10,2)": ColumnType("DECIMAL(10,2)", Kind.DECIMAL, precision=10, scale=2),
    "DECIMAL(38,10)": ColumnType("DECIMAL(38,10)", Kind.DECIMAL, precision=38, scale=10),
    "DOUBLE": ColumnType("DOUBLE", Kind.FLOAT),
}


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize(
    "warehouse", ["duckdb", "postgres", "snowflake", "bigquery", "redshift", "databricks"]
)
def test_the_counts_are_those_of_what_is_built(warehouse: str, kind: str) -> None:
    of = NUMBERS[kind]
    arithmetic = arithmetic_of(dialect_named(warehouse), of, of, of.kind)
    parts = arithmetic.parts(exp.column("a"), exp.column("b"))
    assert arithmetic.counts == (len(parts), len(arithmetic.aggregates([part.copy() for part in parts])))


def test_the_sql_of_wide_numbers_is_short() -> None:
    """DuckDB needs longer to plan a long expression than to compare a thousand rows with it."""
    of = NUMBERS["DECIMAL(38,10)"]
    arithmetic = arithmetic_of(dialect_named("duckdb"), of, of, of.kind)
    parts = arithmetic.parts(exp.column("a"), exp.column("b"))
    figures = arithmetic.aggregates([exp.column("x"), exp.column("y")])
    assert sum(len(each.sql("duckdb")) for each in (*parts, *figures)) < 3_000
