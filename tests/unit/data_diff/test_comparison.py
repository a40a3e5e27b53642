"""SQL that compares two values of a column."""

from __future__ import annotations

import pytest
from sqlglot import exp

from recce_meta.data_diff.compare import comparison
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.source import ColumnPair, LiveColumn
from recce_meta.warehouses.dialect import dialect_named


@pytest.mark.parametrize(
    ("warehouse", "type_", "is_bounded"),
    [
        ("bigquery", "NUMERIC", False),
        ("bigquery", "BIGNUMERIC", False),
        ("bigquery", "INT64", False),
        ("bigquery", "FLOAT64", True),
        ("snowflake", "NUMBER(38, 9)", False),
        ("postgres", "numeric", False),
        ("postgres", "double precision", True),
        ("duckdb", "DECIMAL(38, 9)", False),
        ("duckdb", "BIGNUM", False),
        ("sqlite", "INTEGER", True),
    ],
)
def test_only_numbers_that_are_compared_as_doubles_are_bounded_by_a_double(
    warehouse: str, type_: str, is_bounded: bool
) -> None:
    dialect = dialect_named(warehouse)
    column = LiveColumn("amount", dialect.column_type(type_))
    compared = comparison(
        ColumnPair(column, column), dialect, ValueOptions(tolerance=0.01, relative_tolerance=0.1)
    )
    assert compared is not None
    sql = dialect.render(compared.differ(exp.column("x"), exp.column("y")))
    assert ("8e307" in sql) is is_bounded
