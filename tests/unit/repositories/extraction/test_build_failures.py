"""A manifest of `dbt parse`: what dbt certainly cannot build has its reason, and nothing else has one."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.diff.breaking import categorise
from recce_meta.diff.changes import compare
from recce_meta.diff.project_side import ProjectSide
from recce_meta.models import MacroMetadata, NodeMetadata, Project, RunMetadata
from recce_meta.models.change import Category
from recce_meta.models.node import BUILD_FAILURE
from recce_meta.repositories.extraction.reading import with_rendered_code

OF_DBT = ("run_hooks", "get_where_subquery", "statement")
MACROS = {
    "cents": "{% macro cents(column) %}({{ column }} / 100){% endmacro %}",
    "price": "{% macro price(column) %}{{ gone(column) }}{% endmacro %}",
    "pick": "{% macro pick() %}{{ adapter.dispatch('pick', 'shop')() }}{% endmacro %}",
    "postgres__pick": "{% macro postgres__pick() %}1{% endmacro %}",
    "test_negative": "{% test negative(model) %}selec * from {{ model }}{% endtest %}",
}
BROKEN = [
    ("select {{ nope('a') }}", "it uses 'nope', which no file defines (models/m.sql:1)"),
    ("select 1,\n{{ nope.a }}", "it uses 'nope', which no file defines (models/m.sql:2)"),
    ("select {{ nope[0] }}", "it uses 'nope'"),
    ("select {{ nope + 1 }}", "it uses 'nope'"),
    (
        "select {{ price('a') }}",
        "it uses 'gone', which no file defines, in macro shop.price (models/m.sql:1)",
    ),
    (
        "select {{ pick() }}",
        "no file defines what it dispatches to, such as default__pick, in macro shop.pick",
    ),
    ("select {{ shop.nope() }}", "package 'shop' has no macro 'nope'"),
    ("select {{ dbt.nope() }}", "package 'dbt' has no macro 'nope'"),
    ("select {{ cents('a', 2) }}", "macro 'cents' takes not more than 1 argument(s)"),
    ("select {{ cents(col='a') }}", "macro 'cents' takes no keyword argument 'col'"),
    (
        "{% macro m(a) %}{% endmacro %}select {{ dbt_macro__m(1, 2) }}",
        "macro 'm' takes not more than 1 argument(s)",
    ),
    ("select '{{ var('month') }}'", "variable 'month' has neither a value nor a default"),
    ("select {{ ''.__class__.__mro__ }}", "'__class__' of a value of type str may not be used"),
    ("{% if execute %}{{ exceptions.raise_compiler_error('no') }}{% endif %}select 1", "no (models/m.sql:1)"),
    ("{% do exceptions.raise_compiler_error('no') %}select 1", "no (models/m.sql:1)"),
    ("select {% set x = [] %}{{ x.foo() }}", "a value of type list has no 'foo'"),
    ("select {{ cents('a' }}", "not valid Jinja: unexpected '}', expected ')'"),
    ("select {% if true %}1", "not valid Jinja: Unexpected end of template"),
    ("{% frobnicate %}select 1", "not valid Jinja: Encountered unknown tag 'frobnicate'"),
    ("select {{ 'a' | frobnicate }}", "not valid Jinja: No filter named 'frobnicate'"),
    ("select 1 as a,\nsum(( from where", "DuckDB"),
    ("select from t", "SELECT clause without selection list"),
    ("select 1;", 'syntax error at or near ";" (models/m.sql:1)'),
    ("select 1; select 2", 'syntax error at or near ";"'),
    ("-- to do", "its SQL is empty"),
    ("{{ config(materialized='view') }}", "its SQL is empty"),
    ("{% if false %}select 1{% endif %}", "its SQL is empty"),
]
SOUND = [
    "{% if target.name != 'x' %}{{ exceptions.raise_compiler_error('no') }}{% endif %}select 1",
    "{% if execute and target.name != 'x' %}{{ exceptions.raise_compiler_error('no') }}{% endif %}select 1",
    "{% if not execute %}{{ exceptions.raise_compiler_error('no') }}{% endif %}select 1",
    "{% if execute %}{{ '' }}{% else %}{{ exceptions.raise_compiler_error('no') }}{% endif %}select 1",
    "select 1 {{ nope }}",
    "select {{ nope | default(1) }}",
    "select {% if nope is defined %}{{ nope() }}{% else %}1{% endif %}",
    "select {% if dbt.nope is defined %}{{ dbt.nope() }}{% else %}1{% endif %}",
    "select 1{% for x in nope %}{{ x }}{% endfor %}",
    "select 1 {{ ''.__class__ }}",
    "select {% if ''.__class__ is defined %}2{% else %}1{% endif %}",
    "select '{{ model.config.nope.deeper }}'",
    "{% set found = run_query('select 1') %}select {{ found.columns[0].values()[0] }}",
    "select 1 {% if target.name == 'nowhere' %}{{ nope() }}{% endif %}",
    "select '{{ env_var('UNSET_HERE') }}'",
    "select {{ ['b', 'a'] | attr('x') }}",
    "from t select a, b,",
    "pivot t on a using sum(b)",
    "select 1 -- the end",
    "select '{% raw %}{{ nope() }}{% endraw %}'",
    "",
]


def model(code: str, **fields: Any) -> NodeMetadata:
    settings = {
        "name": "m",
        "resource_type": "model",
        "materialized": "table",
        "path": "models/m.sql",
        **fields,
    }
    unique_id = f"{settings['resource_type']}.shop.{settings['name']}"
    return NodeMetadata(unique_id=unique_id, package_name="shop", language="sql", raw_code=code, **settings)


def read(folder: Path, *nodes: NodeMetadata, adapter: str = "duckdb", without: str = "") -> Project:
    (folder / "dbt_project.yml").write_text("name: shop\nvars: {day: 1}\n")
    found = [("shop", name, text) for name, text in MACROS.items()]
    found += [("dbt", name, f"{{% macro {name}() %}}{{% endmacro %}}") for name in OF_DBT]
    macros = (
        MacroMetadata(unique_id=f"macro.{package}.{name}", name=name, package_name=package, macro_sql=text)
        for package, name, text in found
        if name != without
    )
    run = RunMetadata(
        run_id="r",
        run_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
        project_name="shop",
        environment="e",
        adapter_type=adapter,
    )
    return with_rendered_code(Project(run=run, nodes=nodes, macros=tuple(macros)), folder, {})


def reason(project: Project) -> str:
    found = project.nodes[0].properties.get(BUILD_FAILURE) or {}
    return f"{found['problem']} ({found['place']}) {found.get('unless', '')}".strip() if found else ""


@pytest.mark.parametrize(("code", "said"), BROKEN)
def test_what_dbt_cannot_build_is_said_with_file_and_line(code: str, said: str, tmp_path: Path) -> None:
    assert said in reason(read(tmp_path, model(code)))


@pytest.mark.parametrize("code", SOUND)
def test_what_dbt_builds_or_only_the_database_knows_has_no_failure(code: str, tmp_path: Path) -> None:
    assert reason(read(tmp_path, model(code))) == ""


@pytest.mark.parametrize(
    ("node", "said"),
    [
        (model("{{ nope() }}", resource_type="operation", materialized=None, path="dbt_project.yml"), "nope"),
        (
            model("select 1", config={"post-hook": [{"sql": "{{ nope() }}"}]}),
            "in its post-hook, it uses 'nope'",
        ),
        (
            model("selectt 1", resource_type="operation", materialized=None),
            'syntax error at or near "selectt"',
        ),
        (model("select 1; selectt 1", resource_type="operation", materialized=None), ""),
        (model("update share s", resource_type="operation", materialized=None), ""),
        (model("", resource_type="operation", materialized=None), ""),
        (model("select 1", config={"post-hook": [{"sql": "{{ 'selct' }} 1;"}]}), "in its post-hook, DuckDB"),
        (model("select 1", config={"post-hook": [{"sql": "insert into {{ this }} select 1;"}]}), ""),
        (model("select 1", config={"post-hook": [{"sql": "selct 1"}]}, materialized="own"), ""),
        (model("select {{ nope() }}", resource_type="snapshot", materialized="snapshot"), "(models/m.sql)"),
        (model("selec 1", resource_type="test", materialized="test"), 'syntax error at or near "selec"'),
        (model("{{ test_absent() }}", resource_type="test", materialized="test"), "'test_absent'"),
        (model("{{ nope() }}", materialized="ephemeral"), ""),
        (model("selec 1", materialized="ephemeral"), ""),
        (model("selec 1", materialized="own"), ""),
    ],
    ids=str,
)
def test_each_kind_of_node_fails_where_dbt_builds_it(node: NodeMetadata, said: str, tmp_path: Path) -> None:
    found = reason(read(tmp_path, node))

    assert said in found and bool(said) is bool(found)


@pytest.mark.parametrize(
    ("code", "adapter", "kind", "fails"),
    [
        ("selec 1", "postgres", "table", False),
        ("select 1;", "postgres", "view", True),
        ("select ';' -- ;", "bigquery", "table", False),
        ("select 1;", "bigquery", "table", True),
        ("select 1;", "bigquery", "incremental", True),
        ("select 1;", "bigquery", "view", False),
        ("select 1;", "databricks", "table", False),
    ],
)
def test_sql_is_refused_only_by_the_parser_of_its_own_warehouse(
    code: str, adapter: str, kind: str, fails: bool, tmp_path: Path
) -> None:
    assert bool(reason(read(tmp_path, model(code, materialized=kind), adapter=adapter))) is fails


def test_a_manifest_without_the_macros_of_dbt_proves_no_missing_macro(tmp_path: Path) -> None:
    assert reason(read(tmp_path, model("{{ nope() }}"), without="run_hooks")).endswith(" nope")
    node = model("{{ test_unique() }}", resource_type="test", properties={"test_metadata": {"kwargs": {}}})
    assert reason(read(tmp_path, node, without="run_hooks")).endswith(" test_unique")


def test_a_new_failure_is_breaking_and_one_of_base_is_not(tmp_path: Path) -> None:
    sound, broken = (ProjectSide.of(read(tmp_path, model(f"select {one}"))) for one in ("1", "{{ nope() }}"))
    edited = ProjectSide.of(read(tmp_path, model("select {{ nope() }} as a")))

    new, known = (
        categorise(compare(*pair), *pair, lambda *_: pytest.fail("no SQL to compare")).changes["model.shop.m"]
        for pair in ((sound, broken), (broken, edited))
    )

    assert (new.category, new.build_failure) == (
        Category.BREAKING,
        "it uses 'nope', which no file defines (models/m.sql:1)",
    )
    assert (known.category, known.build_failure) == (Category.UNKNOWN, "")


def test_an_unedited_node_fails_without_its_variable(tmp_path: Path) -> None:
    before = read(tmp_path, model("select {{ var('day') }} as day"))
    failing = {**before.nodes[0].properties, BUILD_FAILURE: {"problem": "no day", "place": "models/m.sql:1"}}
    after = replace(before, nodes=(replace(before.nodes[0], compiled_code=None, properties=failing),))

    (change,) = compare(ProjectSide.of(before), ProjectSide.of(after)).values()

    assert [detail.key for detail in change.details] == [BUILD_FAILURE]
