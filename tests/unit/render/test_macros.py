"""Macros: whose comes first, namespaces, and dispatch."""

from __future__ import annotations

from typing import Any

import pytest

from recce_meta.errors import TemplateError


def test_macros_of_the_node_come_before_the_projects_and_dbts(shop: Any) -> None:
    macros = (
        shop.macro("who", "who() %}shop", package="shop"),
        shop.macro("who", "who() %}crm", package="crm"),
        shop.macro("who", "who() %}dbt", package="dbt"),
        shop.macro("only", "only() %}dbt only", package="dbt"),
        shop.macro("both", "both() %}dbt", package="dbt"),
        shop.macro("both", "both() %}duckdb", package="dbt_duckdb"),
    )
    renderer = shop.renderer(macros=macros)

    assert renderer.render("{{ who() }}") == "shop"
    assert renderer.render("{{ who() }}", node="model.crm.accounts") == "crm"
    assert renderer.render("{{ who() }}", node="model.erp.accounts") == "shop"
    assert (
        renderer.render("{{ crm.who() }} {{ dbt.who() }} {{ only() }} {{ both() }}")
        == "crm dbt dbt only duckdb"
    )


def test_macros_of_the_project_come_before_the_names_of_dbt(shop: Any) -> None:
    macros = (
        shop.macro("ref", "ref(m, v=none) %}{% do return(builtins.ref(m, v=v).include(schema=false)) %}"),
        shop.macro("var", "var(n) %}crm", package="crm"),
        shop.macro("env_var", "env_var(n) %}dbt", package="dbt"),
    )
    renderer = shop.renderer(macros=macros, variables={"day": 1}, environ={"HOME_TOWN": "Graz"})
    template = "{{ ref('orders') }} {{ builtins.ref('orders') }} {{ var('day') }} {{ env_var('HOME_TOWN') }}"

    assert renderer.render(template) == '"wh"."orders" "wh"."main"."orders" 1 Graz'
    assert renderer.render("{{ var('day') }} {{ builtins.var('day') }}", node="model.crm.accounts") == "crm 1"


@pytest.mark.parametrize(
    ("adapter", "expected"),
    [("duckdb", "default"), ("redshift", "redshift"), ("postgres", "postgres"), ("databricks", "spark")],
)
def test_dispatch_looks_for_the_adapter_its_parents_and_the_default(
    shop: Any, adapter: str, expected: str
) -> None:
    macros = (
        shop.macro("m", "m() %}{{ return(adapter.dispatch('m', 'lib')()) }}", package="lib"),
        *(
            shop.macro(f"{kind}__m", f"{kind}__m() %}}{kind}", package="lib")
            for kind in ("default", "spark", "postgres")
        ),
        shop.macro("redshift__m", "redshift__m() %}redshift", package="lib"),
    )
    renderer = shop.renderer(macros=macros, target={"type": adapter})

    assert renderer.render("{{ lib.m() }}") == expected


def test_the_project_overrides_what_a_package_dispatches(shop: Any) -> None:
    macros = (
        shop.macro("m", "m() %}{{ adapter.dispatch('m', 'lib')() }}", package="lib"),
        shop.macro("default__m", "default__m() %}lib", package="lib"),
        shop.macro("default__m", "default__m() %}own", package="shop"),
    )

    assert shop.renderer(macros=macros).render("{{ lib.m() }}") == "own"


def test_macros_return_values_and_call_each_other(shop: Any) -> None:
    macros = (
        shop.macro("names", "names() %}{% do return(['a', 'b']) %}"),
        shop.macro("listed", "listed(p='') %}{% for n in names() %}{{ p }}{{ n }} {% endfor %}"),
        shop.macro("again", "again(n) %}{{ n }}{% if n > 1 %}{{ again(n - 1) }}{% endif %}"),
    )

    renderer = shop.renderer(macros=macros)

    assert renderer.render("{{ listed('x') }}{{ names() | length }} {{ again(3) }}") == "xa xb 2 321"


def test_a_parameter_without_an_argument_is_empty_text(shop: Any) -> None:
    # The text of dbt 1.11.
    body = "m(a, b) %}[{{ a }}|{{ b }}|{{ 'x' if b else 'y' }}|{{ b is none }}|{{ b == none }}|{{ b ~ 'k' }}]"
    renderer = shop.renderer(macros=(shop.macro("m", body),))

    assert renderer.render("{{ m(1) }}") == "[1||y|False|False|k]"


def test_is_incremental_is_the_renderers_to_answer(shop: Any) -> None:
    macros = (shop.macro("is_incremental", "is_incremental() %}{{ load_relation(this) }}", package="dbt"),)
    renderer = shop.renderer(macros=macros)

    assert renderer.render("{{ is_incremental() }} {{ dbt.is_incremental() }}") == "False False"


def test_an_error_in_a_macro_is_placed_where_it_is_called(shop: Any) -> None:
    macros = (
        shop.macro("outer", "outer() %}\n\n{{ inner() }}"),
        shop.macro("inner", "inner() %}{{ run_query('select 1') }}"),
    )

    with pytest.raises(TemplateError) as caught:
        shop.renderer(macros=macros).render("select\n  {{ outer() }}")

    assert (caught.value.line, caught.value.column, caught.value.name) == (2, 6, "run_query")
    assert caught.value.macros == ("shop.outer", "shop.inner")
    assert caught.value.needs_database
    assert "'run_query' needs a database" in caught.value.message
    assert "(in shop.outer > shop.inner)" in caught.value.message


def test_near_macros_are_listed(shop: Any) -> None:
    renderer = shop.renderer(
        macros=(shop.macro("cents_to_dollars", "cents_to_dollars(c) %}x", package="money"),)
    )

    for template, near in [
        ("{{ cents_to_dollars(1) }}", "'money.cents_to_dollars'"),
        ("{{ money.cents_to_dolars(1) }}", "'money.cents_to_dollars'"),
        ("{{ adapter.dispatch('nope')() }}", "default__nope"),
        ("{{ money }}", "hint"),
    ]:
        with pytest.raises(TemplateError) as caught:
            renderer.render(template)
        assert near in f"{caught.value} hint"
