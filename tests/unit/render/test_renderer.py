"""Ephemeral models, put where dbt puts them."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.errors import TemplateError
from recce_meta.render.renderer import inject, wrap


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1", "with c as (q) select 1"),
        ("\n -- says with\nselect 1", "\n with c as (q) -- says with\nselect 1"),
        ("with a as (select 1) select *", "with c as (q), a as (select 1) select *"),
        ("WITH RECURSIVE a as (select 1)", "WITH RECURSIVE c as (q), a as (select 1)"),
        ("/* with */ With a as (select 'with')", "/* with */ With c as (q), a as (select 'with')"),
        (
            "select * from (with a as (select 1) select 2)",
            "with c as (q) select * from (with a as (select 1) select 2)",
        ),
        (
            "select 'it''s with', $$ with $$, \"with\"",
            "with c as (q) select 'it''s with', $$ with $$, \"with\"",
        ),
    ],
)
def test_expressions_go_before_those_that_are_there(sql: str, expected: str) -> None:
    assert inject(sql, ["c as (q)"]) == expected
    assert inject(sql, []) == sql


def test_dbt_2_wraps_what_has_no_expressions_of_its_own() -> None:
    assert wrap("select 1", ["c as (q)"]).splitlines()[1:3] == [
        "--EPHEMERAL-SELECT-WRAPPER-START",
        "select * from (",
    ]
    assert wrap("with a as (b) select 1", ["c as (q)"]) == "with c as (q), a as (b) select 1"
    assert wrap("select 1", []) == "select 1"


def test_each_ephemeral_model_is_put_in_once_after_those_it_reads(shop: Any) -> None:
    renderer = shop.renderer(
        shop.ephemeral("a", "select * from {{ ref('orders') }}"),
        shop.ephemeral("b", "select * from {{ ref('a') }}"),
        shop.ephemeral("c", "with x as (select 1) select * from {{ ref('a') }}, {{ ref('b') }}"),
    )

    sql = renderer.render("select * from {{ ref('b') }} join {{ ref('c') }} join {{ ref('b') }}")

    assert sql == (
        'with __dbt__cte__a as (\nselect * from "wh"."main"."orders"\n), '
        " __dbt__cte__b as (\nselect * from __dbt__cte__a\n), "
        " __dbt__cte__c as (\nwith x as (select 1) select * from __dbt__cte__a, __dbt__cte__b\n) "
        "select * from __dbt__cte__b join __dbt__cte__c join __dbt__cte__b"
    )


@pytest.mark.parametrize(
    ("version", "name"),
    [
        ("0.19.1", "__dbt__CTE__a"),
        ("1.7.4", "__dbt__cte__a"),
        ("1.8.0", "__dbt__cte__alias"),
        (None, "__dbt__cte__alias"),
    ],
)
def test_the_name_of_the_expression_is_that_of_dbts_version(
    shop: Any, version: str | None, name: str
) -> None:
    run = replace(shop.run, dbt_version=version)
    renderer = shop.renderer(shop.ephemeral("a", "select 1", identifier="alias"), run=run)

    assert renderer.render("{{ ref('a') }}").endswith(name)


def test_an_ephemeral_model_has_its_own_this_package_and_place_of_errors(shop: Any) -> None:
    inner = shop.ephemeral("e", "select '{{ model.name }}' from {{ ref('customers') }}", package="crm")
    broken = shop.ephemeral("broken", "select\n {{ nope }}")
    renderer = shop.renderer(inner, broken)

    assert 'select \'e\' from "wh"."crm"."customers"' in renderer.render("{{ ref('e') }}")
    with pytest.raises(TemplateError) as caught:
        renderer.render("select * from {{ ref('broken') }}")
    assert (caught.value.node, caught.value.line, caught.value.column) == ("model.shop.broken", 2, 5)
    assert str(caught.value).startswith("line 2, column 5 of model.shop.broken: Unknown name 'nope'")


def test_an_ephemeral_model_that_reads_itself_is_an_error(shop: Any) -> None:
    renderer = shop.renderer(
        shop.ephemeral("a", "select * from {{ ref('b') }}"),
        shop.ephemeral("b", "select * from {{ ref('a') }}"),
    )

    with pytest.raises(TemplateError, match="'a' references itself"):
        renderer.render("{{ ref('a') }}")


def test_what_dbt_compiled_stands_in_where_the_database_would_be_asked(shop: Any) -> None:
    code = "select {{ run_query('select 1') }}"
    renderer = shop.renderer(
        shop.ephemeral("known", code, compiled_code="select 5"), shop.ephemeral("unknown", code)
    )

    assert (
        renderer.render("{{ ref('known') }}") == "with __dbt__cte__known as (\nselect 5\n) __dbt__cte__known"
    )
    with pytest.raises(TemplateError, match="needs a database"):
        renderer.render("{{ ref('unknown') }}")
