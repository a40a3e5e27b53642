"""Conditions that are written differently: equal ones have one key, and executing both is the judge."""

from __future__ import annotations

import duckdb
import pytest

from recce_meta.models.change import Category
from recce_meta.sql_diff import compare_sql

VALUES = "(select null::double as v union all values ('nan'::double), ('-inf'), (0), (1), (2), (5), (6))"
DATA = f"create table t as select x.v as a, y.v as b, x.v > y.v as c from {VALUES} x, {VALUES} y"

EQUAL = [
    ("not (a <= 2)", "a > 2"),
    ("not (a = 2)", "2 <> a"),
    ("not (a is distinct from b)", "a is not distinct from b"),
    ("not not a = 1", "a = 1"),
    ("not (a = 2 and b > 1)", "a <> 2 or b <= 1"),
    ("not (a = 1 or (b = 2 or b = 3))", "b <> 3 and a <> 1 and b <> 2"),
    ("a = 1 and not (b = 2 or b = 3)", "b <> 3 and a = 1 and b <> 2"),
    ("not (not c and b is null)", "c or b is not null"),
    ("not (a is null or b is null)", "b is not null and a is not null"),
    ("not (a in (1, 2) or b = 3)", "a not in (2, 1) and b <> 3"),
    ("not (false or a = 1)", "a <> 1"),
    ("not (true and c)", "not c"),
    ("a between 1 and 5", "a >= 1 and a <= 5"),
    ("a not between 1 and 5", "a > 5 or 1 > a"),
    ("b = 1 and a between 1 and 5", "a <= 5 and b = 1 and a >= 1"),
    ("coalesce(a) = 1", "a = 1"),
]
OTHER = [
    ("not (a <= 2)", "a >= 2"),
    ("not (a = 1)", "a = 1"),
    ("not (a = any(select b from t))", "a <> any(select b from t)"),
    ("not (a = 1 or b is null)", "a <> 1 or b is not null"),
    ("not (a = 1) and b = 2", "not (a = 1 and b = 2)"),
    ("a between 1 and 5", "a > 1 and a <= 5"),
    ("not a between 1 and 5", "a < 1 and a > 5"),
    ("not (c is true)", "c is false"),
    ("not not a", "a"),
    # What is computed twice, or compared in another type.
    ("random() between 0 and 1", "random() >= 0 and random() <= 1"),
    ("a between 1 and 2.5", "a >= 1 and a <= 2.5"),
]


def category(one: str, other: str, dialect: str) -> Category:
    old, new = (f"select {condition} as x from t" for condition in (one, other))
    return compare_sql(old, new, dialect).category


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "snowflake", "databricks"])
@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_equal_conditions_are_no_change(one: str, other: str, dialect: str) -> None:
    has_row_types = dialect == "postgres" and "b is null" in one
    assert category(one, other, dialect) == (Category.PARTIAL_BREAKING if has_row_types else Category.NONE)
    rows = [f"select a, b from t where {condition}" for condition in (one, other)]
    assert has_row_types or compare_sql(*rows, dialect).category is Category.NONE


def test_equal_conditions_have_equal_values() -> None:
    with duckdb.connect() as connection:
        connection.execute(DATA)
        for one, other in EQUAL:
            differing = f"select a, b from t where ({one}) is distinct from ({other})"
            assert connection.execute(differing).fetchall() == [], (one, other)


@pytest.mark.parametrize("dialect", ["duckdb", "postgres", "bigquery", ""])
@pytest.mark.parametrize(("one", "other"), OTHER)
def test_other_conditions_are_a_change(one: str, other: str, dialect: str) -> None:
    assert category(one, other, dialect) is not Category.NONE


@pytest.mark.parametrize(
    ("one", "other", "dialect"),
    [
        # By IEEE 754, each comparison with NaN is false. MySQL chooses one type for all three sides.
        ("not (a <= 2)", "a > 2", "bigquery"),
        ("not (a <= 2)", "a > 2", ""),
        ("a between '1' and '5'", "a >= '1' and a <= '5'", "mysql"),
        ("a between 1 and 5", "a >= 1 and a <= 5", "bigquery"),
    ],
)
def test_a_dialect_with_another_rule_has_a_change(one: str, other: str, dialect: str) -> None:
    assert category(one, other, dialect) is not Category.NONE
