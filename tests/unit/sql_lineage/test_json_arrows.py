"""Arrows in function calls: JSON access, or a lambda with a parameter, as the dialect reads them."""

from __future__ import annotations

import duckdb
import pytest
import sqlglot
from packaging.version import Version
from sqlglot.dialects.dialect import Dialect

from recce_meta import classify_change, column_lineage
from recce_meta.sql_lineage import analyse_query
from recce_meta.warehouses.parsing import unambiguous

DIALECTS = (
    "", "athena", "bigquery", "clickhouse", "databricks", "doris", "duckdb", "hive", "materialize", "mysql",
    "oracle", "postgres", "presto", "redshift", "risingwave", "snowflake", "spark", "sqlite", "starrocks",
    "teradata", "trino", "tsql",
)  # fmt: skip
WITHOUT_LAMBDAS = ("materialize", "mysql", "postgres", "redshift", "risingwave", "sqlite")
SCHEMAS = {"t": dict.fromkeys(("p", "q", "k", "date", "items"), "json")}
TWO = {("t", "p"), ("t", "q")}


def sources(expression: str, dialect: str) -> set[tuple[str, str]]:
    return column_lineage(f"select {expression} as x from t", dialect, SCHEMAS)["x"]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_json_access_in_a_call_reads_its_column(dialect: str) -> None:
    assert sources("coalesce(p->'a', q->'b')", dialect) == TWO
    assert sources("f(g(p -> 'a'), (q -> 'b'))", dialect) == TWO
    assert sources("f((p) -> 'a' , q)", dialect) == TWO
    assert sources("f(p->'a'->>'b', q->>'c')", dialect) == TWO
    assert sources("f(t.p->'a', t.q)", dialect) == TWO
    assert sources("f((p->'a') = 'x' and (q->0) is null)", dialect) == TWO
    assert sources("f(p -> 'p', q -> 'q')", dialect) == TWO
    assert sources("f(one => p -> 'a', two => q)", dialect) == TWO
    assert sources("f(date -> 'a')", dialect) == {("t", "date")}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_json_access_in_a_condition_decides_over_rows(dialect: str) -> None:
    sql = "select 1 as x from t where jsonb_array_length(p->'a') > 1"

    assert [(use.usage.value, use.column) for use in analyse_query(sql, dialect, SCHEMAS).uses] == [
        ("filter", "p")
    ]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    ("call", "categories"),
    [
        ("coalesce({0}->'a', {1}->'b')", ("partial_breaking",)),
        ("f(({0} -> 'a'), {1}->k->>'b')", ("partial_breaking", "breaking")),  # f may return several rows
    ],
)
def test_another_column_under_an_arrow_is_a_change(
    call: str, categories: tuple[str, ...], dialect: str
) -> None:
    old, new = (f"select {call.format(*names)} as x from t" for names in ("pq", "qp"))

    assert classify_change(old, new, dialect, SCHEMAS) in categories
    assert classify_change(old, new.upper(), dialect, SCHEMAS) != "none"
    assert classify_change(old, f"{old} -- the same", dialect, SCHEMAS) == "none"


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name not in (*WITHOUT_LAMBDAS, "duckdb")])
def test_a_body_that_uses_the_parameter_makes_a_lambda(dialect: str) -> None:
    assert sources("transform(items, p -> p + 1)", dialect) == {("t", "items")}
    assert sources("transform(items, (p) -> p + q)", dialect) == {("t", "items"), ("t", "q")}
    assert sources("f(items, (p, q) -> p + q)", dialect) == {("t", "items")}


def test_a_body_that_does_not_use_the_parameter_makes_none() -> None:
    assert sources("transform(items, p -> q.p)", "snowflake") == {("t", "items"), *TWO}
    assert sources("transform(items, p -> 'a' || q)", "snowflake") == {("t", "items"), *TWO}


@pytest.mark.parametrize("dialect", WITHOUT_LAMBDAS)
def test_dialects_without_arrow_lambdas_read_the_column_on_both_sides(dialect: str) -> None:
    assert sources("f(items, p -> lower(p -> q))", dialect) == {("t", "items"), *TWO}


def test_duckdb_reads_a_lambda_where_a_function_takes_one() -> None:
    assert sources("list_transform(items, p -> p + q)", "duckdb") == {("t", "items"), ("t", "q")}
    assert sources("list_transform(items -> 'a', p -> p + 1)", "duckdb") == {("t", "items")}
    assert sources("coalesce(p -> lower(p), q)", "duckdb") == TWO


@pytest.mark.skipif(Version(sqlglot.__version__) < Version("27"), reason="this sqlglot reads no such lambdas")
def test_duckdb_reads_a_lambda_by_its_keyword() -> None:
    assert sources("list_reduce(items, lambda p, q: p + q)", "duckdb") == {("t", "items")}
    assert sources("f(lambda p: p + q)", "duckdb") == {("t", "q")}


def test_duckdb_takes_for_json_access_what_is_taken_for_it_here() -> None:
    connection = duckdb.connect()
    connection.execute("create table t as select '{\"a\": 1}'::json as p, '{\"a\": 2}'::json as q, 'a' as k")

    for expression in ("coalesce(p -> 'a', q)", "coalesce(p -> k, q)", "coalesce((p) -> 'a', q)"):
        assert connection.execute(f"select {expression} from t").fetchall() == [("1",)], expression
    for broken in ("p -> 'a' = '1'", "p -> 'a' and true"):
        with pytest.raises(duckdb.Error):
            connection.execute(f"select {broken} from t")


@pytest.mark.parametrize("rest", ["= '1'", "- k", "|| k -> 'a'", "and k"])
def test_brackets_around_json_access_may_decide_what_an_operator_reads(
    rest: str, subtests: pytest.Subtests
) -> None:
    old, new = f"select (p -> 'a') {rest} as x from t", f"select p -> 'a' {rest} as x from t"

    for dialect in DIALECTS:
        # There, as in the parser, access comes first.
        if dialect not in ("postgres", "sqlite"):
            with subtests.test(dialect=dialect):
                assert classify_change(old, new, dialect, SCHEMAS) != "none"


@pytest.mark.parametrize("around", ["{}", "coalesce({}, k)", "case when {} then 1 end"])
def test_other_brackets_around_json_access_are_no_change(around: str) -> None:
    old, new = (f"select {around.format(access)} as x from t" for access in ("(p -> 'a')", "p -> 'a'"))

    assert classify_change(old, new, "postgres", SCHEMAS) == "none"


def test_an_expression_is_shown_as_it_is_written() -> None:
    sql = "select coalesce(p -> 'a', (q) -> 'b') as x from t"

    assert [output.expression for output in analyse_query(sql, "postgres", SCHEMAS).outputs] == [
        "COALESCE(p -> 'a', q -> 'b')"
    ]


def test_an_order_within_an_aggregate_over_json_access_parses() -> None:
    assert sources("json_agg(p -> 'a' order by q -> 'b')", "postgres") == TWO


def test_tokens_without_arrows_stay_as_they_are() -> None:
    tokens = Dialect.get_or_raise("postgres").tokenize("select f(p ->> 'a', q) from t")

    assert unambiguous(tokens, "postgres") is tokens
