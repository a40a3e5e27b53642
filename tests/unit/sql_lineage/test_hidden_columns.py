"""Columns that sqlglot's parser hides: under method calls, as units of time, under arrows to functions."""

from __future__ import annotations

import duckdb
import pytest
import sqlglot
from packaging.version import Version

from recce_meta import classify_change, column_lineage
from recce_meta.sql_lineage import analyse_query

COLUMNS = ("a", "b", "k", "at", "l", "p")
SCHEMAS = {"t": dict.fromkeys(COLUMNS, "text")}
A, B = ("t", "a"), ("t", "b")

METHODS = {
    "{0}.lower()": {A},
    "{0}.lower().trim()": {A},
    "t.{0}.lower()": {A},
    "({0} || {1}).upper()": {A, B},
    "[{0}, {1}].list_extract(1)": {A, B},
    "{0}.concat({1}).lower()": {A, B},
    "(case when {0} > 'b' then {1} end).lower()": {A, B},
    "(select max(u.{0}) from t as u).lower()": {A},
    "[{0}].list_transform(lambda x: x.upper() || {1})": {A, B},
    "coalesce({0}.lower(), t.{1}.upper())": {A, B},
}


def skip_if_too_old(call: str) -> None:
    """Skip a test of what the oldest parser, or the oldest engine, does not read."""
    if "lambda" in call and Version(sqlglot.__version__) < Version("27"):
        pytest.skip("this sqlglot reads no lambdas of DuckDB")
    if "(select" in call and Version(duckdb.__version__) < Version("1.2"):
        pytest.skip("this DuckDB calls no methods of subqueries")


def sources(expression: str, dialect: str, schemas: dict[str, dict[str, str]] | None = None) -> set[object]:
    return {*column_lineage(f"select {expression} as x from t", dialect, schemas or {})["x"]}


@pytest.mark.parametrize("call", METHODS)
@pytest.mark.parametrize("schemas", [SCHEMAS, {}], ids=["known", "unknown"])
def test_a_method_call_reads_what_it_is_called_of(call: str, schemas: dict[str, dict[str, str]]) -> None:
    skip_if_too_old(call)

    assert sources(call.format("a", "b"), "duckdb", schemas) == METHODS[call]


@pytest.mark.parametrize("call", METHODS)
def test_another_column_under_a_method_call_is_a_change(call: str) -> None:
    skip_if_too_old(call)
    connection = duckdb.connect()
    connection.execute("create table t as select 'A1' as a, 'b2' as b, 'c' as k")
    old, new = (f"select {call.format(*names)} as x from t" for names in ("ab", "ba"))

    answers = [connection.execute(sql).fetchall() for sql in (old, new)]

    assert answers[0] != answers[1]
    assert classify_change(old, new, "duckdb", SCHEMAS) == "partial_breaking"
    renamed = "with q as (select {0} as n, {1} as m from t) select n.concat(m).lower() as x from q"
    assert classify_change(renamed.format("a", "b"), renamed.format("b", "a"), "duckdb", SCHEMAS) != "none"


def test_a_schema_before_a_function_is_no_column() -> None:
    for dialect in ("bigquery", "postgres", "snowflake", "tsql", "oracle", "databricks"):
        assert sources("own.f(a)", dialect) == {A}
        assert sources("own.pkg.f(a)", dialect) == {A}
    assert sources("main.f(a)", "duckdb") == {A}
    assert sources("t.a.getStringVal()", "oracle") == {A}
    assert sources("a.value('x', 'int')", "tsql") == {A}


@pytest.mark.parametrize("dialect", ["athena", "duckdb", "postgres", "presto", "trino"])
def test_a_unit_of_time_that_is_no_string_is_a_column(dialect: str) -> None:
    assert sources("date_trunc(k, at)", dialect, SCHEMAS) == {("t", "k"), ("t", "at")}
    assert sources("date_trunc('day', at)", dialect, SCHEMAS) == {("t", "at")}
    shown = analyse_query("select date_trunc(k, at) as x from t", dialect, SCHEMAS).outputs[0].expression
    assert "((" not in str(shown)


@pytest.mark.parametrize("dialect", ["snowflake", "redshift"])
def test_a_unit_of_time_is_a_word_elsewhere(dialect: str) -> None:
    assert sources("datediff(day, at, b)", dialect, SCHEMAS) == {("t", "at"), B}


@pytest.mark.parametrize("dialect", ["postgres", "duckdb", "snowflake"])
def test_json_access_by_a_call_reads_both(dialect: str) -> None:
    assert sources("f(p -> lower(k))", dialect, SCHEMAS) == {("t", "p"), ("t", "k")}
    assert sources("f(t.p -> lower(k))", dialect, SCHEMAS) == {("t", "p"), ("t", "k")}


def test_parameters_of_lambdas_are_no_columns() -> None:
    assert sources("transform(l, x -> f(x, x.a) + x.b)", "spark", SCHEMAS) == {("t", "l")}
    assert sources("[a for a in l if a > b]", "duckdb", SCHEMAS) == {("t", "l"), B}
