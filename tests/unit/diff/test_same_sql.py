"""Which differences keep the SQL of one run from standing for that of another."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from recce_meta.diff.project_side import ProjectSide
from recce_meta.diff.same_sql import Dependence, SqlInputs
from recce_meta.models import MacroMetadata, NodeMetadata, RunMetadata


def a_run(**fields: Any) -> RunMetadata:
    return RunMetadata(
        run_id="run", run_at=datetime(2026, 1, 1, tzinfo=timezone.utc), project_name="shop", **fields
    )


RAW = "select {{ cents('amount') }} from {{ ref('orders') }}"


def node(name: str = "paid", **fields: Any) -> NodeMetadata:
    return NodeMetadata(unique_id=f"model.shop.{name}", name=name, resource_type="model", **fields)


def macro(name: str, code: str, *calls: str, package: str = "shop") -> MacroMetadata:
    return MacroMetadata(
        unique_id=f"macro.{package}.{name}",
        name=name,
        package_name=package,
        macro_sql=code,
        code_hash=code,
        macros=calls,
    )


PAID = node(
    raw_code=RAW,
    compiled_code="select amount / 100 from ⟦model.shop.orders⟧",
    materialized="table",
    parents=("model.shop.eph", "model.shop.orders"),
    macros=("macro.shop.cents",),
    config={"materialized": "table"},
)
ORDERS = node("orders", raw_code="select 1", relation_name="orders", materialized="table")
EPHEMERAL = node("eph", raw_code="select 2", materialized="ephemeral")
MACROS = (
    macro("cents", "{{ divide(x) }}", "macro.shop.divide"),
    macro("divide", "{{ x }} / 100", "macro.dbt.type_numeric"),
    macro("type_numeric", "numeric", package="dbt"),
)


def inputs(
    *changed: NodeMetadata,
    macros: tuple[MacroMetadata, ...] = MACROS,
    run: RunMetadata | None = None,
) -> Any:
    nodes = {one.unique_id: one for one in (PAID, ORDERS, EPHEMERAL, *changed)}
    side = ProjectSide(nodes, {one.unique_id: one for one in macros}, run or a_run())
    return SqlInputs(side).of(nodes["model.shop.paid"])


@pytest.mark.parametrize(
    "changed",
    [
        replace(PAID, raw_code=f"{RAW} where true"),
        replace(PAID, config={"materialized": "view"}),
        replace(PAID, contract={"enforced": True}),
        replace(PAID, parents=("model.shop.orders",)),
        replace(PAID, language="python"),
        replace(EPHEMERAL, raw_code="select 3"),
        replace(EPHEMERAL, materialized="view"),
    ],
)
def test_every_input_of_a_node_counts(changed: NodeMetadata) -> None:
    assert inputs(changed) != inputs()


@pytest.mark.parametrize(
    "unchanged",
    [
        replace(PAID, compiled_code=None),
        replace(PAID, description="New."),
        replace(PAID, relation_name='"other"."paid"', schema_name="other"),
        replace(ORDERS, raw_code="select 4"),
    ],
)
def test_what_dbt_compiles_into_no_sql_does_not_count(unchanged: NodeMetadata) -> None:
    assert inputs(unchanged) == inputs()


def test_macros_behind_macros_count_and_those_that_may_replace_them() -> None:
    deeper = (MACROS[0], macro("divide", "{{ x }} / 10", "macro.dbt.type_numeric"), MACROS[2])
    override = (*MACROS, macro("duckdb__type_numeric", "decimal"))
    unrelated = (*MACROS, macro("other", "1"))

    assert inputs(macros=deeper) != inputs()
    assert inputs(macros=override) != inputs()
    assert inputs(macros=unrelated) == inputs()


def test_the_list_of_macros_that_dbt_writes_is_not_compared_but_must_follow_from_the_code() -> None:
    more = replace(PAID, macros=(*PAID.macros, "macro.dbt.type_numeric"))
    known = SqlInputs(ProjectSide({}, {one.unique_id: one for one in MACROS}, a_run()))

    def listing(*macros: str) -> NodeMetadata:
        return node(raw_code="select 1::{{ dbt.type_numeric() }}", macros=macros)

    assert inputs(more) == inputs() == inputs(replace(PAID, macros=()))
    assert known.dependence(listing()) is CODE
    assert known.dependence(listing("macro.dbt.type_numeric")) is CODE
    assert known.dependence(listing("macro.shop.cents")) is UNPROVABLE


def test_the_minor_version_of_dbt_and_the_adapter_count() -> None:
    def run(**fields: Any) -> RunMetadata:
        return a_run(**{"dbt_version": "1.10.1", "adapter_type": "duckdb", **fields})

    assert inputs(run=run(dbt_version="1.10.7")) == inputs(run=run())
    assert inputs(run=run(dbt_version="1.11.1")) != inputs(run=run())
    assert inputs(run=run(adapter_type="postgres")) != inputs(run=run())


def test_a_node_without_known_code_is_like_no_other() -> None:
    assert inputs(replace(PAID, raw_code=None)) is None
    assert inputs(replace(PAID, raw_code=None, code_hash="a")) is not None


def test_ephemeral_models_in_a_circle_end() -> None:
    looped = replace(EPHEMERAL, parents=("model.shop.eph",))

    assert inputs(looped) != inputs()


CODE, TARGET, STATE, UNPROVABLE = Dependence


@pytest.mark.parametrize(
    ("raw", "depends"),
    [
        ("select 1 -- target var adapter", CODE),
        ("select {{ adapter.quote('a') }} from {{ ref('orders') }}", CODE),
        ("{{ config(materialized='view') }} select {{ dbt.type_string() }}", CODE),
        ("select '{{ target.name }}'", TARGET),
        ("select * from {{ target['schema'] }}.a as target where target.threads > 1", TARGET),
        ("{% macro a(target) %}{{ target.threads }}{% endmacro %}", TARGET),
        ("select {{ target.threads }}", UNPROVABLE),
        ("select '{{ target.get('schema') }}'", UNPROVABLE),
        ('{{ config(pre_hook="{{ log(target.user) }}") }} select 1', UNPROVABLE),
        ("select max(a) from {{ this }}", TARGET),
        ("select {{ var('a') }}", UNPROVABLE),
        ("select '{{ env_var('A', target.name) }}'", UNPROVABLE),
        ("{% if is_incremental() %} select 1 {% endif %}", STATE),
        ("{% for a in adapter.get_columns_in_relation(ref('orders')) %}{{ a }}{% endfor %}", STATE),
        ("{% set a = adapter %}{{ a.get_columns_in_relation(this) }}", STATE),
        ("select '{{ run_started_at }}'", STATE),
        ("select '{{ context.x }}'", UNPROVABLE),
        ("select '{{ project_name }}'", UNPROVABLE),
        ("select '{{ builtins.ref }}'", UNPROVABLE),
        ("{{ unknown_thing }}", UNPROVABLE),
        ("{{ config(alias='a', tags=['b']) }} {% set n = 3 %} select {{ n }}", CODE),
        ("{% for one in graph.nodes %}{{ one }}{% endfor %}", UNPROVABLE),
        ("{% if flags.FULL_REFRESH %} select 1 {% endif %}", UNPROVABLE),
    ],
)
def test_names_show_what_else_must_be_equal(raw: str, depends: Dependence) -> None:
    known = macro("type_string", "{{ return(adapter.dispatch('type_string', 'dbt')()) }}", package="dbt")
    side = ProjectSide({}, {known.unique_id: known}, a_run())

    assert SqlInputs(side).dependence(node(raw_code=raw)) is depends


def test_macros_of_dbt_are_read_and_white_space_in_them_counts() -> None:
    flagged = macro("should_store_failures", "{{ flags.STORE_FAILURES }}", package="dbt")
    side = ProjectSide({}, {flagged.unique_id: flagged}, a_run())
    asked = node(raw_code="{{ should_store_failures() }}", macros=(flagged.unique_id,))
    assert SqlInputs(side).dependence(asked) is STATE

    def of(sql: str) -> object:
        literal = msgspec.structs.replace(macro("lit", sql), code_hash="the same")
        side = ProjectSide({}, {literal.unique_id: literal}, a_run())
        return SqlInputs(side).of(node(raw_code="{{ lit() }}", macros=(literal.unique_id,)))

    assert of("'a  b'") != of("'a b'")


def test_macros_and_ephemeral_models_show_it_too() -> None:
    macros = (
        macro("ask", "{% set rows = run_query('select 1') %}", "macro.dbt.run_query"),
        macro("run_query", "{% call statement() %}", "macro.dbt.statement", package="dbt"),
        macro("statement", "{{ adapter.execute() }}", package="dbt"),
        macro("spine", "{{ dbt.get_intervals_between() }}", "macro.dbt.get_intervals_between", package="dbt"),
        macro("get_intervals_between", "…", package="dbt"),
        macro("type_numeric", "{{ adapter.dispatch('type_numeric') }}", package="dbt"),
    )
    dated = replace(EPHEMERAL, raw_code="select '{{ target.name }}'")
    nodes = {dated.unique_id: dated}
    found = SqlInputs(ProjectSide(nodes, {one.unique_id: one for one in macros}, a_run()))

    def calling(name: str) -> NodeMetadata:
        return node(raw_code=f"select {{{{ {name.rpartition('.')[2]}() }}}}", macros=(name,))

    assert found.dependence(calling("macro.shop.ask")) is STATE
    assert found.dependence(calling("macro.dbt.spine")) is STATE
    assert found.dependence(calling("macro.dbt.type_numeric")) is CODE
    assert found.dependence(node(raw_code="select 1", parents=(dated.unique_id,))) is TARGET


@pytest.mark.parametrize(
    ("code", "may"),
    [
        ("select * from ⟦model.shop.orders⟧", True),
        ("select * from prod.orders", False),
        (
            "select * from (select * from ⟦model.shop.orders⟧ where false limit 0) _dbt_limit_subq_orders",
            False,
        ),
        ("select * from (select * from ⟦model.shop.orders⟧ where a) _dbt_et_filter_subq_orders", False),
    ],
)
def test_sql_that_reads_other_rows_than_the_node_does_not_stand_for_it(code: str, may: bool) -> None:
    nodes = {one.unique_id: one for one in (PAID, ORDERS, EPHEMERAL)}

    assert SqlInputs(ProjectSide(nodes)).may_stand(code, PAID) is may


@pytest.mark.parametrize(
    ("code", "is_plain"),
    [
        ("select {{ cents('a') }} from {{ ref('orders') }}", True),
        ("{% for one in [1, 2] %}{{ one }}{% endfor %}{{ config(materialized='view') }}", True),
        ("{{ var('a', 1) }}", False),
        ("{{ env_var('A') }}", False),
        ("{{ target.name }}", False),
        ("{{ config.get('a') }}", False),
        ("{{ type_numeric() }}", False),
        ("{{ adapter.quote('a') }}", False),
        ("{{ now() }}", False),
    ],
)
def test_code_is_plain_if_artifacts_alone_decide_over_its_sql(code: str, is_plain: bool) -> None:
    cents = "{% macro cents(x) %}{{ x }} / 100{% endmacro %}"
    macros = (macro("cents", cents), macro("type_numeric", "numeric", package="dbt"))
    own = node(raw_code=code)

    def found(*more: MacroMetadata) -> bool:
        side = ProjectSide({own.unique_id: own}, {one.unique_id: one for one in (*macros, *more)}, a_run())
        return SqlInputs(side).is_plain(own)

    assert found() is is_plain
    # A project may replace `ref` and others.
    assert not found(macro("ref", "other"), macro("config", "other"), macro("for", "other"))


def test_a_macro_that_replaces_ref_counts() -> None:
    def of(code: str) -> Any:
        return inputs(macros=(*MACROS, macro("ref", code)))

    assert of("{{ builtins.ref(x) }}") != of("{{ builtins.ref(x).include(database=false) }}")


NOT_NULL = macro(
    "test_not_null",
    "{% test not_null(model, column_name) %}{{ should_store_failures() }}{% endtest %}",
    "macro.dbt.should_store_failures",
    package="dbt",
)
STORE_FAILURES = macro("should_store_failures", "{{ flags.STORE_FAILURES }}", package="dbt")


@pytest.mark.parametrize(
    ("name", "code", "given", "is_plain"),
    [
        ("not_null", None, {}, True),
        ("not_null", None, {"where": "n > 1"}, True),
        ("not_null", None, {"where": "n > {{ var('lo') }}"}, False),
        ("not_null", None, {"where": "n > {{ least() }}"}, False),
        ("not_null", "replaces get_where_subquery", {}, False),
        ("above", "select * from {{ model }} where {{ column_name }} > {{ least }}", {}, True),
        ("above", "select * from {{ model }} where n > {{ env_var('LO') }}", {}, False),
        ("above", "select * from {{ model }} where '{{ target.name }}' = 'prod'", {}, False),
        ("above", "{% set found = adapter.get_relation(model) %}", {}, False),
        ("unknown", None, {}, False),
    ],
)
def test_a_generic_test_is_plain_if_its_arguments_and_macros_decide_over_its_sql(
    name: str, code: str | None, given: dict[str, str], is_plain: bool
) -> None:
    own = macro(f"test_{name}", f"{{% test {name}(model, column_name, least) %}}{code}{{% endtest %}}")
    arguments = {"model": "{{ get_where_subquery(ref('orders')) }}", "column_name": "n", "least": 1}
    one = node(
        raw_code=f"{{{{ test_{name}(**_dbt_generic_test_kwargs) }}}}",
        config=given,
        properties={"test_metadata": {"name": name, "kwargs": arguments}},
    )
    where = macro("get_where_subquery", "{{ model.config.get('where') }}", package="dbt")
    macros = [NOT_NULL, STORE_FAILURES, where, macro("least", "{{ var('lo') }}")]
    if code == "replaces get_where_subquery":
        macros.append(macro("get_where_subquery", "{{ var('lo') }}"))
    elif code:
        macros.append(own)
    side = ProjectSide({one.unique_id: one}, {each.unique_id: each for each in macros}, a_run())

    assert SqlInputs(side).is_plain_test(one) is is_plain
    assert not SqlInputs(side).is_plain_test(replace(one, properties={}))
