"""Notes on variables whose values no artifact has."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from recce_meta.diff.project_side import ProjectSide
from recce_meta.diff.unseen_values import compiled_once, uncompared_nodes, uncompared_note, unseen_value_notes
from recce_meta.models import MacroMetadata, NodeMetadata, RunMetadata

DAY = MacroMetadata(
    unique_id="macro.shop.day",
    name="day",
    package_name="shop",
    macro_sql="{% macro day() %}{{ var('day') }}{% endmacro %}",
)
COMPILED = (
    "SQL of 1 node not compared: neither run compiled it, and no artifact has the values of its variables (a)"
)
HOOK = "Variables in hooks of 1 node not compared: no artifact has their values (a)"
IS_INCREMENTAL = MacroMetadata(
    unique_id="macro.dbt.is_incremental", name="is_incremental", package_name="dbt"
)
BRANCH = (
    "Variables of 1 node not compared: a branch of is_incremental() that a run did not compile reads them, "
    "and no artifact has their values (a)"
)
BUILT = "Variables in materializations of 1 node not compared: no artifact has their values (a)"


def notes(
    *changed: str,
    more: tuple[MacroMetadata, ...] = (),
    given: dict[str, str] | None = None,
    **fields: object,
) -> list[str]:
    values = {"unique_id": "model.shop.a", "name": "a", "resource_type": "model", "language": "sql"} | fields
    node = NodeMetadata(**values)  # type: ignore[arg-type]
    run = RunMetadata(
        run_id="1", run_at=datetime(2026, 1, 1, tzinfo=UTC), project_name="shop", variables=given
    )
    known = {macro.unique_id: macro for macro in (DAY, *more)}
    side = ProjectSide({node.unique_id: node}, known, run)
    return list(unseen_value_notes(side, side, changed))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("select {{ var('x') }}", [COMPILED]),
        ("select {{ env_var('X', '1') }}", [COMPILED]),
        ("select {{ day() }}", [COMPILED]),
        ("select * from {{ ref('b') }}", []),
        ("select var('x')", []),
    ],
)
def test_a_template_that_no_side_compiled_may_read_other_values(code: str, expected: list[str]) -> None:
    assert notes(raw_code=code) == expected
    assert notes(raw_code=code, compiled_code="select 1") == notes("model.shop.a", raw_code=code) == []


@pytest.mark.parametrize(
    ("code", "is_equal"),
    [
        ("select {{ var('x', 2) }} from {{ this }}", True),
        ("delete from {{ this }} where id = {{ day() }}", True),
        ("delete from {{ this }} where id = {{ var('x') }} + {{ var('other') }}", False),
        ("delete from {{ this }} where id = {{ env_var('x') }}", False),
        ("delete from {{ this }} where id = {{ var('d' ~ 'ay') }}", False),
    ],
)
def test_values_that_both_runs_gave_alike_are_equal(code: str, is_equal: bool) -> None:
    for fields in (
        {"raw_code": code},
        {"compiled_code": "select 1", "config": {"post-hook": [{"sql": code}]}},
    ):
        given = {"x": "1", "day": "2"}
        assert notes(macros=(DAY.unique_id,), given=given, **fields) == (
            [] if is_equal else notes(macros=(DAY.unique_id,), **fields)
        )


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        ("delete from {{ this }} where id = {{ var('x') }}", [HOOK]),
        ("delete from {{ this }} where id = {{ day() }}", [HOOK]),
        ("delete from {{ this }} where id = 1", []),
        ("grant select on {{ this }} to {{ var('reader') }}", []),
    ],
)
def test_a_hook_that_writes_rows_may_read_other_values(hook: str, expected: list[str]) -> None:
    fields = {"compiled_code": "select 1", "macros": (DAY.unique_id,)}

    assert notes(config={"post-hook": [{"sql": hook}]}, **fields) == expected
    assert notes(resource_type="operation", raw_code=hook, **fields) == expected


@pytest.mark.parametrize(
    ("package", "text", "called", "expected"),
    [
        ("shop", "where v > {{ env_var('LIM', '5') }}", (), [BUILT]),
        ("tools", "where v > {{ var('lim') }}", (), [BUILT]),
        ("shop", "where d > {{ day() }}", (DAY.unique_id,), [BUILT]),
        ("shop", "where v > 5", (), []),
        ("dbt", "where v > {{ var('lim') }}", (), []),
    ],
)
def test_a_materialization_may_read_other_values(
    package: str, text: str, called: tuple[str, ...], expected: list[str]
) -> None:
    name = "materialization_bounded_default"
    macro = MacroMetadata(
        unique_id=f"macro.{package}.{name}", name=name, package_name=package, macro_sql=text, macros=called
    )
    fields = {"more": (macro,), "compiled_code": "select 1"}

    assert notes(materialized="bounded", **fields) == expected
    assert notes(materialized="table", **fields) == []
    assert notes(materialized="bounded", resource_type="test", **fields) == []


@pytest.mark.parametrize(
    ("condition", "shown", "is_noted"),
    [
        ("is_incremental()", ("", ""), True),
        ("is_incremental()", (" where d > 3", ""), True),
        ("is_incremental()", (" where d > 3", " where d > 3"), False),
        ("is_incremental() and var('on')", ("", ""), True),
        ("var('on') and is_incremental()", (" where d > 3", ""), True),
        ("true", ("", ""), False),
    ],
)
def test_a_branch_that_a_run_did_not_compile_may_read_other_values(
    condition: str, shown: tuple[str, str], is_noted: bool
) -> None:
    base, current = (
        ProjectSide(
            {
                "model.shop.a": NodeMetadata(
                    unique_id="model.shop.a", name="a", resource_type="model", package_name="shop",
                    language="sql", compiled_code="select 1" + sql, materialized="incremental",
                    raw_code=f"select 1{{% if {condition} %}} where d > {{{{ var('day') }}}}{{% endif %}}",
                )
            },
            {IS_INCREMENTAL.unique_id: IS_INCREMENTAL},
            RunMetadata(run_id="1", run_at=datetime(2026, 1, 1, tzinfo=UTC), project_name="shop"),
        )
        for sql in shown
    )  # fmt: skip

    for changed in ([], ["model.shop.a"]):
        assert list(unseen_value_notes(base, current, changed)) == ([BRANCH] if is_noted else [])


@pytest.mark.parametrize(
    ("code", "is_noted"),
    [
        ("{% if is_incremental() %} where d > (select max(d) from {{ this }}) {% endif %}", False),
        ("{% if is_incremental() %} where d > {{ var('given') }} {% endif %}", False),
        ("{% if is_incremental() %} where d > {{ var('other') }} {% endif %}", True),
        ("{% if is_incremental() and target.name == 'prod' %} where d > 1 {% endif %}", True),
        ("{% if is_incremental() %} where d > {{ run_query('select 1') }} {% endif %}", True),
    ],
)
def test_sql_that_one_run_compiled_is_compared_if_only_its_branch_may_differ(
    code: str, is_noted: bool
) -> None:
    node = NodeMetadata(
        unique_id="model.shop.a", name="a", resource_type="model", package_name="shop", language="sql",
        raw_code="select * from t" + code, materialized="incremental",
    )  # fmt: skip
    run = RunMetadata(
        run_id="1", run_at=datetime(2026, 1, 1, tzinfo=UTC), project_name="shop", variables={"given": "1"}
    )
    base, current = (
        ProjectSide({node.unique_id: one}, {IS_INCREMENTAL.unique_id: IS_INCREMENTAL}, run)
        for one in (replace(node, compiled_code="select * from t"), node)
    )
    once = compiled_once(base, current)

    assert once == {node.unique_id}
    assert uncompared_note(uncompared_nodes(base, current, once)) == (
        [
            "SQL of 1 node not compared: only one run compiled it, and it depends on variables, the "
            "environment or the database (a)"
        ]
        if is_noted
        else []
    )
