"""What no query may cost, however it is made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import process_time
from typing import Any, cast

import pytest

from recce_meta.errors import SqlNotAnalysed, UnknownNameError, UsageError
from recce_meta.sql_lineage import analyse_query, column_lineage, resolve_query, stars
from recce_meta.sql_lineage.parse import MOST_LEVELS


def nested(levels: int) -> str:
    return "select * from (" * levels + "select a from t" + ")" * levels


def chained(count: int, width: int) -> str:
    columns = ", ".join(f"c{number}" for number in range(width))
    ctes = [f"x0 as (select {columns} from t)"]
    ctes += [f"x{number} as (select * from x{number - 1})" for number in range(1, count)]
    return f"with {', '.join(ctes)} select * from x{count - 1}"


def test_two_hundred_nested_ctes_lead_to_the_table_below() -> None:
    found = column_lineage(chained(200, 20))

    assert found["c19"] == {("t", "c19")}


def test_two_hundred_nested_ctes_over_columns_that_nobody_knows_lead_there_too() -> None:
    ctes = ["x0 as (select * from t)"]
    ctes += [f"x{number} as (select *, a as b{number} from x{number - 1})" for number in range(1, 200)]

    found = column_lineage(f"with {', '.join(ctes)} select z, b7 from x199")

    assert found == {"z": {("t", "z")}, "b7": {("t", "a")}}


def test_a_chain_of_self_joins_costs_its_length_and_not_its_paths() -> None:
    ctes = ["x0 as (select a, k from t)"]
    ctes += [
        f"x{number} as (select l.a + r.a as a, l.k from x{number - 1} l join x{number - 1} r on l.k = r.k)"
        for number in range(1, 60)
    ]

    found = column_lineage(f"with {', '.join(ctes)} select a from x59")

    assert found == {"a": {("t", "a")}}


def test_subqueries_nested_two_hundred_deep_lead_to_the_table_below() -> None:
    assert column_lineage(nested(200)) == {"a": {("t", "a")}}


@pytest.mark.parametrize(
    "sql",
    [
        nested(MOST_LEVELS + 1),
        "select " + "(" * 10_000 + "a" + ")" * 10_000 + " from t",
        "select " + "(" * 10_000,
        "select a from t where " + "not " * 10_000 + "a",
        "select " + "- " * 10_000 + "a from t",
        "select " + "case when a then " * 5_000 + "1" + " end" * 5_000 + " from t",
        "select cast(a as " + "array<" * 5_000 + "int" + ">" * 5_000 + ") from t",
        "from " * 5_000,
    ],
    ids=["subqueries", "parentheses", "unclosed", "not", "minus", "case", "types", "from"],
)
def test_what_is_nested_too_deep_is_refused_in_a_sentence(sql: str) -> None:
    with pytest.raises(SqlNotAnalysed, match="nested deeper than 1000 levels") as caught:
        analyse_query(sql)

    assert "\n" not in caught.value.reason


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("select a from t where " + " or ".join(f"b = {n}" for n in range(3_000)), {("t", "a")}),
        ("select " + " + ".join(["a"] * 3_000) + " as a from t", {("t", "a")}),
        ("select t.a from t" + "".join(f" join t{n} on t{n}.k = t.k" for n in range(300)), {("t", "a")}),
        (" union all ".join(["select a from t"] * 1_000), {("t", "a")}),
        (" union all ".join(f"(select a from t) union select {n}" for n in range(300)), {("t", "a")}),
    ],
    ids=["or", "plus", "joins", "union", "mixed unions"],
)
def test_what_is_long_and_not_nested_is_analysed(sql: str, columns: set[tuple[str, str]]) -> None:
    assert next(iter(column_lineage(sql).values())) == columns


def test_recursive_ctes_within_recursive_ctes_are_resolved_once_each() -> None:
    sql = "select 1 as z"
    for level in range(40):
        sql = (
            f"with recursive x{level} as (({sql}) union all select z + a from x{level} join t on true) "
            f"select z from x{level}"
        )

    assert column_lineage(sql) == {"z": {("t", "a")}}


def test_more_joins_than_can_be_parsed_are_refused() -> None:
    with pytest.raises(SqlNotAnalysed, match="5,000 joins are too many to parse"):
        analyse_query("select * from t" + " join t" * 5_000)


def test_expressions_that_are_too_deep_to_be_written_out_have_no_text_and_still_have_sources() -> None:
    (output,) = analyse_query("select " + " + ".join(["a"] * 3_000) + " as s from t").outputs

    assert output.expression is None
    assert [source.column for source in output.sources] == ["a"]


def test_two_thousand_columns_come_out_in_order() -> None:
    names = [f"c{number}" for number in range(2_000)]

    found = analyse_query(f"select * from (select {', '.join(names)} from t)")

    assert [output.name for output in found.outputs] == names


def test_a_text_with_more_tokens_than_the_time_allows_is_refused_before_it_is_parsed() -> None:
    sql = "select " + ", ".join(f"a{number}" for number in range(100_000)) + " from t"
    start = process_time()

    with pytest.raises(SqlNotAnalysed, match=r"tokens are too many to parse in 1 s"):
        analyse_query(sql, timeout=1)

    assert process_time() - start < 10


def test_no_time_is_no_result() -> None:
    with pytest.raises(SqlNotAnalysed, match=r"no result within|too many to parse in 0 s"):
        analyse_query("select a from t", timeout=0)


def test_limits_hold_in_other_threads_than_the_first() -> None:
    told: list[object] = []

    def work() -> None:
        told.append(column_lineage(nested(200)))
        try:
            analyse_query(nested(5_000), timeout=5)
        except SqlNotAnalysed as error:
            told.append(error.reason)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert told == [{"a": {("t", "a")}}, "nested deeper than 1000 levels"]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select from where", "does not parse"),
        ("select 'a", "does not parse"),
        ("", "no statement yields columns"),
        ("drop table t", "no statement yields columns"),
        ("select a from t) as b", "does not parse"),
    ],
)
def test_what_is_no_query_says_so(sql: str, reason: str) -> None:
    with pytest.raises(SqlNotAnalysed, match=reason) as caught:
        analyse_query(sql)

    assert "\n" not in caught.value.reason
    assert "\x1b" not in caught.value.reason


@pytest.mark.parametrize("ask", [column_lineage, analyse_query, resolve_query])
def test_a_dialect_that_nobody_knows_is_told_with_the_nearest(ask: Callable[..., object]) -> None:
    with pytest.raises(UnknownNameError, match="Unknown SQL dialect 'snowflke'") as found:
        ask("select a from t", "snowflke")

    assert found.value.hint == "did you mean 'snowflake'?"


def test_capitals_in_the_name_of_a_dialect_do_not_count() -> None:
    assert column_lineage("select a as b from t", "Snowflake") == {"b": {("t", "a")}}
    assert column_lineage("select a as b from t", None) == {"b": {("t", "a")}}


@pytest.mark.parametrize("schemas", [{"t": None}, {"t": {1: "int"}}, {"t": "a, b"}, {1: {}}, ["t"]])
def test_schemas_of_another_shape_are_told(schemas: Any) -> None:
    with pytest.raises(UsageError, match=r"^schemas") as found:
        column_lineage("select a from t", "", schemas)

    assert found.value.hint == "pass {table: {column: type}}, with strings as names"


def test_sql_that_is_no_text_is_told() -> None:
    with pytest.raises(UsageError, match="sql must be a string, got None"):
        column_lineage(cast(str, None))


def test_a_byte_order_mark_does_not_count() -> None:
    assert column_lineage("\ufeffselect a from t", "duckdb") == {"a": {("t", "a")}}


def test_the_reason_names_what_the_parser_stumbled_over_in_words_of_sql() -> None:
    with pytest.raises(SqlNotAnalysed) as found:
        column_lineage("select from ( where", "duckdb")

    assert "'where'" in found.value.reason
    assert "Token" not in found.value.reason


def test_patterns_of_ilike_take_no_time_whatever_they_are() -> None:
    matches = stars.like_pattern(f"{'%a' * 40}%_b%")

    assert [name[-2:] for name in ("a" * 200, "a" * 199 + "B", "b" * 200) if matches(name)] == ["aB"]


@pytest.mark.parametrize("pattern", ["(a+)+b", "a*a*a*a*a*b", "a(", "(?P<a", "a{9999999999999}"])
def test_patterns_that_may_never_end_or_are_none_are_refused(pattern: str) -> None:
    with pytest.raises(SqlNotAnalysed, match="pattern"):
        column_lineage(f"select columns('{pattern}') from t", "duckdb", {"t": {"a" * 30: "int"}})


def test_fields_that_a_catalog_lists_beside_their_struct_are_no_columns_of_a_star() -> None:
    schemas = {"t": {"id": "int", "st": "struct", "st.x": "int"}, "u": {"n.x": "array"}}

    assert column_lineage("select * from t", "bigquery", schemas) == {
        "id": {("t", "id")},
        "st": {("t", "st")},
    }
    assert column_lineage("select st.x from t", "bigquery", schemas) == {"x": {("t", "st")}}
    assert column_lineage("select * from u", "clickhouse", schemas) == {"n.x": {("u", "n.x")}}


def test_the_end_of_the_text_is_told_in_words() -> None:
    with pytest.raises(SqlNotAnalysed) as found:
        column_lineage("select ( from", "duckdb")

    assert "SENTINEL" not in found.value.reason


def test_members_of_structs_within_structs_cost_their_depth_and_not_their_paths() -> None:
    value = "a"
    for _ in range(60):
        value = f"array_agg(struct({value} as x))[offset(0)].x"

    found = column_lineage(f"select {value} as q from t", "bigquery", {"t": {"a": "int"}})

    assert found == {"q": {("t", "a")}}


def test_a_pivot_to_more_columns_than_any_table_has_names_none_of_them() -> None:
    numbers = ", ".join(str(number) for number in range(300))
    pivot = f"pivot t on a in ({numbers}), b in ({numbers}), c in ({numbers}) using sum(d)"

    assert list(column_lineage(f"select * from ({pivot})", "duckdb")) == ["*"]
