"""What counts as the same code."""

from __future__ import annotations

import pytest

from recce_meta.diff.code import (
    branches,
    jinja_names,
    names_in_branches,
    names_looked_up,
    same_code,
    tokens,
    without_injected,
    without_wrapper,
)

SAME = [
    ("select a from t", "SELECT a\n  FROM t", None),
    ("select a -- key\nfrom t", "select a from t", None),
    ("select a /* key\n more */ from t", "select a from t", None),
    ("select a from t", "select a from t\r\n", None),
    ("select a\tfrom t", "select a from t", None),
    ("select a<>b", "select a != b", None),
    ("select count(*)", "select COUNT( * )", None),
    ("{{ config(tags=['a']) }} select 1", "{{ config(tags=['b']) }}\nselect 1", None),
    ("select * from {{ ref('a') }}", 'select * from {{ref( "a" )}}', None),
    ("select * from {{ ref('a') }}", "select * from {{- ref('p', 'a') -}}", None),
    ("{# note #}select 1", "select 1", None),
    ("{% if x %}1{% endif %}", "{%- if x -%}1{%- endif -%}", None),
    ("select Amount from t", "select amount from t", "snowflake"),
    ("select 1 # note", "select 1", "bigquery"),
    ("select 1 // note", "select 1", "snowflake"),
    (r"select 'it\'s -- fine' -- note", r"select 'it\'s -- fine'", "bigquery"),
    ("select $$a  b$$ -- x", "select $$a  b$$", "postgres"),
    ("select 1 as n -- it's", "select 1 as n", None),
    (r"select E'it\'s' -- a", r"select E'it\'s' -- b", "postgres"),
    (r'select "it\" -- s" # a', r'select "it\" -- s" # b', "bigquery"),
    (r"select r'\' -- a", r"select r'\' -- b", "bigquery"),
    ("select '''it's -- a''' -- a", "select '''it's -- a'''", "bigquery"),
    ("select # a\n1", "select # b\n1", "mysql"),
]
OTHER = [
    ("select a from t", "select b from t", None),
    ("select 'a  b'", "select 'a b'", None),
    ("select 'A'", "select 'a'", None),
    ("select 'a -- b'", "select 'a -- c'", None),
    ("select 'a /* b */'", "select 'a'", None),
    ("select '--' from a", "select '--' from b", None),
    ("select 'it''s' from a", "select 'it''s' from b", None),
    ('select "Amount"', 'select "amount"', "snowflake"),
    ("select Amount from t", "select amount from t", "duckdb"),
    ("select /*+ hint(a) */ 1", "select /*+ hint(b) */ 1", None),
    ("select a b from t", "select ab from t", None),
    ("select 1 2", "select 12", None),
    ("select a - - b", "select a -- b", None),
    ("select $$a  b$$", "select $$a b$$", "postgres"),
    ("select * from {{ ref('a') }}", "select * from {{ ref('b') }}", None),
    ("select * from {{ ref('a', v=1) }}", "select * from {{ ref('a', v=2) }}", None),
    ("select {{ f('a  b') }}", "select {{ f('a b') }}", None),
    ("{% set x = 1 %}", "{% set x = 2 %}", None),
    ("{% raw %}{{ a }}{% endraw %}", "{% raw %}{{ b }}{% endraw %}", None),
    ("select 1 // 2", "select 1", "duckdb"),
    ("select 1 # 2", "select 1", "postgres"),
    (r"select 'a\' -- b'", r"select 'a\' -- c'", "bigquery"),
    ("select '''it's -- a'''", "select '''it's -- b'''", "bigquery"),
    (r"select E'it\' -- a'", r"select E'it\' -- b'", "duckdb"),
    ("select -- {{ f() }}\n1", "select -- {{ g() }}\n1", None),
    ("select 1 {% if", "select 2 {% if", None),
]


@pytest.mark.parametrize(("one", "other", "adapter"), SAME)
def test_formatting_is_no_difference(one: str, other: str, adapter: str | None) -> None:
    assert same_code(one, other, adapter=adapter)


@pytest.mark.parametrize(("one", "other", "adapter"), OTHER)
def test_what_the_warehouse_reads_is_a_difference(one: str, other: str, adapter: str | None) -> None:
    assert not same_code(one, other, adapter=adapter)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("def model(dbt, s):\n    return 1\n", "def model(dbt, s):\n    # note\n\n    return (1)\n", True),
        ("def model(dbt, s):\n    return 1\n", "def model(dbt, s):\n    return 2\n", False),
        (
            "def model(dbt, s):\n    dbt.config(a=1)\n    return 1",
            "def model(dbt, s):\n    dbt.config(a=2)\n    return 1",
            True,
        ),
        ("def model(dbt, s):\n    return 'a  b'", "def model(dbt, s):\n    return 'a b'", False),
        ("def model(:", "def model(:\n", False),
        ("a\x00", "b\x00", False),
    ],
)
def test_python_is_compared_as_a_tree(one: str, other: str, same: bool) -> None:
    assert same_code(one, other, language="python") is same


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("select 1", False),
        ("{% if is_incremental() %}where 1{% endif %}", True),
        ("{% if target.name == 'prod' %}x{% endif %}", True),
        ("{% if var('x') %}x{% endif %}", True),
        ("{% for x in [1, 2] %}{{ x }}{{ ',' if not loop.last }}{% endfor %}", False),
        ("{% set a = [1] %}{% if a | length > 1 %}x{% endif %}", False),
        ("{% macro f(x, y=2) %}{% if x %}{{ y }}{% endif %}{% endmacro %}", False),
        ("{% if execute %}x{% endif %}", False),
        ("{% if execute %}{% set x = run_query('q') %}{% endif %}", True),
        ("{{ our_macro() }}", False),
        ("{% if our_macro() %}x{% endif %}", True),
    ],
)
def test_branches_are_choices_that_another_run_may_make_otherwise(code: str, expected: bool) -> None:
    assert branches(code) is expected


def test_names_in_branches_are_those_that_one_compiled_text_may_hide() -> None:
    code = "{{ a() }}{% if is_incremental() %}{{ b() }}{% endif %}{{ c() }}"
    assert {"b", "is_incremental"} <= names_in_branches(code)
    assert names_in_branches(code).isdisjoint({"a", "c"})
    assert names_in_branches("{{ a() }}") == frozenset()
    assert names_in_branches("{% if target.name == 'ci' %}{{ a() }}{% endif %}") == frozenset()


def test_names_inside_a_hooks_text_are_found() -> None:
    assert "audit" in jinja_names("""{{ config(post_hook="{{ audit() }}") }}""")


@pytest.mark.parametrize(
    ("compiled", "own"),
    [
        (
            "with __dbt__cte__e as (\nselect (1) from t\n) select * from __dbt__cte__e",
            "select * from ⟦model.p.e⟧",
        ),
        (
            "with __dbt__cte__e as (select 1), mine as (select 2) select * from mine, __dbt__cte__e",
            "with mine as (select 2) select * from mine, ⟦model.p.e⟧",
        ),
        (
            "with __dbt__cte__f as (select 1), __dbt__cte__e as (select * from __dbt__cte__f)"
            " select * from __dbt__cte__e x",
            "select * from ⟦model.p.e⟧ x",
        ),
        (
            "with mine as (select 2), __dbt__cte__e as (select ')') select * from __dbt__cte__e",
            "with mine as (select 2) select * from ⟦model.p.e⟧",
        ),
        ("with __dbt__cte__e as (select 1", "with"),
    ],
)
def test_the_text_of_ephemeral_parents_is_no_part_of_their_reader(compiled: str, own: str) -> None:
    found = without_injected(tokens(compiled, jinja=False), {"__dbt__cte__e": "⟦model.p.e⟧"})
    assert found == tokens(own, jinja=False) or own == "with"


def test_compiled_sql_is_not_read_as_jinja() -> None:
    one, other = "select '{{ a  b }}'", "select '{{ a b }}'"
    assert tokens(one, jinja=False) != tokens(other, jinja=False)


def test_the_wrapper_of_dbts_rust_engine_is_taken_off() -> None:
    wrapped = (
        "select * from --EPHEMERAL-SELECT-WRAPPER-START\nselect * from (__dbt__cte__e"
        "\n--EPHEMERAL-SELECT-WRAPPER-END\n)"
    )
    assert tokens(without_wrapper(wrapped)) == tokens("select * from __dbt__cte__e")


@pytest.mark.parametrize(
    "adapter",
    [
        *(
            "athena",
            "bigquery",
            "clickhouse",
            "databricks",
            "duckdb",
            "mysql",
            "oracle",
            "postgres",
            "redshift",
        ),
        *("snowflake", "spark", "sqlserver", "starrocks", "trino", "an_adapter_of_tomorrow", None),
    ],
)
def test_every_adapter_has_a_lexer(adapter: str | None) -> None:
    assert same_code("select a, 'b  c' from t", "SELECT a,\n'b  c' FROM t -- x", adapter=adapter)
    assert not same_code("select 'b  c'", "select 'b c'", adapter=adapter)


def test_names_are_looked_up_by_strings_in_jinja_alone() -> None:
    assert names_looked_up("{{ context['f']() }}") == {"context", "f"}
    assert "*" in names_looked_up("{{ context['f' ~ x]() }}")
    assert "*" in names_looked_up("{% set c = context %}{{ c[x]() }}")
    assert names_looked_up("{{ f('context') }}") == names_looked_up("context['f']") == frozenset()
