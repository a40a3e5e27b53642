"""What the nodes of a run tell of variables that nobody gave."""

from __future__ import annotations

from typing import Any

import pytest

from recce_meta.errors import TemplateError
from recce_meta.profiles import ProjectSettings
from recce_meta.render import Limits
from recce_meta.render.infer_variables import reads_only

ASKING = "model.shop.asking"


def asking(shop: Any, code: str, **settings: Any) -> Any:
    return shop.model("asking", raw_code=code, **settings)


def rendered(shop: Any, code: str, *others: Any, **settings: Any) -> tuple[str, Any]:
    renderer = shop.renderer(asking(shop, code), *others, **settings)
    return renderer.render_node(ASKING), renderer


def schema_source(shop: Any, written: str, schema: str, table: str = "a", **settings: Any) -> Any:
    source = shop.source("erp", table, f"wh.{schema}.{table}", **settings)
    return type(source)(
        **{
            **{name: getattr(source, name) for name in source.__struct_fields__},
            "schema_name": schema,
            "properties": {"unrendered_schema": written},
        }
    )


@pytest.mark.parametrize(
    ("written", "schema", "value"),
    [
        ("{{ var('s', 'erp') }}", "prod", "prod"),
        ("raw_{{ var('s') }}_{{ target.schema }}", "raw_x_main", "x"),
        ("{{ var('s', 'erp') | upper }}", "ERP", None),
        ("{{ var('s', 'erp') }}_{{ var('s', 'erp') }}", "ab_ab", "ab"),
        ("{{ var('s', 'erp') }}_{{ var('s', 'erp') }}", "ab_cd", None),
        ("{{ 'a' if var('s', false) else 'b' }}", "a", True),
        ("{{ 'a' if var('s', false) else 'a' }}", "a", None),
    ],
)
def test_a_setting_kept_as_written_and_as_rendered_tells(
    shop: Any, written: str, schema: str, value: object
) -> None:
    text, renderer = rendered(shop, "{{ var('s', 'default') }}", schema_source(shop, written, schema))

    assert text == str("default" if value is None else value)
    assert renderer.inferred_variables == ({} if value is None else {"s": value})
    assert renderer.assumed_variables == ({"s"} if value is None else set())


@pytest.mark.parametrize(
    ("written", "schema", "in_file", "value"),
    [
        ("{{ var('s', 'erp') }}", "prod", "stage", "prod"),
        ("raw_{{ var('s') }}", "raw_3", 4, 3),
        ("{{ 'a' if var('s', false) else 'b' }}", "a", False, True),
        # The file agrees.
        ("{{ var('s', 'erp') }}", "prod", "prod", None),
        ("{{ var('s', 'erp') }}", "3", "{{ 1 + 2 }}", None),
        # What else the setting reads may have been different in the run.
        ("{{ var('s') if target.name == 'dev' else 'prod' }}", "prod", "stage", None),
        ("{{ env_var('X', var('s')) }}", "prod", "stage", None),
        ("{{ var('s') ~ var('t', '') }}", "prod", "stage", None),
        ("{{ var(['s'][0]) }}", "prod", "stage", None),
    ],
)
def test_what_the_run_proves_outranks_the_project_file(
    shop: Any, written: str, schema: str, in_file: object, value: object
) -> None:
    source = schema_source(shop, written, schema)
    settings = ProjectSettings(name="shop", variables={"s": in_file})
    text, renderer = rendered(
        shop, "{{ var('s', 'default') }}", source, settings=settings, environ={"X": "prod"}
    )

    plain = "3" if in_file == "{{ 1 + 2 }}" else str(in_file)
    assert text == (plain if value is None else str(value))
    assert renderer.project_variables == ({"s"} if value is None else set())
    assert renderer.inferred_variables == ({} if value is None else {"s": value})
    conflicts = [line for line in renderer.warnings if "in dbt_project.yml, but" in line]
    assert len(conflicts) == (value is not None)
    assert all(repr(in_file) in line and repr(value) in line for line in conflicts)

    given, _ = rendered(shop, "{{ var('s') }}", source, settings=settings, variables={"s": "given"})
    assert given == "given"


def test_what_was_inferred_is_said_once_with_what_tells_it(shop: Any) -> None:
    source = schema_source(shop, "{{ var('s', 'erp') }}", "prod")
    renderer = shop.renderer(asking(shop, "{{ var('s', 'erp') }}"), source)

    for _ in range(2):
        renderer.render_node(ASKING)

    assert renderer.warnings == [
        "variable 's' was inferred to be 'prod' from 'unrendered_schema' of source.shop.erp.a; "
        "set it with --vars"
    ]


def test_a_setting_with_a_syntax_error_proves_nothing() -> None:
    assert reads_only("{{ var('s') }}_x", "s")
    assert not reads_only("{{ var('s') }}_{{ target.name }}", "s")
    assert not reads_only("{{ var('s') }}{% if %}", "s")


def test_settings_that_contradict_each_other_tell_nothing(shop: Any) -> None:
    sources = [schema_source(shop, "{{ var('s', 'erp') }}", schema, schema) for schema in ("a", "b")]

    text, renderer = rendered(shop, "{{ var('s', 'default') }}", *sources)

    assert (text, renderer.warnings) == ("default", [])


def test_what_was_given_wins_over_what_is_told(shop: Any) -> None:
    source = schema_source(shop, "{{ var('s', 'erp') }}", "prod")

    assert rendered(shop, "{{ var('s') }}", source, variables={"s": "given"})[0] == "given"


def test_another_packages_nodes_tell_nothing(shop: Any) -> None:
    other = shop.model("other", package="crm", raw_code="{{ var('s', 1) }}", compiled_code="2")

    assert rendered(shop, "{{ var('s', 1) }}", other)[0] == "1"


def test_inferring_can_be_switched_off(shop: Any) -> None:
    source = schema_source(shop, "{{ var('s', 'erp') }}", "prod")

    assert rendered(shop, "{{ var('s', 'erp') }}", source, infer_variables=False)[0] == "erp"


def test_a_config_setting_tells(shop: Any) -> None:
    other = shop.model(
        "other",
        config={"schema": "crm_dev"},
        unrendered_config={"schema": "crm_{{ var('suffix', 'prod') }}"},
    )

    assert rendered(shop, "{{ var('suffix', 'prod') }}", other)[0] == "dev"


def test_an_identifier_variable_has_the_identifier_of_its_source(shop: Any) -> None:
    source = shop.source("erp", "invoice", "wh.raw.t_invoice")
    source = type(source)(
        **{name: getattr(source, name) for name in source.__struct_fields__ if name != "identifier"},
        identifier="t_invoice",
    )

    text, renderer = rendered(shop, "{{ var('erp_invoice_identifier', 'invoice') }}", source)

    assert text == "t_invoice"
    assert "the identifier of source.shop.erp.invoice" in renderer.warnings[0]


@pytest.mark.parametrize(
    ("raw", "compiled", "value"),
    [
        ("select '{{ var('x', 'a') }}'", "select 'b'", "b"),
        ("limit {{ var('x', 1) + 1 }}", "limit 2", None),
        ("limit {{ var('x', 1) }}", "limit 5", 5),
        ("{{ var('x', 1) }} and {{ var('x', 1) }}", "b c and b c", "b c"),
        ("{{ var('x', 1) }} and {{ var('x', 1) }}", "b and c", None),
        ("select {% if var('x', false) %}1{% else %}2{% endif %}", "select 1", True),
        ("select {% if var('x', true) %}1{% else %}2{% endif %}", "select 2", False),
        ("select {% for c in var('x') %}{{ c }}, {% endfor %}1", "select 1", []),
        ("select {% for c in var('x') %}{{ c }}, {% endfor %}1", "select a, 1", None),
        ("{{ config(tags=var('x')) }}select 1", "select 1", None),
        ("select '{{ var('x', 'a') }}'", "something else", None),
    ],
)
def test_what_dbt_compiled_of_another_node_tells(shop: Any, raw: str, compiled: str, value: object) -> None:
    other = shop.model("other", raw_code=raw, compiled_code=compiled)

    text, renderer = rendered(shop, "{{ var('x', 'default') }}", other)

    assert text == str("default" if value is None else value)
    assert renderer.inferred_variables == ({} if value is None else {"x": value})


def test_a_macro_may_be_what_reads_the_variable(shop: Any) -> None:
    macro = shop.macro("tag", "tag() %}{{ var('x', 'a') }}")
    other = shop.model("other", raw_code="{{ tag() }}", compiled_code="b", macros=("macro.shop.tag",))

    assert rendered(shop, "{{ tag() }}", other, macros=(macro,))[0] == "b"


def test_a_value_that_another_node_contradicts_is_not_taken(shop: Any) -> None:
    first = shop.model("a_first", raw_code="{{ var('x', 'a') }}", compiled_code="a")
    second = shop.model("second", raw_code="select {{ var('x', 'a') }}", compiled_code="select b")

    assert rendered(shop, "{{ var('x', 'a') }}", first, second)[0] == "a"


def test_what_dbt_compiled_of_the_node_itself_is_never_an_answer(shop: Any) -> None:
    code = "select '{{ var('x', 'a') }}'"
    renderer = shop.renderer(asking(shop, code, compiled_code="select 'b'"))

    assert renderer.render_node(ASKING) == "select 'a'"
    assert renderer.render(code, node=ASKING) == "select 'a'"


def test_nor_through_its_ephemeral_parents_or_through_third_nodes(shop: Any) -> None:
    parent = shop.ephemeral("inner", "select '{{ var('x', 'a') }}'")
    code = "select * from {{ ref('inner') }} where '{{ var('x', 'a') }}' = '{{ var('y', 'c') }}'"
    third = shop.model("third", raw_code="'{{ var('x', 'a') }}' {{ var('y', 'c') }}", compiled_code="'b' d")
    own = "with __dbt__cte__inner as (select 'b') select * from __dbt__cte__inner where 'b' = 'd'"

    blind, _ = rendered(shop, code, parent, third)
    renderer = shop.renderer(asking(shop, code, compiled_code=own), parent, third)

    assert renderer.render_node(ASKING) == blind


def test_parents_tell_which_branch_was_taken(shop: Any) -> None:
    code = (
        "select 1 from {% if var('x', false) %}{{ ref('orders') }}{% else %}{{ ref('customers') }}{% endif %}"
    )
    renderer = shop.renderer(asking(shop, code, parents=("model.shop.orders",)))

    assert renderer.render_node(ASKING) == 'select 1 from "wh"."main"."orders"'
    assert renderer.inferred_variables == {"x": True}


def test_a_node_that_exists_was_enabled(shop: Any) -> None:
    code = "{{ config(enabled=var('x', false)) }}select {{ 1 if var('x', false) else 2 }}"
    renderer = shop.renderer(asking(shop, code, config={"enabled": True}))

    assert renderer.render_node(ASKING) == "select 1"


def test_a_list_is_not_told_by_what_only_the_empty_one_survives(shop: Any) -> None:
    code = "select 1{% if var('x') %}{% for c in var('x') %}, {{ c }}{% endfor %}{% endif %}"

    with pytest.raises(TemplateError, match="'x' has neither a value nor a default"):
        rendered(shop, code)


def test_a_relation_that_only_a_variable_can_name_is_the_parent(shop: Any) -> None:
    package = {"package": "crm"}
    code = "select * from {{ var('account') }} join {{ ref('customers') }} using (id)"
    node = shop.model(
        "asking", raw_code=code, parents=("model.crm.accounts", "model.crm.customers"), **package
    )
    renderer = shop.renderer(node)

    text = renderer.render_node("model.crm.asking")

    assert text == 'select * from "wh"."main"."accounts" join "wh"."crm"."customers" using (id)'
    assert renderer.warnings == [
        "variable 'account' was inferred to be \"{{ ref('crm', 'accounts') }}\" from the parents of the "
        "nodes that read it: model.crm.accounts; set it with --vars"
    ]


def test_several_relations_are_told_apart_by_what_they_are_called(shop: Any) -> None:
    parents = ("source.shop.pos.sales", "source.shop.pos.returns")
    node = asking(shop, "select * from {{ var('sales') }}, {{ var('returns') }}", parents=parents)

    assert shop.renderer(node).render_node(ASKING) == 'select * from wh.raw."Sales Öst", wh.raw.returns'


def test_plain_text_is_not_taken_for_a_relation(shop: Any) -> None:
    node = asking(shop, "select 1 where d > '{{ var('day') }}'", parents=("model.shop.orders",))

    with pytest.raises(TemplateError, match="'day' has neither a value nor a default"):
        shop.renderer(node).render_node(ASKING)


def test_looking_for_evidence_is_bounded_and_costs_the_rendering_nothing(shop: Any) -> None:
    endless = (
        "{% for a in range(99999) %}{% for b in range(99999) %}{{ var('x', 1) }}{% endfor %}{% endfor %}"
    )
    others = [shop.model(f"o{number}", raw_code=endless, compiled_code="2") for number in range(3)]

    text, renderer = rendered(shop, "{{ var('x', 1) }}", *others, limits=Limits(seconds=0.2))

    assert (text, renderer.assumed_variables) == ("1", {"x"})


def test_warnings_of_the_nodes_that_are_asked_are_not_the_callers(shop: Any) -> None:
    other = shop.model(
        "other", raw_code="{% do exceptions.warn('no') %}{{ var('x', 'a') }}", compiled_code="b"
    )

    text, renderer = rendered(shop, "{{ var('x', 'a') }}", other)

    assert text == "b"
    assert len(renderer.warnings) == 1


def test_what_two_unknown_variables_decide_is_told_apart(shop: Any) -> None:
    code = (
        "{{ config(enabled=var('on', false)) }}"
        "select 1 from {% if var('x', false) %}{{ ref('orders') }}{% else %}{{ ref('customers') }}{% endif %}"
    )
    node = asking(shop, code, parents=("model.shop.orders",), config={"enabled": True})

    renderer = shop.renderer(node)

    assert renderer.render_node(ASKING) == 'select 1 from "wh"."main"."orders"'
    assert renderer.inferred_variables == {"on": True, "x": True}


def test_a_default_that_the_nodes_confirm_is_not_announced(shop: Any) -> None:
    code = "select 1 from {{ ref('orders') if var('x', true) else ref('customers') }}"
    renderer = shop.renderer(asking(shop, code, parents=("model.shop.orders",)))

    renderer.render_node(ASKING)

    assert (renderer.warnings, renderer.inferred_variables) == ([], {})
