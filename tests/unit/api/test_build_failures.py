"""Artifacts of dbt: what dbt has not built and certainly cannot build has its reason."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta import report
from recce_meta.api.build_failures import with_build_failures
from recce_meta.api.diff import NOTHING_MORE, refuse_failing, whole_diff
from recce_meta.diff.changes import compare
from recce_meta.diff.project_side import ProjectSide
from recce_meta.errors import ConditionFailed
from recce_meta.models import EdgeOrigin, MacroMetadata, NodeMetadata, NodeResult, Project, RunMetadata
from recce_meta.models.node import BUILD_FAILURE, LIKELY
from tests.unit.api import test_kept_rows

OF_DBT = ("run_hooks", "get_where_subquery", "statement")
FAILED = "Compilation Error in model m (models/m.sql)\n  Required var 'x' not found in config:\n  Vars"
MACROS = {
    "cents": "{% macro cents(c) %}({{ c }} / 100){% endmacro %}",
    "twice": "{% macro twice(c, c) %}{{ c }}{% endmacro %}",
    "plus": "{% macro plus(c) %}{{ c + 1 }}{% endmacro %}",
}
REJECTED = {
    "{{ config(alias='a', alias='a') }}": "not valid Jinja: keyword argument repeated: alias",
    "{% if false %}{{ cents(c=1, c=1) }}{% endif %}": "keyword argument repeated: c",
    "{% for one in cents(c=1, c=1) | list %}{% endfor %}": "keyword argument repeated: c",
    "{% macro own(a=1, a=2) %}{% endmacro %}": "duplicate argument 'a' in function definition",
    "{% break %}": "'break' outside loop",
    "{% set true = 1 %}": "can't assign to 'const'",
    "{% include 'x.sql' ignore missing %}": "no loader for this environment specified",
    "{% import 'x.sql' as x %}": "no loader for this environment specified",
    "{% from 'x.sql' import x %}": "no loader for this environment specified",
    "{% extends 'x.sql' %}": "no loader for this environment specified",
}
"""Templates that dbt rejects, with the message of Python or Jinja."""
ACCEPTED = (
    "{{ false and cents(c=1, c=1) }}",
    "{{ cents(c=1, c=1) if false }}",
    "{{ 'a' | replace('a', 'b', count=1, count=1) }}",
    "{% set own = dict(class=1, class=2) %}",
    "{% if false %}{% include 'x.sql' %}{% extends 'x.sql' %}{% endif %}",
    "{% for one in [1] %}{% break %}{% endfor %}",
    "{{ 'a'.b }}",
    "{{ {'a': 1}.b }}",
    "{{ [1, 2][5] }}",
    "{% if not execute %}{{ 'a' + 1 }}{% endif %}",
    "{% set pairs = zip(5, 6) %}",
)
"""Templates that dbt accepts, because it does not compile or run the part in question."""
STOPPED = {
    "{{ 'amount' + 1 }}": 'can only concatenate str (not "int") to str',
    "{{ 1 / 0 }}": "division by zero",
    "{{ none.x.y }}": "a value of type NoneType has no 'x'",
    "{{ {'a': 1}.b() }}": "a value of type dict has no 'b'",
    "{{ [1, 2][5] + 1 }}": "a value of type list has no '5'",
    "{{ none() }}": "a value of type NoneType cannot be called",
    "{{ 'a' < 1 }}": "'<' not supported between instances of 'str' and 'int'",
    "{% for one in 5 %}{% endfor %}": "'int' object is not iterable",
    "{% for k, v in {'a': 1} %}{% endfor %}": "not enough values to unpack (expected 2, got 1)",
    "{{ [1, 'a'] | sum }}": "unsupported operand type(s) for +: 'int' and 'str'",
    "{{ 'a'.index('z') }}": "substring not found",
    "{{ '%s %s' % 'x' }}": "not enough arguments for format string",
    "{{ var('day') + 'a' }}": "unsupported operand type(s) for +: 'int' and 'str'",
    "{{ plus('a') }}": 'can only concatenate str (not "int") to str, in macro shop.plus',
}
"""Templates with an operation that Python refuses, with its message; dbt 1.11 rejects each."""
MATERIALIZED = {
    "lake": "no file defines its materialization 'lake' models/m.sql",
    "": "no file defines its materialization '' models/m.sql",
    "dynamic_table": (
        "its materialization 'dynamic_table' is defined for snowflake only, not for duckdb models/m.sql"
    ),
    "own": "its materialization 'own' is defined for postgres only, not for duckdb models/m.sql",
    "external": "",
    "materialized_view": "",
    "newer": "",
    "ephemeral": "",
}
"""Materializations of models on DuckDB, with why dbt 1.11 refuses them."""
UNKNOWN = (
    "{{ config.get('x') + 1 }}",
    "{{ target.threads + 'a' }}",
    "{{ env_var('x', '') + 1 }}",
    "{{ this.identifier + 1 }}",
    "{{ model.nope.x }}",
    "{{ invocation_args_dict.x.y }}",
    "{% set own = config.get('x', validator=validation.any[str]) %}{{ sql }}",
    "{% if not is_incremental() %}{{ 'a' + 1 }}{% endif %}",
    "{% set rows = 0 if flags.FULL_REFRESH else 1 %}{{ 1 / (rows - 1) }}",
)
"""Templates that stop at a value of the target, the command or the database."""


def model(code: str, **fields: Any) -> NodeMetadata:
    given = {"resource_type": "model", "materialized": "table", "path": "models/m.sql", **fields}
    unique_id = f"{given['resource_type']}.shop.m"
    return NodeMetadata(
        unique_id=unique_id, name="m", package_name="shop", language="sql", raw_code=code, **given
    )


def project(
    *nodes: NodeMetadata, status: str = "", macros: dict[str, str] | None = None, **run: Any
) -> Project:
    own = MACROS if macros is None else macros
    found = [("shop", name, text) for name, text in own.items()]
    found += [("dbt", name, f"{{% macro {name}() %}}{{% endmacro %}}") for name in OF_DBT]
    return Project(
        run=RunMetadata(
            run_id="r",
            run_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
            project_name="shop",
            environment="e",
            **{"adapter_type": "duckdb", "command": "build", "variables": {}, **run},
        ),
        nodes=nodes,
        macros=tuple(
            MacroMetadata(
                unique_id=f"macro.{package}.{name}", name=name, package_name=package, macro_sql=text
            )
            for package, name, text in found
        ),
        results=tuple(
            NodeResult(unique_id=node.unique_id, status=status, message=FAILED) for node in nodes if status
        ),
    )


def reason(given: Project, folder: Path | None = None) -> str:
    (found,) = with_build_failures([given], [folder], {})
    assert [node.compiled_code for node in found.nodes] == [node.compiled_code for node in given.nodes]
    failure = found.nodes[0].properties.get(BUILD_FAILURE) or {}
    return " ".join(map(str, failure.values()))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dbt_project.yml").write_text("name: shop\nvars: {day: 1}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("node", "said"),
    [
        (model("select {{ nope('a') }}"), "it uses 'nope', which no file defines models/m.sql:1"),
        (model("-- {{ nope() }}\nselect 1"), "it uses 'nope', which no file defines models/m.sql:1"),
        (
            model("{% macro own() %}{{ cents(1) }}{% endmacro %}select {{ own() }}"),
            "it uses 'own', which dbt does not find in the file that uses it models/m.sql:1",
        ),
        (model("{% macro cents() %}{% endmacro %}select {{ cents(1) }}"), ""),
        *((model(f"{code} select 1"), f"{said} models/m.sql:1") for code, said in REJECTED.items()),
        *((model(f"\n{code} select 1"), f"{said} models/m.sql:2") for code, said in STOPPED.items()),
        *((model(f"{code} select 1"), "") for code in (*ACCEPTED, *UNKNOWN)),
        (model("\nselect {{ cents(c=1,\n c=1) }}"), "keyword argument repeated: c models/m.sql:2"),
        (
            model("\nselect {{ twice(1) }}"),
            "argument 'c' in function definition, in macro shop.twice",
        ),
        (model("select 1;"), 'syntax error at or near ";" models/m.sql:1'),
        (model("select {{ 1 }};", compiled_code="select 1;"), 'syntax error at or near ";" models/m.sql:1'),
        (model("-- to do", compiled_code="-- to do"), "its SQL is empty models/m.sql"),
        (
            model("select 1", compiled_code="select 1", config={"post-hook": [{"sql": "{{ nope() }}"}]}),
            "in its post-hook, it uses 'nope'",
        ),
        (model("{{ nope() }}", resource_type="operation", materialized=None), "it uses 'nope'"),
        (model("{{ test_gone(1) }}", resource_type="test", materialized="test"), "it uses 'test_gone'"),
        (model("select {{ cents('a') }}"), ""),
        (model("select {{ run_query('select 1') }}"), ""),
        (model("", compiled_code=""), ""),
        (model("select 1;", compiled_code="select 1;", materialized="ephemeral"), ""),
    ],
    ids=str,
)
def test_what_dbt_did_not_build_is_judged(node: NodeMetadata, said: str, folder: Path) -> None:
    found = reason(project(node), folder)

    assert said in found and bool(said) is bool(found)


@pytest.mark.parametrize(("name", "said"), MATERIALIZED.items())
@pytest.mark.parametrize("code", [None, "select 1"])
def test_a_materialization_that_the_adapter_lacks_fails(name: str, said: str, code: str | None) -> None:
    node = model("select 1", compiled_code=code, config={"materialized": name})
    own = dict.fromkeys(["materialization_own_postgres", "materialization_newer_duckdb"], "")

    assert reason(project(node, macros=own)) == said


@pytest.mark.parametrize(("status", "fails"), [("success", False), ("error", True), ("skipped", True)])
def test_what_dbt_built_can_be_built(status: str, fails: bool) -> None:
    broken = model("select {{ nope() }};", compiled_code="select 1;")

    assert bool(reason(project(broken, status=status))) is fails
    assert reason(project(broken, status=status, command=None)), "results of an earlier command"


def test_what_dbt_could_not_compile_fails_with_its_reason() -> None:
    node = model("select {{ run_query('select 1') }}")

    assert reason(project(node, status="error")) == "Required var 'x' not found in config: models/m.sql"
    assert reason(project(node, status="success")) == ""


@pytest.mark.parametrize(
    ("code", "variables", "said"),
    [
        (
            "select {{ var('month') }}",
            {},
            "variable 'month' has neither a value nor a default models/m.sql:1",
        ),
        ("select {{ var('month') }}", None, "nor a default models/m.sql:1 --vars"),
        ("select {{ var('month') }}", {"month": "1f"}, "nor a default models/m.sql:1 --vars"),
        ("{% if var('day') == 1 %}{{ nope() }}{% endif %}select 1", None, "defines models/m.sql:1 --vars"),
        ("{% if var('day') == 1 %}{{ nope() }}{% endif %}select 1", {"x": "1f"}, "defines models/m.sql:1"),
    ],
)
def test_a_failure_that_other_variables_avoid_is_not_certain(
    code: str, variables: dict[str, str] | None, said: str, folder: Path
) -> None:
    assert reason(project(model(code), variables=variables), folder).endswith(said)


def test_without_the_file_of_the_project_its_variables_and_packages_are_not_known() -> None:
    code = "select {{ adapter.dispatch('pick', 'other')() }}, {{ var('month') }}"

    assert reason(project(model(code))) == ""
    assert reason(project(model(code.replace(", 'other'", "")))).startswith("no file defines what it")


def test_a_manifest_without_the_macros_of_dbt_proves_no_missing_macro() -> None:
    given = project(model("select {{ nope() }}"))

    assert reason(replace(given, macros=given.macros[:1])) == ""


def test_only_nodes_that_differ_between_two_sides_are_judged() -> None:
    both = project(model("select {{ nope() }}"))
    edited = project(model("select {{ nope() }} as a"))
    sound = project(both.nodes[0], macros={"nope": "{% macro nope() %}1{% endmacro %}"})

    def fails(*sides: Project) -> list[bool]:
        found = with_build_failures(sides, [None, None], {})
        return [BUILD_FAILURE in side.nodes[0].properties for side in found]

    assert fails(both, both) == [False, False]
    assert fails(both, edited) == [True, True]
    assert fails(sound, both) == [False, True]


@pytest.mark.parametrize("adapter", ["postgres", "redshift", "snowflake"])
@pytest.mark.parametrize(
    ("code", "fails"),
    [("select 1;", True), ("select 1 ; -- end", True), ("select ';' -- a; b", False), ("selec 1", False)],
)
def test_a_semicolon_cannot_stand_in_parentheses(adapter: str, code: str, fails: bool) -> None:
    assert bool(reason(project(model(code, compiled_code=code), adapter_type=adapter))) is fails


@pytest.mark.parametrize(("variables", "said"), [({}, "the build fails"), (None, "the build may fail")])
def test_a_diff_says_what_certainly_fails_and_what_may(
    variables: dict[str, str] | None, said: str, folder: Path
) -> None:
    code = "select {{ var('month') }} as a"
    sides = [project(model("select 1 as a")), project(model(code), variables=variables)]
    before, after = (ProjectSide.of(side) for side in with_build_failures(sides, [folder, folder], {}))

    details = [detail.current for detail in compare(before, after)["model.shop.m"].details]

    assert any(str(text).startswith(said) for text in details), details


@pytest.mark.parametrize("kind", ["model", "test"])
def test_an_added_node_that_may_fail_is_named_with_its_reason(kind: str, folder: Path) -> None:
    added = model("select {{ var('month') }} as a", resource_type=kind, materialized=None)
    sides = [project(), project(added, variables=None)]
    found = whole_diff(*with_build_failures(sides, [folder, folder], {}), NOTHING_MORE)
    sentence = (
        "m may fail: variable 'month' has neither a value nor a default, unless --vars sets other values"
    )

    assert sentence in report.diff_text(found, width=200, color=False)
    with pytest.raises(ConditionFailed, match=f"found 1 change: m; {sentence}"):
        refuse_failing(found, frozenset({"may_fail"}))


def test_nodes_that_a_failed_test_left_out_were_not_built() -> None:
    runs = [project(build_status="failed", build_failures=1, build_skipped=skipped) for skipped in (4, 0)]
    skipping, whole = (whole_diff(project(), run, NOTHING_MORE) for run in runs)

    refuse_failing(whole, frozenset({"fails"}))
    refuse_failing(skipping, frozenset({"breaking"}))
    with pytest.raises(ConditionFailed, match=r"^current: build failed, 1 failed test, 4 skipped$"):
        refuse_failing(skipping, frozenset({"fails"}))


@pytest.mark.parametrize("is_compiled", [True, False])
@pytest.mark.parametrize(
    ("test", "arguments", "missing"),
    [
        ("not_null", {"column_name": "amount"}, "amount"),
        ("not_null", {"column_name": "id"}, None),
        ("unique", {"column_name": "id || 'a'"}, None),
        ("relationships", {"column_name": "id", "field": "amount"}, "amount"),
        ("own", {"column_name": "amount"}, "amount"),
    ],
)
def test_a_new_test_of_an_absent_column_fails(
    is_compiled: bool, test: str, arguments: dict[str, str], missing: str | None
) -> None:
    table = model("select 1 as id", compiled_code="select 1 as id", relation_name='"d"."s"."m"')
    code = " union all ".join(f'select {name} from "d"."s"."m"' for name in arguments.values())
    added = NodeMetadata(
        unique_id="test.shop.t", name="t", package_name="shop", resource_type="test", language="sql",
        raw_code="{{ test() }}", compiled_code=code if is_compiled else None, parents=(table.unique_id,),
        properties={
            "test_metadata": {"name": test, "kwargs": arguments}, "attached_node": table.unique_id,
        },
    )  # fmt: skip

    diff = whole_diff(project(table), project(table, added), NOTHING_MORE)

    (change,) = diff.changed
    if missing is None or (test == "own" and not is_compiled):
        assert not change.build_failure
    else:
        assert change.build_failure.startswith(f'Referenced column "{missing}" not found in FROM clause!')


@pytest.mark.parametrize(
    ("reader", "words"),
    [("a", "cycle: a → b → c → a"), ("b", "cycle: b → c → b"), ("c", "cycle: c → c"), ("d", "")],
)
def test_new_references_that_close_a_cycle_fail(reader: str, words: str) -> None:
    chain = [
        test_kept_rows.node("a", "select 1 as id"),
        *(test_kept_rows.node(n, f"select id from {p}", f"model.shop.{p}") for n, p in ("ba", "cb")),
    ]
    chain.append(test_kept_rows.node("d", "select 1 as id"))
    edited = [
        replace(one, raw_code=f"{one.raw_code} --", parents=(*one.parents, "model.shop.c"))
        if one.name == reader
        else one
        for one in chain
    ]
    found = whole_diff(
        test_kept_rows.project("b", *chain), test_kept_rows.project("bc", *edited), NOTHING_MORE
    )

    assert [one.name for one in found.changes if one.fails] == ([reader] if words else [])
    assert words in " ".join(found.changes[0].category_reasons)


def test_a_name_in_sql_that_leads_back_is_no_reference() -> None:
    one = test_kept_rows.node("a", "select 1 as id")
    own = {"model.shop.a": EdgeOrigin("sql", LIKELY)}
    edited = replace(one, raw_code="insert into a select 2", parents=("model.shop.a",), edge_origins=own)

    assert not any(
        one.fails
        for one in whole_diff(
            test_kept_rows.project("b", one), test_kept_rows.project("bc", edited), NOTHING_MORE
        ).changes
    )


@pytest.mark.parametrize(
    ("metadata", "macros", "fails"),
    [
        ({"name": "accepted_values", "kwargs": {"model": "m"}}, {}, True),
        ({"name": "relationships", "kwargs": {"model": "m", "to": "ref('m')"}}, {}, True),
        ({"name": "accepted_values", "kwargs": {"values": [1]}}, {}, False),
        ({"name": "accepted_values"}, {}, False),  # an old manifest
        ({"name": "accepted_values", "namespace": "other", "kwargs": {"model": "m"}}, {}, False),
        ({"name": "accepted_values", "kwargs": {"model": "m"}}, {"test_accepted_values": ""}, False),
    ],
)
def test_a_test_of_dbt_without_a_required_argument_fails(
    metadata: dict[str, Any], macros: dict[str, str], fails: bool
) -> None:
    node = model("select 1", resource_type="test", properties={"test_metadata": metadata})

    assert ("it passes no '" in reason(project(node, macros=macros))) is fails


def test_a_relation_that_differs_only_in_case_from_another_fails_unless_base_has_it() -> None:
    first, second = (
        replace(model("select 1"), unique_id=f"model.shop.{name}", name=name, relation_name=f'"s"."{name}"')
        for name in ("farm", "FARM")
    )

    def failing(*base: NodeMetadata, **run: Any) -> set[str]:
        sides = [project(*base, **run), project(first, second, **run)]
        _, current = with_build_failures(sides, [None, None], {})
        return {node.name for node in current.nodes if BUILD_FAILURE in node.properties}

    assert failing(first) == {"FARM"}
    assert failing() == {"farm", "FARM"}
    assert failing(first, adapter_type="bigquery") == failing(first, second) == set()
