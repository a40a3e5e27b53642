"""What dbt's names mean in a template."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.errors import TemplateError
from recce_meta.render import SimpleTemplateRenderer, TemplateContext


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ ref('orders') }}", '"wh"."main"."orders"'),
        ("{{ ref('crm', 'customers') }}", '"wh"."crm"."customers"'),
        ("{{ ref('prices') }}", '"wh"."main"."prices_v2"'),
        ("{{ ref('prices', v=1) }}", '"wh"."main"."prices_v1"'),
        ("{{ ref('shop', 'prices', version='10') }}", '"wh"."main"."prices_v10"'),
        ("{{ source('pos', 'sales') }}", 'wh.raw."Sales Öst"'),
        ("{{ source('pos', 'sales').schema }}", "raw"),
        ("{{ ref('orders').include(database=false) }}", '"main"."orders"'),
        ("{{ ref('orders').quote(schema=false) }}", '"wh".main."orders"'),
        ("{{ ref('orders').identifier }} {{ ref('orders').name }}", "orders orders"),
        ("{{ source('pos', 'returns').include(schema=false) }}", "wh.returns"),
        ("{{ api.Relation.create(schema='a', identifier='b') }}", '"a"."b"'),
        ("{{ config(materialized='table') }}x", "x"),
        ("{{ var('day', 'monday') }}", "monday"),
        ("{{ var('cutoff') }} {{ var.has_var('cutoff') }} {{ var.has_var('day') }}", "2024-01-01 True False"),
        ("{{ var('where_from') }}", '"wh"."main"."orders"'),
        ("{{ var('of_shop') }}", "7"),
        ("{{ env_var('HOME_TOWN') }} {{ env_var('NONE', 'n') }}", "Graz n"),
        (
            "{{ target.name }} {{ target.schema }} {{ target['type'] }} {{ target.dbname }}",
            "dev main duckdb wh",
        ),
        ("{{ 'x' if target.account else 'y' }}", "y"),
        ("{% if is_incremental() %}i{% else %}f{% endif %}", "f"),
        ("{% if execute %}e{% endif %}", "e"),
        ("{{ run_started_at.strftime('%Y-%m-%d') }}", "2026-03-04"),
        ("{{ dbt_version }} {{ project_name }} {{ flags.FULL_REFRESH }}", "1.10.0 shop False"),
        ("{{ modules.datetime.timedelta(days=2).days }}", "2"),
        ("{{ modules.re.sub('[^a-z]+', '_', 'a - b') }}", "a_b"),
        ("{{ modules.itertools.chain([1], [2]) }}", "[1, 2]"),
        ("{{ modules.pytz.timezone('Europe/Vienna') }}", "Europe/Vienna"),
        ("{{ tojson({'a': [1]}) }} {{ fromjson('[1, 2]')[1] }} {{ fromjson('{', 'd') }}", '{"a": [1]} 2 d'),
        ("{{ fromyaml('a: 1').a }}{{ toyaml({'a': 1}) }}", "1a: 1\n"),
        ("{{ zip([1], ['a']) }} {{ set([1, 1]) }} {{ set(1, 'no') }}", "[(1, 'a')] {1} no"),
        ("{{ local_md5('a') }}", "0cc175b9c0f1b6a831c399e269772661"),
        ("{{ diff_of_two_dicts({'A': ['x', 'Y']}, {'a': ['y']}) }}", "{'A': ['x']}"),
        ("{{ log('to the log', info=true) }}{{ print('a') }}x", "x"),
        ("{{ builtins.ref('orders') }} {{ context['var']('day', 1) }}", '"wh"."main"."orders" 1'),
        ("{{ adapter.quote('a b') }} {{ adapter.type() }}", '"a b" duckdb'),
        ("{{ adapter.get_columns_in_relation(source('pos', 'returns'))[0].name }}", "id"),
        ("{{ adapter.get_relation('WH', 'raw', 'returns') }}", "wh.raw.returns"),
        ("{{ api.Column.translate_type('string') }} {{ api.Column.translate_type('date') }}", "TEXT date"),
    ],
)
def test_a_name_means_what_it_means_in_dbt(shop: Any, template: str, expected: str) -> None:
    renderer = shop.renderer(
        variables={"cutoff": "2024-01-01", "where_from": "{{ ref('orders') }}", "shop": {"of_shop": 7}},
        environ={"HOME_TOWN": "Graz"},
    )

    assert renderer.render(template) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{# gone #}a", "a"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("a\n{% set x = 1 %}\nb", "a\n\nb"),
        ("a\n{%- set x = 1 -%}\nb", "ab"),
        ("  {% if true %}a{% endif %}\n", "  a"),
        ("{% for c in ['a', 'b'] %}{{ c }}{% if not loop.last %}, {% endif %}{% endfor %}", "a, b"),
        ("{% for i in range(9) %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}", "01"),
        ("{% set l = [] %}{% do l.append('x') %}{% do l.extend(['y']) %}{{ l | join('-') }}", "x-y"),
        ("{% set d = {} %}{% do d.update({'k': 2}) %}{{ d.k + d['k'] }}", "4"),
        (
            "{% set s = namespace(n=1) %}{% for i in [1, 2] %}{% set s.n = s.n + i %}{% endfor %}{{ s.n }}",
            "4",
        ),
        ("{% set q %}a{{ 1 }}{% endset %}{{ q | upper }}", "A1"),
        (
            "{% macro f(a,b=2) %}{{ a ~ b }}{% endmacro %}{% set g = dbt_macro__f %}{{ g(1) ~ g(b=3,a=4) }}",
            "1243",
        ),
        ("{% macro f() %}{{ return([1, 2]) }}{% endmacro %}{{ dbt_macro__f()[1] }}", "2"),
        ("{% macro f() %}<{{ caller() }}>{% endmacro %}{% call dbt_macro__f() %}x{% endcall %}", "<x>"),
        ("{% for a in [[1, [2]]] recursive %}{{ a }}{% endfor %}", "[1, [2]]"),
        ("{% if nope is defined %}a{% else %}b{% endif %}{{ nope | default('c') }}", "bc"),
        ("{{ {}.missing | default('d') }}{% if {}.missing %}x{% endif %}", "d"),
        ("{{ '%05.1f|%s' % (2.25, 'a') }} {{ '{:>3}{x}'.format(1, x=2) }}", "002.2|a   12"),
        ("{{ 'a,b'.split(',') }} {{ ['b', 'a'] | sort | first }}", "['a', 'b'] a"),
        ("{{ None }} {{ true }} {{ 1.5 }}", "None True 1.5"),
        ("{% snapshot s %}select 1{% endsnapshot %}", "select 1"),
        ("no Jinja at all", "no Jinja at all"),
        ('{"json": 1}', '{"json": 1}'),
    ],
)
def test_jinja_works_as_dbt_sets_it(render: Any, template: str, expected: str) -> None:
    assert render(template) == expected


def test_a_node_gives_this_its_configuration_and_its_package(shop: Any) -> None:
    renderer = shop.renderer()

    assert (
        renderer.render("{{ this }} {{ this.table }}", node="model.shop.orders")
        == '"wh"."main"."orders" orders'
    )
    assert renderer.render("{{ config.get('tags') }}", node="model.shop.orders") == "['nightly']"
    assert (
        renderer.render("{{ config.get('x', 3) }} {{ model.name }}", node="model.shop.orders") == "3 orders"
    )
    assert renderer.render("{{ ref('customers') }}", node="model.shop.orders") == '"wh"."main"."customers"'
    assert renderer.render("{{ ref('customers') }}", node="model.crm.accounts") == '"wh"."crm"."customers"'
    assert renderer.render("{% if is_incremental() %}i{% endif %}", incremental=True) == "i"


def test_what_a_template_changes_is_its_own(shop: Any) -> None:
    renderer = shop.renderer()
    changing = (
        "{% do config.get('tags').append('x') %}{% do model.tags.append('y') %}{{ config.get('tags') }}"
    )

    assert renderer.render(changing, node="model.shop.orders") == "['nightly']"
    assert renderer.nodes["model.shop.orders"].config["tags"] == ["nightly"]


def test_versions_without_a_latest_are_ordered_as_numbers(shop: Any) -> None:
    renderer = SimpleTemplateRenderer(None, [shop.model("p", version=v) for v in ("2", "10", "9")])

    assert renderer.render("{{ ref('p') }}") == '"wh"."main"."p_v10"'


def test_without_a_run_nodes_tell_package_and_place(shop: Any) -> None:
    renderer = SimpleTemplateRenderer(
        None,
        [shop.model("orders"), shop.model("items")],
        context=TemplateContext(target={"type": "snowflake"}),
    )

    assert (
        renderer.render("{{ target.schema }} {{ project_name }} {{ adapter.type() }}")
        == "main shop snowflake"
    )
    assert renderer.render("{{ api.Relation.create('d', 's', 'i') }}") == "d.s.i"


def test_an_adapter_says_which_warehouse_it_is(shop: Any) -> None:
    class Adapter:
        class warehouse:
            name = "bigquery"

    renderer = SimpleTemplateRenderer(Adapter, shop.renderer().nodes)

    assert (
        renderer.render("{{ adapter.quote('a') }} {{ api.Column.translate_type('integer') }}") == "`a` INT64"
    )


def test_the_defaults_that_variables_took_are_told(shop: Any) -> None:
    renderer = shop.renderer(variables={"b": 1})

    renderer.render("{{ var('a', 1) }}{{ var('b', 1) }}")

    assert renderer.assumed_variables == {"a"}
    renderer.render("{{ var('b') }}")
    assert renderer.assumed_variables == frozenset()


def test_warnings_of_templates_are_kept(shop: Any) -> None:
    renderer = shop.renderer()

    assert renderer.render("{{ exceptions.warn('old') }}x") == "x"
    assert renderer.warnings == ["old"]


def test_a_generic_test_renders_its_arguments(shop: Any) -> None:
    tested = shop.model("t", resource_type="test", relation_name=None)
    kwargs = {
        "model": "{{ get_where_subquery(ref('orders')) }}",
        "column_name": "{{ kept }}",
        "to": "ref('customers')",
        "values": ["a", "{{ 1 + 1 }}"],
    }
    tested = replace(
        tested,
        raw_code="{{ test_it(**_dbt_generic_test_kwargs) }}{{ config(where='x > 1') }}",
        config={"where": "x > 1"},
        properties={"test_metadata": {"name": "it", "kwargs": kwargs}},
    )
    subquery = shop.macro(
        "get_where_subquery",
        "get_where_subquery(r) %}{% do return('(' ~ r ~ ' where ' ~ config.get('where') ~ ')') %}",
        package="dbt",
    )
    test = replace(
        subquery,
        unique_id="macro.dbt.test_it",
        name="test_it",
        macro_sql="{% test it(model, column_name, to, values) %}{{ model }}|{{ column_name }}|{{ to }}|"
        "{{ values }}{% endtest %}",
    )
    renderer = shop.renderer(tested, macros=(subquery, test))

    assert (
        renderer.render_node(tested.unique_id)
        == '("wh"."main"."orders" where x > 1)|{{ kept }}|"wh"."main"."customers"|' + "['a', 2]"
    )


def test_python_models_and_seeds_have_nothing_to_render(shop: Any) -> None:
    renderer = shop.renderer(shop.model("py", language="python"), shop.model("seed", raw_code=None))

    for name in ("model.shop.py", "model.shop.seed", "model.shop.none"):
        with pytest.raises(TemplateError, match="has no SQL to render"):
            renderer.render_node(name)


def test_graph_holds_the_runs_nodes_and_sources_in_the_order_of_their_ids(render: Any) -> None:
    template = (
        "{% for node in graph.nodes.values() | selectattr('package_name', 'equalto', 'crm') %}"
        "{{ node.name }} in {{ node.schema }}, {% endfor %}"
        "{{ graph.sources['source.shop.pos.sales'].source_name }} {{ graph.exposures | length }} "
        "{{ graph.nodes.get('model.shop.none') }}"
    )

    assert render(template) == "accounts in main, customers in main, pos 0 None"


def test_graph_is_a_copy(render: Any) -> None:
    change = "{% do graph.nodes.clear() %}{% do graph.sources['source.shop.pos.sales'].tags.append('x') %}"
    ask = "{{ graph.nodes | length > 0 }} {{ graph.sources['source.shop.pos.sales'].tags }}"

    render(change)

    assert render(ask) == "True []"
