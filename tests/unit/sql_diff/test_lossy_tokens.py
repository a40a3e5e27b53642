"""Words that sqlglot's parser folds away, and where they are told to have changed."""

from __future__ import annotations

import pytest
import sqlglot

from recce_meta.models.change import Category, ColumnChange, Status
from recce_meta.sql_diff import compare_sql

has_places = pytest.mark.skipif(
    int(sqlglot.__version__.split(".")[0]) < 27, reason="this sqlglot does not say where a name stands"
)


@has_places
def test_a_word_that_the_tree_lost_is_told_of_its_column() -> None:
    change = compare_sql(
        "select a, j->'$.a.b' as x, cast(b as float) as y from t",
        "select a, j->'a.b' as x, cast(b as real) as y from t",
        "duckdb",
    )

    assert change.category is Category.PARTIAL_BREAKING
    assert change.columns == (ColumnChange("x", Status.MODIFIED), ColumnChange("y", Status.MODIFIED))


@has_places
def test_such_a_word_is_told_of_all_that_reads_its_column_and_of_nothing_else() -> None:
    old = "with k as (select a, b, date_format(ts, 'YYYY') as y from t) {}"

    def change(query: str) -> Category:
        before = old.format(query)
        return compare_sql(before, before.replace("YYYY", "yyyy"), "spark").category

    assert change("select a, b from k") is Category.NONE
    assert change("select a, y from k") is Category.PARTIAL_BREAKING
    assert change("select a from k where y > '2020'") is Category.BREAKING


def test_such_a_word_without_a_column_is_told_of_the_whole_query() -> None:
    change = compare_sql("select '1'::float from t", "select '1'::real from t", "duckdb")

    assert change.category is Category.BREAKING
    assert change.reasons[0].startswith("words")


@has_places
def test_a_word_that_is_folded_elsewhere_makes_no_difference_to_others() -> None:
    change = compare_sql(
        "select coalesce(a, 'x') as a from t", "select coalesce(a, 'x') as a, j->'x' as b from t", "duckdb"
    )

    assert change.category is Category.NON_BREAKING
    assert change.columns == (ColumnChange("b", Status.ADDED),)


@pytest.mark.parametrize(
    ("new", "dialect", "category"),
    [
        ("select a, b from t group by 1, 2,,", "duckdb", Category.UNKNOWN),
        ("select a,, b from t group by 1, 2", "duckdb", Category.UNKNOWN),
        ("select a, b from t group by 1, 2,", "postgres", Category.UNKNOWN),
        ("select a, b, from t group by 1, 2", "postgres", Category.UNKNOWN),
        ("select a, b from t,, group by 1, 2", "snowflake", Category.UNKNOWN),
        ("select a, b, from t group by 1, 2", "bigquery", Category.NONE),
        ("select a, b, from t group by 1, 2", "databricks", Category.NONE),
        ("select a, b, from t group by 1, 2", "", Category.NONE),
        ("select a, b from t group by 1, 2,", "duckdb", Category.NONE),
    ],
)
def test_a_comma_without_an_item_is_no_change_only_if_the_dialect_accepts_it(
    new: str, dialect: str, category: Category
) -> None:
    assert compare_sql("select a, b from t group by 1, 2", new, dialect).category is category
