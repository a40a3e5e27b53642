"""One clear error: where, which name, and what to do."""

from __future__ import annotations

from typing import Any

import pytest

from recce_meta.errors import TemplateError
from recce_meta.render import SimpleTemplateRenderer


@pytest.mark.parametrize(
    ("template", "place", "name", "said", "hint"),
    [
        ("a {{ reff('x') }}", (1, 6), "reff", "Unknown name 'reff'", "did you mean 'ref'?"),
        ("\n select {{ 1 +\n  zzqq }}", (3, 3), "zzqq", "Unknown name 'zzqq'", "not a dbt name"),
        (
            "x {{ ref('ordrs') }}",
            (1, 11),
            "ordrs",
            "Model, seed or snapshot 'ordrs' not found",
            "did you mean 'orders'?",
        ),
        (
            "{{ ref('sales') }}",
            (1, 9),
            "sales",
            "Model, seed or snapshot 'sales' not found",
            "did you mean source('pos', 'sales')?",
        ),
        (
            "{{ ref('shop', 'accounts') }}",
            (1, 17),
            "accounts",
            "Package 'shop' has no",
            "it is in 'crm', 'erp'",
        ),
        ("{{ ref('accounts') }}", (1, 9), "accounts", "matches 2 nodes: model.crm", "ref('package', 'name')"),
        ("{{ ref('prices', v=3) }}", (1, 9), "prices", "has no version 3", "1, 10, 2"),
        ("{{ ref('a', 'b', 'c') }}", (1, 4), "ref", "one or two names", "ref('name', v=2)"),
        ("{{ ref(1) }}", (1, 4), "ref", "one or two names", "ref('name')"),
        ("{{ ref('a', verion=1) }}", (1, 4), "ref", "verion", "ref('name')"),
        ("{{ source('pos', 'sale') }}", (1, 19), "sale", "has no table 'sale'", "did you mean 'sales'?"),
        ("{{ source('poss', 'sales') }}", (1, 12), "poss", "Source 'poss' not found", "did you mean 'pos'?"),
        ("{{ source('pos') }}", (1, 4), "source", "two names", "source('source', 'table')"),
        (
            "{{ var('day') }}",
            (1, 9),
            "day",
            "Variable 'day' has neither a value nor a default",
            "--vars '{day: …}'",
        ),
        ("{{ env_var('X') }}", (1, 13), "X", "'X' is not set", "env_var('X', '…')"),
        ("{{ this }}", (1, 4), "this", "does not belong to a node", "--node"),
        ("{{ run_query('select 1') }}", (1, 4), "run_query", "needs a database", "dbt compile"),
        ("{% call statement('a') %}x{% endcall %}", (1, 9), "statement", "needs a database", "dbt compile"),
        (
            "{{ adapter.list_relations(1) }}",
            (1, 4),
            "adapter.list_relations",
            "needs a database",
            "dbt compile",
        ),
        ("{{ load_result('a').table }}", (1, 4), "load_result", "needs a database", "dbt compile"),
        ("{% for n in write.nodes %}{% endfor %}", (1, 13), "write", "running dbt", "dbt compile"),
        (
            "{{ adapter.get_columns_in_relation(ref('orders')) }}",
            (1, 12),
            "get_columns_in_relation",
            'does not record the columns of "wh"."main"."orders"',
            "catalog.json",
        ),
        ("{{ exceptions.raise_compiler_error('no!') }}", (1, 15), "raise_compiler_error", "no!", "itself"),
        ("{{ ref }}", (1, 4), "ref", "written without being called", "call it: ref(…)"),
        ("{{ adapter }}", (1, 1), None, "cannot be written as text", "members"),
        ("{{ return(1) }}", (1, 4), "return", "used outside a macro", None),
        ("{{ 1 / 0 }}", (1, 1), None, "division by zero", None),
        ("{{ {}.a.b }}", (1, 7), "a", "A value of type dict has no 'a'", "is defined"),
        ("{{ {}.a }}", (1, 7), "a", "A value of type dict has no 'a'", "is defined"),
        ("{{ 1() }}", (1, 1), None, "A value of type int cannot be called", "functions and macros"),
        ("{% if %}", (1, 1), None, "Not valid Jinja", "closed"),
        ("a\n{% foo %}", (2, 4), "foo", "unknown tag 'foo'", "closed"),
        ("a\n\n{{ 'abc }}", (3, 1), None, "Not valid Jinja", "closed"),
    ],
)
def test_an_error_says_where_which_and_what_to_do(
    render: Any, template: str, place: tuple[int, int], name: str | None, said: str, hint: str | None
) -> None:
    with pytest.raises(TemplateError) as caught:
        render(template)

    error = caught.value
    assert (error.line, error.column) == place
    assert said in error.message
    assert error.message.startswith(f"line {place[0]}, column {place[1]}: ")
    if name is not None:
        assert error.name == name
    if hint is not None:
        assert hint in (error.hint or "")


def test_a_target_of_unknown_name_is_not_guessed(shop: Any) -> None:
    from msgspec.structs import replace

    renderer = shop.renderer(run=replace(shop.run, target_name=None))

    with pytest.raises(TemplateError, match=r"'target.name' is not known"):
        renderer.render("{{ target.name }}")
    assert shop.renderer(target={"name": "prod"}).render("{{ target.name }}") == "prod"


def test_a_node_that_is_not_there_is_an_error(shop: Any) -> None:
    with pytest.raises(TemplateError, match=r"Node 'model\.shop\.x' not found"):
        shop.renderer().render("{{ this }}", node="model.shop.x")


@pytest.mark.parametrize("template", ["{{ ref }}", "{{ ref | lower }}", "{{ ref | string | trim }}"])
def test_a_function_is_never_written_as_text(template: str) -> None:
    with pytest.raises(TemplateError, match="'ref' is written without being called"):
        SimpleTemplateRenderer(None, []).render(template)


@pytest.mark.parametrize(
    "template",
    [
        "a {{ [1] | map('upper') }}",
        "a {{ (1, [2] | map('upper')) }}",
        "a {{ 'x' ~ ([1] | select) }}",
        "a {{ ([1] | select) | string }}",
    ],
)
def test_the_address_of_an_object_is_never_written(render: Any, template: str) -> None:
    with pytest.raises(TemplateError, match="A value has no text form: generator object") as caught:
        render(template)
    assert "0x" not in str(caught.value)
    assert render("{{ [1, 2] | map('string') | list }} at 0x7f") == "['1', '2'] at 0x7f"


@pytest.mark.parametrize(
    "template",
    [
        "{{ api }}",
        "{{ api.Relation }}",
        "{{ api.Column | string }}",
        "{{ {'a': api.Relation.create} | xmlattr }}",
        "{{ api.Relation | urlize }}",
        "{{ api.Relation | urlencode }}",
        "{{ [api.Relation.create] | join(',') }}",
        "{{ '%s' % api.Relation }}",
        "{{ 'x{}'.format(api.Relation) }}",
        "{{ (api ~ '').upper() }}",
        "{{ (api ~ '').replace('at', '') }}",
        "{{ (api.Relation | string)[:30] }}",
    ],
)
def test_the_address_of_a_function_within_a_value_is_never_written(render: Any, template: str) -> None:
    with pytest.raises(TemplateError, match="A value has no text form: function ") as caught:
        render(template)
    assert "0x" not in str(caught.value).lower()


def test_what_jinja_asserts_is_a_fault_of_the_template(render: Any) -> None:
    with pytest.raises(TemplateError, match="expected length >= 3, got -5"):
        render("{{ 'a' | truncate(-5) }}")


def test_a_fault_of_an_inferred_variable_names_it_and_its_value(shop: Any) -> None:
    code = "{% if var('x', false) %}{{ ref('orders') }}{% else %}{{ ref('customers') }}{% endif %}"
    asking = shop.model("asking", raw_code=code + "{{ var('x') | length }}", parents=("model.shop.orders",))
    renderer = shop.renderer(shop.model("other", raw_code=code, parents=("model.shop.orders",)), asking)

    with pytest.raises(
        TemplateError, match=r"'bool' has no len\(\), with the inferred variable 'x' = True"
    ) as caught:
        renderer.render_node(asking.unique_id)
    assert "--vars" in (caught.value.hint or "")
