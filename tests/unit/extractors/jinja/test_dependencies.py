"""What a template reads is told from its syntax tree: as dbt has it, every way it may go, never guessed."""

from __future__ import annotations

import json
import time
import tracemalloc
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from recce_meta.errors import TemplateError
from recce_meta.extractors.jinja import ProjectMacros, blocks_of, jinja_dependencies, read_template
from recce_meta.models import MacroMetadata
from tests.data.jinja_cases.ask_dbt import MACROS

CASES = Path(__file__).parents[3] / "data" / "jinja_cases"
VARIABLES = {"model_name": "a", "model_names": ["a", "b"]}


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CASES / name).read_text().splitlines()]


def macros_of(text: str, package: str = "p", adapter_type: str | None = "duckdb") -> ProjectMacros:
    macros = [
        MacroMetadata(
            unique_id=f"macro.{package}.{block.name}",
            name=block.name,
            package_name=package,
            macro_sql=block.text,
        )
        for block in blocks_of(text)
    ]
    return ProjectMacros(macros, root="p", adapter_type=adapter_type)


@cache
def library() -> ProjectMacros:
    return macros_of(MACROS)


def names(sql: str, **options: Any) -> tuple[list[str], bool]:
    """Names of what *sql* refers to, and whether there may be more."""
    found = jinja_dependencies(sql, **options)
    return [*(name for _, name, _ in found.refs), *(".".join(pair) for pair in found.sources)], found.dynamic


@pytest.mark.parametrize("row", rows("given.jsonl"), ids=lambda row: row["id"])
def test_given_templates_are_read_as_asked(row: dict[str, Any]) -> None:
    refs, sources, dynamic = jinja_dependencies(row["sql"])

    assert sorted(refs, key=str) == sorted(map(tuple, row["refs"]), key=str)
    assert sorted(sources) == sorted(map(tuple, row["sources"]))
    assert dynamic is row["dynamic"]


def test_a_template_reads_what_dbt_says_and_what_other_ways_would(subtests: pytest.Subtests) -> None:
    answers = rows("answers.jsonl")
    assert answers
    for row in answers:
        with subtests.test(row["name"]):
            check_answer(row)


def check_answer(row: dict[str, Any]) -> None:
    """What is read is what dbt said, and what the other ways would add."""
    found = read_template(
        row["template"],
        variable=lambda name: (name in VARIABLES, VARIABLES.get(name)),
        macros=library(),
        package="p",
    ).dependencies

    if row["expect"] == "refused":
        assert row["refs"] is None
        return
    refs, sources = set(map(tuple, row["refs"])), set(map(tuple, row["sources"]))
    assert found.dynamic is (row["expect"] == "dynamic")
    if row["expect"] == "dynamic":
        assert set(found.refs) <= refs and set(found.sources) <= sources
    else:
        assert refs <= set(found.refs) and sources <= set(found.sources)
        more = {name for _, name, _ in set(found.refs) - refs}
        more |= {".".join(pair) for pair in set(found.sources) - sources}
        assert more == set(row.get("also", ()))


def test_most_answers_are_dbts_own() -> None:
    expected = [row["expect"] for row in rows("answers.jsonl")]

    assert expected.count("equal") >= 130
    assert "WRONG" not in expected


def test_models_of_public_projects_read_what_their_manifests_say(subtests: pytest.Subtests) -> None:
    models = rows("manifests.jsonl")
    assert models
    for row in models:
        with subtests.test(row["node"]):
            found = jinja_dependencies(row["code"])

            assert sorted(found.refs, key=str) == sorted(map(tuple, row["refs"]), key=str)
            assert sorted(found.sources) == sorted(map(tuple, row["sources"]))
            assert not found.dynamic


@pytest.mark.parametrize(
    "sql",
    [
        "select * from {{ ref(run_query('select 1').columns[0][0]) }}",
        "{% for r in run_query('q') %} select * from {{ ref(r[0]) }} {% endfor %}",
        "select * from {{ ref(var('unknown')) }}",
        "select * from {{ ref(var('unknown', 'a')) }}",
        "select * from {{ ref(env_var('X')) }}",
        "select * from {{ ref(this.identifier) }}",
        "select * from {{ source('raw', target.name) }}",
        "select * from {{ ref(*args) }}",
        "select * from {{ ref('a', version=var('v')) }}",
        "select * from {{ ref() }}",
        "select * from {{ ref('a', 'b', 'c') }}",
        "select * from {{ ref(1) }}",
        "select * from {{ source('raw') }}",
        "{% set ref = something %} select * from {{ ref('a') }}",
        "{% set ref = 'a' %} select * from {{ ref('a') }}",
        "{% import 'x.sql' as x %} select 1",
        "{% include 'x.sql' %}",
        "{% set m = ref %} select * from {{ handed_on(m) }}",
        "select * from {{ builtins[name]('a') }}",
        "{% set s = namespace(n='a') %}{% for r in run_query('q') %}{% set s.n = r %}{% endfor %}"
        "{{ ref(s.n) }}",
        "{% set l = ['a'] %}{% do l.extend(run_query('q')) %}{% for m in l %}{{ ref(m) }}{% endfor %}",
        "{% set n = 'a' %}{% for r in graph.nodes.values() %}{{ ref(r.name) if r.x }}{% endfor %}",
    ],
)
def test_a_name_that_only_rendering_knows_is_dynamic_and_never_guessed(sql: str) -> None:
    found, dynamic = names(sql)

    assert dynamic
    assert set(found) <= {"a"} and (found == [] or "'a'" in sql)


def test_names_that_are_set_together_stay_together() -> None:
    sql = (
        "{% if x %}{% set s, t = 'raw', 'orders' %}{% else %}{% set s, t = 'crm', 'people' %}{% endif %}"
        "select * from {{ source(s, t) }}"
    )

    assert names(sql) == (["raw.orders", "crm.people"], False)


def test_a_name_that_one_way_leaves_unset_is_that_of_the_other_ways() -> None:
    sql = "{% if x %}{% set t = 'a' %}{% elif y %}{% set t = 'b' %}{% endif %} select * from {{ ref(t) }}"

    assert names(sql) == (["a", "b"], False)


def test_a_name_that_is_never_set_where_it_is_used_is_dynamic() -> None:
    sql = "{% for i in [1] %}{% set t = 'a' %}{% endfor %} select * from {{ ref(t) }}"

    assert names(sql) == ([], True)


def test_many_independent_branches_do_not_multiply() -> None:
    branches = "".join(
        f"{{% if c{n} %}}{{% set x{n} = 'p{n}' %}}{{% else %}}{{% set x{n} = 'q{n}' %}}{{% endif %}}"
        for n in range(40)
    )

    began = time.process_time()
    found = names(branches + "select * from {{ ref('a') }}")

    assert found == (["a"], False)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "sql",
    [
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}{{ ref('a') }}",
        "{% macro m(n) %}{{ m(n + 1) }}{{ m(n + 2) }}{% endmacro %}{{ m(1) }}",
        "{% for a in range(9999) %}{% for b in range(9999) %}{{ ref('x' ~ a ~ b) }}{% endfor %}{% endfor %}",
        "{{ ref('a' * 1000000000) }}",
        "{{ ref(('%1000000000s' % 'a') | trim) }}",
        "{{ ref('{:1000000000}'.format('a')) }}",
        "{{ ref(10 ** 10 ** 10) }}",
        "{% set l = [] %}{% for i in range(30) %}{% set l = [l, l] %}{% endfor %}{{ ref(l) }}",
        "{% set s = namespace(l=[1]) %}{% for i in range(60) %}{% set s.l = [s.l, s.l] %}{% endfor %}"
        "{{ ref('a') }}",
        "{% set l = [] %}{% do l.append(l) %}{{ ref(l | string) }}",
        "{% set x = namespace(t='a') %}{% for i in range(99) %}{% set x.t = x.t ~ x.t %}{% endfor %}"
        "{{ ref(x.t) }}",
        "{{ ref(range(1000000000) | list | first) }}",
        "{{ " + "(" * 400 + "1" + ")" * 400 + " }}",
        "{{ ref(" + " ~ ".join(["'a'"] * 3000) + ") }}",
    ],
)
def test_a_template_without_end_is_given_up_in_time_and_counts_as_dynamic(sql: str) -> None:
    began = time.process_time()
    found = jinja_dependencies(sql)

    assert found.dynamic or all(len(name) <= 3000 for _, name, _ in found.refs)
    assert time.process_time() - began < 3


def test_a_template_that_is_no_jinja_says_where() -> None:
    with pytest.raises(TemplateError, match=r"line 2.*Not valid Jinja"):
        jinja_dependencies("select *\nfrom {{ ref('a') ")


def test_without_jinja_nothing_is_parsed() -> None:
    assert jinja_dependencies("select 'ref(''a'')' from b") == ((), (), False)


def test_variables_that_are_known_are_taken_and_defaults_elsewhere() -> None:
    sql = "select * from {{ ref(var('m', 'a')) }}"

    assert names(sql) == ([], True)
    assert names(sql, variables={}) == (["a"], False)
    assert names(sql, variables={"m": "b"}) == (["b"], False)


def test_settings_are_worked_out_and_those_that_differ_are_left_open() -> None:
    facts = read_template(
        "{% set keys = ['id', 'd'] %}"
        "{{ config(materialized='incremental', unique_key=keys, tags=['x'] + ['y'], enabled=var('on')) }}"
        "{% if target.name == 'prod' %}{{ config(schema='marts') }}{% endif %}"
    )

    assert facts.config == {"materialized": "incremental", "unique_key": ["id", "d"], "tags": ["x", "y"]}
    assert facts.unsure == ("enabled", "schema")


def test_macros_are_followed_with_their_arguments_and_named() -> None:
    macros = macros_of(
        "{% macro outer(n) %}{{ return(inner(n ~ '_x')) }}{% endmacro %}"
        "{% macro inner(n) %}{{ ref(n) }}{% endmacro %}{% macro unused() %}{{ ref('dead') }}{% endmacro %}"
    )

    facts = read_template("select * from {{ outer('a') }}", macros=macros, package="p")

    assert facts.dependencies == (((None, "a_x", None),), (), False)
    assert facts.macros == ("macro.p.inner", "macro.p.outer")


def test_where_the_adapter_is_not_known_every_macro_it_may_dispatch_to_counts() -> None:
    text = (
        "{% macro m() %}{{ return(adapter.dispatch('m')()) }}{% endmacro %}"
        "{% macro default__m() %}{{ ref('a') }}{% endmacro %}"
        "{% macro snowflake__m() %}{{ ref('b') }}{% endmacro %}"
    )

    known = read_template("{{ m() }}", macros=macros_of(text), package="p").dependencies
    unknown = read_template("{{ m() }}", macros=macros_of(text, adapter_type=None), package="p").dependencies

    assert known.refs == ((None, "a", None),)
    assert set(unknown.refs) == {(None, "a", None), (None, "b", None)}


def test_blocks_are_found_past_comments_raw_text_and_quotes() -> None:
    source = (
        "{# {% macro no() %}{% endmacro %} #}{% raw %}{% snapshot no %}{% endsnapshot %}{% endraw %}"
        "{% snapshot yes %}{{ '{% endsnapshot %}' }} x{% endsnapshot %}\n"
        "{%- macro m(a='%}') -%}{{ a }}{%- endmacro -%}"
    )

    found = blocks_of(source)

    assert [(block.kind, block.name) for block in found] == [("snapshot", "yes"), ("macro", "m")]
    assert found[0].body == "{{ '{% endsnapshot %}' }} x"


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("{% set l = ['a'] %}{% do l.append('x' if var('q') else 'y') %}{{ ref(l | join('_')) }}", "a_x a_y"),
        ("{% set l = ['a'] %}{% do l.insert(0, 'x' if var('q') else 'y') %}{{ ref(l[0]) }}", "x y"),
        (
            "{% set n = namespace(l=[]) %}{% do n.l.append('x' if var('q') else 'y') %}{{ ref(n.l[0]) }}",
            "x y",
        ),
        ("{% set l = ['a'] %}{% do l.append(l.pop() ~ 'b') %}{{ ref(l | join('_')) }}", "ab"),
    ],
)
def test_what_goes_one_way_or_another_into_a_list_is_in_one_list_each(template: str, names: str) -> None:
    assert jinja_dependencies(template) == (tuple((None, name, None) for name in names.split()), (), False)


def test_a_list_that_is_changed_one_way_or_another_where_nobody_can_look_twice_is_not_told() -> None:
    found = jinja_dependencies(
        "{% set d = {} %}{% do d.setdefault('a', []).append('x' if var('q') else 'y') %}{{ ref(d['a'][0]) }}"
    )

    assert found == ((), (), True)


@pytest.mark.parametrize(
    "too_much",
    [
        "{% macro w(x) %}{% if x %}{{ w(x.child) }}{% endif %}{% endmacro %}{{ w(var('t')) }}",
        "{{ 'x' * 10000000000 }}",
        "{% for a in range(1000) %}{% for b in range(1000) %}{{ a }}{% endfor %}{% endfor %}",
    ],
)
def test_what_is_written_out_is_kept_after_what_is_too_much_to_follow(too_much: str) -> None:
    found = jinja_dependencies(
        too_much + "{{ ref('a') }}{{ ref('p', 'b', v=2) }}{{ source('s', 't') }}{{ ref(x) }}{{ ref('a', x) }}"
    )

    assert found == (((None, "a", None), ("p", "b", "2")), (("s", "t"),), True)


@pytest.mark.parametrize(
    "call",
    ["t()", "t(1)", "t(10**10)", "('a', 5)()", "('a', '__mul__')(3)", "('a', 'lower')()", "[1, 2]()"],
)
def test_a_value_of_the_template_is_not_a_function(call: str) -> None:
    found = jinja_dependencies(f"{{% set t = ('a', '__mul__') %}}select * from {{{{ ref({call}) }}}}")

    assert found == ((), (), True)


@pytest.mark.parametrize(
    "growth",
    [
        "x.replace('a', x)",
        "x | replace('a', x)",
        "x.replace('', x)",
        "x.join(y)",
        "y | join(x)",
        "'{0}{0}{0}{0}{0}'.format(x)",
        "'%s%s%s%s' % (x, x, x, x)",
        "(y | map('replace', 'a', 'a' * 40)) | join",
    ],
)
def test_a_text_that_grows_is_given_up_before_it_is_built(growth: str) -> None:
    text = "{% set x = 'a' * 9999 %}{% set x = x ~ x ~ x %}{% set y = [x, x, x, x] %}"

    tracemalloc.start()
    try:
        found = jinja_dependencies(f"{text}{{{{ ref('a') }}}}{{% set z = {growth} %}}{{{{ ref(z) }}}}")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert found.dynamic
    assert most < 20_000_000


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("'a_b'.replace('_', '')", "ab"),
        ("'aaa'.replace('a', 'b', 2)", "bba"),
        ("'ab' | replace('', '-')", "-a-b-"),
        ("'_'.join(['a', 'b'])", "a_b"),
        ("[1, 'b'] | join('_')", "1_b"),
        ("'{}_{}'.format('a', 1)", "a_1"),
        ("['a', 'b'] | map('upper') | join", "AB"),
    ],
)
def test_growing_methods_have_their_result(expression: str, name: str) -> None:
    assert names(f"select * from {{{{ ref({expression}) }}}}") == ([name], False)
