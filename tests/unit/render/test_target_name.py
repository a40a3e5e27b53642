"""`target.name`, where the run does not say it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.errors import TemplateError

ASKING = "model.shop.asking"


def rendered(shop: Any, code: str, *others: Any, **settings: Any) -> str:
    nodes = (shop.model("asking", raw_code=code, **settings), *others)
    return str(shop.renderer(*nodes, run=replace(shop.run, target_name=None)).render_node(ASKING))


def built_for(shop: Any, written: str, schema: str) -> Any:
    return shop.model("other", config={"schema": schema}, unrendered_config={"schema": written})


DEV_OR_ELSE = "{{ 'scratch' if target.name == 'dev' else 'marts' }}"
ASK_FOR_DEV = "select 1{% if target.name == 'dev' %} limit 10{% endif %}"


@pytest.mark.parametrize(("schema", "text"), [("scratch", "select 1 limit 10"), ("marts", "select 1")])
def test_a_setting_tells_which_name_it_is_or_is_not(shop: Any, schema: str, text: str) -> None:
    assert rendered(shop, ASK_FOR_DEV, built_for(shop, DEV_OR_ELSE, schema)) == text


def test_the_code_of_another_node_tells(shop: Any) -> None:
    other = shop.model("other", raw_code=ASK_FOR_DEV, compiled_code="select 1 limit 10")

    assert rendered(shop, "{{ target.name }}", other) == "dev"


def test_a_nodes_own_configuration_tells(shop: Any) -> None:
    code = "{{ config(materialized='view' if target.name == 'dev' else 'table') }}" + ASK_FOR_DEV

    assert rendered(shop, code, config={"materialized": "table"}) == "select 1"
    assert rendered(shop, code, config={"materialized": "view"}) == "select 1 limit 10"


def test_what_dbt_compiled_of_the_node_itself_is_never_an_answer(shop: Any) -> None:
    with pytest.raises(TemplateError, match=r"'target\.name' is not known"):
        rendered(shop, ASK_FOR_DEV, compiled_code="select 1 limit 10")


@pytest.mark.parametrize(
    "code",
    [
        "{{ target.name }}",
        "{% if target.name == 'prod' %}{% endif %}",
        "{% if target.name in ['dev', 'prod'] %}{% endif %}",
        "{% if target.name | lower == 'dev' %}{% endif %}",
        "{% if target.name.startswith('dev') %}{% endif %}",
        "{% if 'dev' in target.name %}{% endif %}",
        "{{ {'dev': 1}[target.name] }}",
        "{{ target.name ~ '_x' }}",
    ],
)
def test_what_it_is_not_is_no_answer_to_more(shop: Any, code: str) -> None:
    with pytest.raises(TemplateError, match=r"'target\.name' is not known"):
        rendered(shop, code, built_for(shop, DEV_OR_ELSE, "marts"))


@pytest.mark.parametrize(
    "code",
    [
        "{% if target.name in ['dev', 'dev'] %}dev{% endif %}",
        "{% if target.name != 'dev' and not target.name == 'dev' %}{% else %}dev{% endif %}",
        "{{ 'dev' if 'dev' == target.name }}",
        "{{ '' if target['name'] else 'none' }}",
    ],
)
def test_it_may_be_compared_with_what_it_is_not(shop: Any, code: str) -> None:
    assert rendered(shop, code, built_for(shop, DEV_OR_ELSE, "marts")) == ""


def test_what_was_found_is_said(shop: Any) -> None:
    other = built_for(shop, DEV_OR_ELSE, "marts")
    renderer = shop.renderer(other, run=replace(shop.run, target_name=None))

    renderer.render("{{ target.name == 'dev' }}")

    assert renderer.warnings == [
        "target.name was inferred to be none of dev from 'schema' of model.shop.other; "
        "set it with --target-name"
    ]
