"""Which nodes determine rows of others through hooks."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from recce_meta.models import MacroMetadata, NodeMetadata
from recce_meta.warehouses.hooks import ANY_NAME, hook_writers, queried_words, row_words

PURGE = MacroMetadata(
    unique_id="macro.shop.purge",
    name="purge",
    package_name="shop",
    macro_sql="{% macro purge(relation) %}delete from {{ relation }} where id = 1{% endmacro %}",
)


def node(name: str, *parents: str, **fields: object) -> NodeMetadata:
    relation = {"identifier": name, "schema_name": "prod", "relation_name": f'"db"."prod"."{name}"'}
    kind = str(fields.pop("resource_type", "model"))
    return NodeMetadata(
        unique_id=f"{kind}.shop.{name}",
        name=name,
        resource_type=kind,
        parents=tuple(f"model.shop.{one}" for one in parents),
        **{**relation, **fields},  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        ("delete from {{ ref('b') }} where id in (select id from {{ this }})", {"b": "a"}),
        ("delete from {{ ref('shop', 'b') }} where id in (select id from {{ ref('c') }})", {"b": "a c"}),
        ("delete from {{ target.schema }}.b using {{ this }} t where t.id = b.id", {"b": "a"}),
        ('merge into "db"."prod"."B" using {{ this }} s on s.id = b.id when matched then delete', {"b": "a"}),
        ("update `db.prod.b` set x = (select max(x) from prod.d)", {"b": "a d"}),
        ("truncate table prod.b", {"b": "a"}),
        ("create or replace table {{ this.schema }}.b as select 1", {"b": "a"}),
        ("insert into {{ source('raw', 't') }} select * from {{ this }}", {}),
        ("insert into raw.t select * from {{ this }}", {"t": "a"}),
        ("{{ purge(ref('b')) }}", {"b": "a"}),
        ("{% do adapter.truncate_relation(ref('b')) %}", {"b": "a"}),
        ("call refresh({{ ref('c') }})", {"c": "a"}),
        ("{{ purge(this) }}", {}),
        ("delete from {{ this }} where id in (select id from {{ ref('b') }})", {}),
        ("delete from {{ this }} where id in (select id from prod.d)", {"a": "d"}),
        ("insert into prod.audit select count(*) from {{ this }}", {}),
        ("grant select on prod.b to reader -- delete from prod.b", {}),
        ('delete from {{ this.incorporate(path={"identifier": "d"}) }}', {"d": "a", "a": "d"}),
        ("{% do run_query('delete from ' ~ ref('c') ~ ' where x') %}", {"c": "a"}),
        ("{% do run_query('truncate ' ~ this.schema ~ '.d') %}", {"d": "a"}),
        ("{% do run_query('truncate ' ~ this.schema ~ '.' ~ 'd') %}", {"d": "a"}),
        ("{% do run_query('insert into ' ~ this ~ ' select * from ' ~ ref('b')) %}", {}),
        ("{% do run_query('delete from %s' % ref('b')) %}", {"b": "a"}),
        ('{% set t = "b" %}insert into {{ target.schema ~ "." ~ t }} select 1', {"b": "a"}),
        ("{{ config.get('audit') }} delete from {% if x %}d{% else %}{{ ref('b') }}{% endif %}", {"b": "a"}),
    ],
)
def test_a_hook_determines_rows_of_what_it_writes(hook: str, expected: dict[str, str]) -> None:
    others = [node("b"), node("c"), node("d"), node("t", resource_type="source")]
    table = node("a", "b", "c", config={"post-hook": [{"sql": hook}]}, macros=(PURGE.unique_id,))

    assert short(hook_writers([*others, table], [PURGE])) == expected


def short(found: Mapping[str, frozenset[str]]) -> dict[str, str]:
    return {
        one.rpartition(".")[2]: " ".join(sorted(r.rpartition(".")[2] for r in read))
        for one, read in found.items()
    }


LOAD = "insert into {{ ref('b') }} select * from raw.t"
SENT = MacroMetadata(
    unique_id="macro.shop.sent",
    name="sent",
    package_name="shop",
    macro_sql="{% macro sent(sql) %}{% if execute %}{% do run_query(sql) %}{% endif %}{% endmacro %}",
)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{% do run_query('insert into ' ~ ref('b') ~ ' select 1') %}", {"b": "a c"}),
        ('{% if execute %}{% do run_query("delete from " ~ ref("b")) %}{% endif %}', {"b": "a c"}),
        ("{% call statement('load') %}" + LOAD + "{% endcall %}", {"b": "a c t"}),
        ("{% set load %}" + LOAD + "{% endset %}{% do adapter.execute(load) %}", {"b": "a c t"}),
        ("{{ sent('truncate table prod.d') }}", {"d": "a b c"}),
        ("{% call set_sql_header(config) %}drop table d;{% endcall %}", {"d": "a b c"}),
        (
            "{% do adapter.drop_relation(api.Relation.create(identifier='d')) %}",
            {"d": "a b c", "b": "a c", "c": "a b"},
        ),
        ("{{ purge(ref('b')) }}", {}),
        ("{% if execute %}{% set d = run_query('select max(x) from ' ~ ref('b')) %}{% endif %}", {}),
        ("{% call statement('n', fetch_result=true) %}select 1 from {{ ref('b') }}{% endcall %}", {}),
        ("{% do run_query('delete from ' ~ this ~ ' where x in (select x from ' ~ ref('b') ~ ')') %}", {}),
        ("{% do run_query('delete from ' ~ this ~ ' using prod.d where d.x = x') %}", {"a": "d"}),
        ("-- insert into prod.d: no statement is sent", {}),
    ],
)  # fmt: skip
def test_a_statement_that_a_model_sends_is_a_hook(template: str, expected: dict[str, str]) -> None:
    raw = template + " select * from {{ ref('b') }} join {{ ref('c') }} using (x)"
    called = tuple(one.unique_id for one in (PURGE, SENT) if f"{one.name}(" in template)
    table = node("a", "b", "c", raw_code=raw, macros=called)
    others = [node("b"), node("c"), node("d"), node("t", resource_type="source")]

    assert short(hook_writers([*others, table], [PURGE, SENT])) == expected


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        ("{{ context['purge'](ref('b')) }}", {"b": "a"}),
        ("{{ context.get('purge')(ref('b')) }}", {"b": "a"}),
        ("{{ context['pur' ~ 'ge'](ref('b')) }}", {"b": "a"}),
        ("{{ adapter.dispatch('clean', 'shop')(ref('b')) }}", {"b": "a"}),
        ("{{ adapter.dispatch(var('f'))(ref('b')) }}", {"b": "a"}),
        ("{{ by_name(ref('b')) }}", {"b": "a"}),
        ("{{ context['other'](ref('b')) }}", {}),
        ("select context from {{ ref('b') }} -- purge", {}),
    ],
)
def test_a_hook_may_look_up_a_macro_by_its_name(hook: str, expected: dict[str, str]) -> None:
    macros = [
        MacroMetadata(unique_id=f"macro.shop.{name}", name=name, package_name="shop", macro_sql=sql)
        for name, sql in (
            ("purge", PURGE.macro_sql),
            ("duckdb__clean", PURGE.macro_sql),
            ("by_name", "{% macro by_name(r) %}{{ context['purge'](r) }}{% endmacro %}"),
            ("other", "{% macro other(r) %}analyze {{ r }}{% endmacro %}"),
        )
    ]
    called = ("macro.shop.by_name",) if "by_name" in hook else ()
    table = node("a", "b", config={"post-hook": [{"sql": hook}]}, macros=called)

    assert short(hook_writers([node("b"), table], macros)) == expected


def test_a_model_may_look_up_the_macro_that_sends_a_statement() -> None:
    table = node("a", "b", raw_code="{{ context['sent']('truncate table prod.d') }} select 1")

    assert short(hook_writers([node("b"), node("d"), table], [PURGE, SENT])) == {"d": "a"}


@pytest.mark.parametrize(
    ("hook", "code", "expected"),
    [
        ("create table prod.helper as select 1", "select * from prod.helper", "start"),
        ("create table {{ target.schema }}.helper as select", 'select 1 from "db"."prod"."Helper"', "start"),
        ("create or replace view helper as from {{ ref('b') }}", "select 1 from x, helper", "b start"),
        ("create table h2 as select 1; alter table h2 rename to helper", "select * from helper", "start"),
        ("select 1 as x into helper", "select * from c join prod.helper using (x)", "start"),
        ("create or replace function prod.f(x int) as 'x'", "select prod.f(x) from prod.c", "start"),
        ("{{ purge('prod.helper') }}", "select * from prod.helper", "start"),
        ("create table prod.{{ var('name') }} as select 1", "select * from prod.helper", "start"),
        ("create table prod.b as select 1", "select * from other.b", "b start"),
        ("create table prod.helper as select 1", "select * from {{ target.schema }}.{{ var('x') }}", "start"),
        ("create table prod.helper as select 1", "select * from prod.other", ""),
        ("create table prod.helper as select 1", "select helper from prod.c", ""),
        ("create table prod.{{ var('name') }} as select 1", "select extract(year from c.d) from prod.c", ""),
        ("create table prod.{{ var('name') }} as select 1", "with x as (select 1) select * from x", ""),
        ("create table prod.helper as select 1", "select * from prod.c -- , prod.helper", ""),
        ("select * from prod.helper", "select * from prod.helper", ""),
    ],
)  # fmt: skip
def test_a_model_reads_by_name_what_an_operation_makes(hook: str, code: str, expected: str) -> None:
    start = node("start", "b", resource_type="operation", raw_code=hook, macros=(PURGE.unique_id,))
    reader = node("a", "c", raw_code=code)
    found = short(hook_writers([start, node("b"), node("c"), reader], [PURGE]))

    assert found.get("a", "") == expected


@pytest.mark.parametrize("kind", ["operation", "seed"])
@pytest.mark.parametrize("read", ["prod.first", "{{ target.schema }}.first", "prod.{{ name }}"])
def test_a_hook_hands_on_what_another_hook_makes(kind: str, read: str) -> None:
    hook = f"create table prod.second as select * from {read}"
    start = node("start", resource_type="operation", raw_code="create table prod.first as select 1")
    between = node("between", resource_type=kind, raw_code=hook, config={"post-hook": hook})
    reader = node("a", raw_code="select * from prod.second")
    written = node("end", resource_type="operation", raw_code="insert into prod.b select * from prod.second")
    found = short(hook_writers([start, between, reader, written, node("b")], []))

    assert {"between", "start"} <= {*found["a"].split()}
    assert found["b"] == "between end start"


def test_a_data_test_reads_by_name_what_an_operation_makes() -> None:
    start = node("start", resource_type="operation", raw_code="create table prod.helper as select 1")
    test = node("t", resource_type="test", raw_code="select * from prod.helper where id is null")
    other = node("u", resource_type="test", raw_code="select * from {{ ref('b') }}")

    assert short(hook_writers([start, test, other, node("b")], [])) == {"t": "start"}


def test_compiled_sql_shows_the_names_that_its_template_computes() -> None:
    start = node("start", resource_type="operation", raw_code="create table prod.helper as select 1")
    raw = "select * from {{ var('x') }}"
    readers = [
        node(name, raw_code=raw, compiled_code=f"select * from prod.{name}er") for name in ("help", "oth")
    ]

    assert short(hook_writers([start, *readers], [])) == {"help": "start"}


def test_python_and_the_hook_of_a_model_read_by_name_as_well() -> None:
    start = node("start", resource_type="operation", raw_code="create table prod.helper as select 1")
    python = node(
        "p", language="python", raw_code="def model(dbt, session): return session.table('prod.helper')"
    )
    hooked = node(
        "h", raw_code="select 1", config={"post-hook": "insert into {{ this }} select * from helper"}
    )

    assert short(hook_writers([start, python, hooked], [])) == {"p": "start", "h": "start"}


def test_an_sql_header_is_a_hook() -> None:
    table = node("a", config={"sql_header": "insert into prod.d select 1;"})

    assert short(hook_writers([node("d"), table], [])) == {"d": "a"}


def test_an_operation_and_the_hook_of_a_seed_determine_rows_as_well() -> None:
    end = node("end", "c", resource_type="operation", raw_code="delete from {{ ref('c') }}")
    seed = node(
        "s", resource_type="seed", config={"post-hook": "insert into {{ this }} select * from prod.b"}
    )

    assert hook_writers([node("b"), node("c"), end, seed], []) == {
        "model.shop.c": {"operation.shop.end"},
        "seed.shop.s": {"model.shop.b"},
    }


def test_the_node_that_builds_the_relation_of_a_source_determines_it() -> None:
    """Until then, a change of the node affected no reader of the source."""
    built = node("a")
    stored = node("fails", resource_type="test")
    unstored = node("other", resource_type="test", relation_name=None)
    sources = [
        node(f"{name}_source", resource_type="source", identifier=identifier, schema_name=schema)
        for name, identifier, schema in [
            ("a", "A", "prod"),
            ("fails", "fails", "prod"),
            ("other", "other", "prod"),
            ("elsewhere", "a", "raw"),
        ]
    ]

    assert hook_writers([*sources, built, stored, unstored], []) == {
        "source.shop.a_source": {"model.shop.a"},
        "source.shop.fails_source": {"test.shop.fails"},
    }


@pytest.mark.parametrize(
    ("hook", "is_deciding"),
    [
        ("set variable x = (select max(v) from {{ ref('b') }})", True),
        ("begin; SET x = (\nselect max(v) from {{ ref('b') }})", True),
        ("{% macro m() %}{% set v = run_query('select 1') %} set x = {{ v }}{% endmacro %}", True),
        ("set threads = 1", False),
        ("{% set v = 'select' %}", False),
        ("update {{ ref('b') }} set v = (select 1)", False),
    ],
)
def test_a_setting_that_is_the_result_of_a_query_may_decide_rows(hook: str, is_deciding: bool) -> None:
    words = row_words(node("a", "b"), [hook])

    assert ("x" in words and ANY_NAME not in words) is is_deciding
    assert bool(words) is is_deciding


def test_a_setting_that_is_read_by_name_determines_rows() -> None:
    found = hook_writers([setting("set x = (select max(v) from prod.d)"), node("d")], [])

    assert found == {"model.shop.a": frozenset({"model.shop.d"})}
    assert hook_writers([setting("set x = 1"), node("d")], []) == {}


def setting(hook: str) -> NodeMetadata:
    return node("a", config={"pre-hook": [{"sql": hook}]})


def test_a_materialization_may_write_another_relation_than_that_of_the_node() -> None:
    name = "materialization_listed_default"
    text = "create table {{ this }} as select 1; create table {{ this.schema }}.listed_rows as {{ sql }}"
    own = MacroMetadata(unique_id=f"macro.shop.{name}", name=name, package_name="shop", macro_sql=text)
    nodes = [
        node("a", materialized="listed"),
        node("b", materialized="table"),
        node("c", raw_code="select * from prod.listed_rows"),
        node("d", identifier="listed_rows", materialized="table"),
    ]

    found = {one: {*sources} for one, sources in hook_writers(nodes, [own]).items()}

    assert found == {"model.shop.c": {"model.shop.a"}, "model.shop.d": {"model.shop.a"}}
    assert hook_writers(nodes, [replace(own, package_name="dbt")]) == {}


@pytest.mark.parametrize(
    ("name", "relation", "is_read"),
    [
        ("this.identifier ~ '_rows'", "prod.a_rows", True),
        ("this.identifier ~ 'rows'", "prod.arows", True),
        ("this.identifier ~ '_rows'", "prod.lines", False),
        ("config.get('side')", "prod.side_of_a", True),
        ("config.get('side')", "prod.listing", True),
        ("config.get('side')", "prod.lines", False),
        ("var('side')", "prod.lines", True),
    ],
)
def test_a_materialization_may_write_a_relation_whose_name_it_computes(
    name: str, relation: str, is_read: bool
) -> None:
    macro = "materialization_listed_default"
    text = f"{{% set r = {name} %}}create table {{{{ r }}}} as {{{{ sql }}}}"
    own = MacroMetadata(unique_id=f"macro.shop.{macro}", name=macro, package_name="shop", macro_sql=text)
    nodes = [
        node("a", materialized="listed", config={"side": "prod.listing"}),
        node("b", raw_code=f"select * from {relation}"),
    ]

    found = hook_writers(nodes, [own])

    assert found == ({"model.shop.b": {"model.shop.a"}} if is_read else {})


TOP = MacroMetadata(
    unique_id="macro.shop.top",
    name="top",
    package_name="shop",
    macro_sql="{% macro top(relation, column) %}{% call statement('top', fetch_result=true) %}"
    "select max({{ column }}) from {{ relation }}{% if column %} limit 1{% endif %}{% endcall %}"
    "{% set found = load_result('top') %}{{ return(found) }}{% endmacro %}",
)


SELECTING = replace(
    TOP,
    unique_id="macro.shop.selecting",
    name="selecting",
    macro_sql="{% macro selecting(relation) %}{{ return('select n from ' ~ relation) }}{% endmacro %}",
)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("select n from {{ ref('b') }}", ""),
        ("-- {{ ref('b') }} {% set top = 'n' %}{# {{ run_query('select n from b') }} #}", ""),
        ("{% set m = run_query('select max(n) from ' ~ ref('b')) %}select other from {{ ref('b') }}", "b n"),
        ("{% set m = run_query('select max(n) from ' ~ ref('b') ~ ' where other') %}", "b n other"),
        ("{{ run_query('select n from ' ~ ref('b')).columns[0].values()[0] }}", "b n"),
        ("{% call statement('x') %}select n from {{ ref('b') }}{% endcall %}select other", "b n"),
        ("{% set q %}select n from {{ ref('b') }}{% endset %}{% set m = run_query(q) %}", "b n"),
        ("{% set B = ref('b') %}{% set q = 'select n from ' ~ B %}{% do run_query(q) %}", "b n"),
        ("{% set other = ref('b') %}{% do run_query('select n from prod.x') %}", "n"),
        ("{% set x = 1 %}other{% call statement('x') %}select n from b{% endcall %}", "b n"),
        ("{{ top(ref('b'), 'n') }} {{ ref('other') }}", "b n"),
        ("{% for c in ['n'] %}{% do run_query('select ' ~ c ~ ' from ' ~ ref('b')) %}{% endfor %}", "b n"),
        ("{% for c in names() %}{% do run_query('select ' ~ c ~ ' from ' ~ ref('b')) %}{% endfor %}", "b *"),
        (
            "{% for c in ['x_'] %}{% do run_query('select ' ~ c ~ 'n from ' ~ ref('b')) %}{% endfor %}",
            "b n *",
        ),
        (
            "{% set a = ['select n from ' ~ ref('b')] %}{% for q in a %}{% do run_query(q) %}{% endfor %}",
            "b n",
        ),
        ("{% set q = [] %}{% do q.append('select n from b') %}{% do run_query(q[0]) %}", "b n"),
        ("{% set q = 'select n from b' %}{% do run_query(q) %}{% set q = 'select 1' %}", "b n"),
        ("{% set q = selecting(ref('b')) %}{% do run_query(q) %}", "b n"),
        ("{% set q = selecting(ref('b')) %}{% do run_query('select 1') %}select n", ""),
        ("{% do run_query('select n from ' ~ ref(var('x'))) %}", "n *"),
        (
            "{% set r = run_query('select other from b') %}{% do run_query('select ' ~ r[0] ~ ' from b') %}",
            "b other *",
        ),
        ("{% set c = names() %}{% do run_query('select ' ~ c ~ ' from b') %}", "b *"),
        ("{% set c = 'n' %}{% do run_query('select ' ~ c ~ ' from b') %}", "b n"),
        ("{% do run_query('select %s from b' % c) %}", "b *"),
        ("{% call statement('x') %}select {{ c }} from {{ ref('b') }}{% endcall %}", "b *"),
        ("{% do run_query('select * from ' ~ ref('b')) %}", "b *"),
        ("{% do run_query('select count(*) from ' ~ ref('b')) %}", "b"),
    ],
)
def test_words_of_queries_are_those_that_a_template_sends(template: str, expected: str) -> None:
    macros = tuple(one.unique_id for one in (TOP, SELECTING) if f"{one.name}(" in template)
    model = node("a", "b", raw_code=template, macros=macros)

    words = queried_words(model, {one.unique_id: one for one in (TOP, SELECTING)})

    told = {"*" if one == ANY_NAME else one for one in words} & {"b", "n", "other", "*"}
    assert told == set(expected.split())
