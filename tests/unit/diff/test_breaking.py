"""What a change can break, by each of its reasons; comparing SQL itself is a function that is passed in."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.diff.breaking import categorise, merge_effects, readers_of_ephemeral
from recce_meta.diff.changes import compare
from recce_meta.diff.project_side import ProjectSide
from recce_meta.graph import build_lineage_graph
from recce_meta.models import (
    Change,
    ChangeDetail,
    Column,
    MacroMetadata,
    NodeMetadata,
    Reason,
    RunMetadata,
    Status,
    code_hash,
)
from recce_meta.models.change import Category, ColumnChange, SqlChange
from recce_meta.models.node import CONTRACT_ORDER, SEED_HEADER

NONE, ADDS, PARTIAL, BREAKS, UNKNOWN = (
    Category.NONE,
    Category.NON_BREAKING,
    Category.PARTIAL_BREAKING,
    Category.BREAKING,
    Category.UNKNOWN,
)


def node(code: str | None = "select 1 as a", compiled: str | None = "same", **fields: Any) -> NodeMetadata:
    """A model; *compiled* is its code unless given."""
    kind = fields.setdefault("resource_type", "model")
    fields.setdefault("unique_id", f"{kind}.shop.orders")
    fields.setdefault("config", {"materialized": "table"})
    return NodeMetadata(
        name=fields["unique_id"].rpartition(".")[2],
        language=fields.pop("language", "sql"),
        raw_code=code,
        compiled_code=code if compiled == "same" else compiled,
        code_hash=code_hash(code) if code else None,
        materialized=fields["config"].get("materialized"),
        **fields,
    )


def told(*words: Any) -> Any:
    """A comparison of SQL that answers always the same, or one that nobody may ask."""
    found = SqlChange(category=words[0], columns=tuple(words[1:])) if words else None

    def answer(_before: NodeMetadata, old: str, _after: NodeMetadata, new: str) -> SqlChange:
        assert found is not None, f"no SQL changed, and {old!r} is compared with {new!r}"
        return found

    return answer


def judged(before: NodeMetadata, after: NodeMetadata, *answer: Any, **macros: tuple[str, str]) -> Change:
    """The change from *before* to *after*, where comparing their SQL gives *answer*."""
    sides = [
        ProjectSide(
            {one.unique_id: one},
            {
                f"macro.shop.{name}": MacroMetadata(
                    unique_id=f"macro.shop.{name}", name=name, package_name="shop", macro_sql=texts[index]
                )
                for name, texts in macros.items()
            },
        )
        for index, one in enumerate((before, after))
    ]
    changes = categorise(compare(*sides), *sides, told(*answer))
    return changes.changes[after.unique_id]


def with_config(**config: Any) -> NodeMetadata:
    return node(config={"materialized": "table", **config})


def test_code_is_judged_by_the_sql_that_both_sides_compiled_to() -> None:
    change = judged(node("select 1 as a"), node("select 2 as a"), PARTIAL, ColumnChange("a", Status.MODIFIED))

    assert change.reasons == (Reason.BODY,)
    assert change.category is PARTIAL
    assert change.columns == (ColumnChange("a", Status.MODIFIED),)


def test_the_same_template_that_compiled_to_other_sql_is_judged_by_it() -> None:
    before, after = (node("select {{ var('n') }}", compiled=f"select {n}") for n in (1, 2))

    change = judged(before, after, BREAKS)

    assert (change.reasons, change.category) == ((Reason.COMPILED,), BREAKS)


@pytest.mark.parametrize("compiled", [(None, None), ("select 1", None), (None, "select 2")])
def test_code_that_was_not_compiled_on_both_sides_is_unknown(compiled: tuple[str | None, ...]) -> None:
    before = node("select {{ a }}", compiled=compiled[0])

    assert judged(before, node("select {{ b }}", compiled=compiled[1])).category is UNKNOWN


def test_python_is_unknown_whatever_it_compiles_to() -> None:
    before, after = (node(f"def model(dbt, session): return {n}", language="python") for n in (1, 2))

    assert judged(before, after).category is UNKNOWN


BRANCH = "select a from t{% if is_incremental() %} where b > 1{% endif %}"


def test_an_edit_of_a_branch_that_was_not_compiled_is_judged_by_its_sql() -> None:
    before = node(BRANCH, compiled="select a from t")
    after = node(BRANCH.replace("> 1", "> 2"), compiled="select a from t")

    assert judged(before, after, BREAKS).category is BREAKS


def test_an_edit_beside_a_branch_is_judged_by_what_was_compiled() -> None:
    before = node(BRANCH, compiled="select a from t")
    after = node(BRANCH.replace("select a", "select a, b"), compiled="select a, b from t")

    assert judged(before, after, ADDS, ColumnChange("b", Status.ADDED)).category is ADDS


def test_an_edit_of_both_is_as_bad_as_the_worse() -> None:
    before = node(BRANCH, compiled="select a from t")
    after = node(BRANCH.replace("> 1", "> 2").replace("select a", "select b"), compiled="select b from t")

    def answer(_before: NodeMetadata, old: str, _after: NodeMetadata, new: str) -> SqlChange:
        return SqlChange(category=BREAKS if "where" in old and "where" in new else ADDS)

    sides = [ProjectSide({one.unique_id: one}) for one in (before, after)]
    (change,) = categorise(compare(*sides), *sides, answer).changes.values()
    assert change.category is BREAKS


def test_a_macro_is_judged_by_the_sql_that_it_gave_and_one_in_a_hook_is_unknown() -> None:
    before = node("select {{ f() }}", compiled="select 1", macros=("macro.shop.f",))
    after = node("select {{ f() }}", compiled="select 2", macros=("macro.shop.f",))
    hooked = with_config(**{"post-hook": [{"sql": "{{ f() }}"}]})

    assert judged(before, after, NONE, f=("{{ 1 }}", "{{ 2 }}")).category is NONE
    assert judged(hooked, hooked, f=("{{ 1 }}", "{{ 2 }}")).category is UNKNOWN


@pytest.mark.parametrize(
    ("macro", "expected"), [("table_default", UNKNOWN), ("view_default", UNKNOWN), ("listed_default", ADDS)]
)
def test_another_materialization_is_unknown_if_it_is_one_of_the_project(
    macro: str, expected: Category
) -> None:
    before, after = (with_config(materialized=one) for one in ("view", "table"))

    found = judged(before, after, **{f"materialization_{macro}": ("{{ 1 }}", "{{ 1 }}")})

    assert found.category is expected


def test_another_parent_of_an_equal_template_is_unknown_without_compiled_sql() -> None:
    before, after = (node("{{ ref('m') }}", None, parents=(f"model.shop.m.{one}",)) for one in ("v1", "v2"))

    assert judged(before, after).category is UNKNOWN
    assert judged(before, replace(after, compiled_code="a"), NONE).category is UNKNOWN


def test_ids_that_are_not_dbts_are_parents_as_well() -> None:
    before = node(parents=("b",))

    assert judged(before, replace(before, parents=())).category is NONE


@pytest.mark.parametrize(
    ("hook", "expected"),
    [
        ("update {{ this }} set v = (select sum(v) from {{ ref('m') }})", UNKNOWN),
        ("{{ f() }}", UNKNOWN),
        ("insert into {{ this }} select v from prod.m", UNKNOWN),
        ("delete from {{ this }} where v = 1", NONE),
        ("grant select on {{ this }} to reader", NONE),
    ],
)
def test_another_parent_that_a_hook_may_read_is_unknown(hook: str, expected: Category) -> None:
    """Until then, `ref` without a version in a hook followed `latest_version` without an effect."""
    before, after = (
        replace(
            with_config(**{"post-hook": [{"sql": hook}]}),
            parents=(f"model.shop.m.{one}",),
            macros=("macro.shop.f",),
        )
        for one in ("v1", "v2")
    )
    macro = "update {{ this }} set v = (select sum(v) from {{ ref('m') }})"

    assert judged(before, after, f=(macro, macro)).category is expected


def test_another_parent_that_a_branch_or_python_may_read_is_unknown() -> None:
    code = "select 1 {% if is_incremental() %} from {{ ref('m') }} {% endif %}"
    branch = node(code, "select 1", config={"materialized": "incremental"})
    for one in (branch, replace(branch, language="python", compiled_code="same")):
        before, after = (replace(one, parents=(f"model.shop.m.{version}",)) for version in ("v1", "v2"))

        assert judged(before, after).category is UNKNOWN


@pytest.mark.parametrize(
    "hook",
    [
        "{{ context['f']() }}",
        "{{ context.get('f')() }}",
        "{{ context[var('name')]() }}",
        "{{ adapter.dispatch('f')() }}",
        "{{ adapter.dispatch(name)() }}",
    ],
)
def test_a_macro_that_a_hook_looks_up_by_a_string_is_unknown(hook: str) -> None:
    hooked = with_config(**{"post-hook": [{"sql": hook}]})

    assert judged(hooked, hooked, f=("{{ 1 }}", "{{ 2 }}")).category is UNKNOWN


@pytest.mark.parametrize(
    ("hook", "category"),
    [
        ("delete from {{ this }} where City = 'x'", BREAKS),
        ("delete from {{ this }} where {{ var('column') }} = 'x'", BREAKS),
        ("delete from {{ this }} where zip = 'x'", PARTIAL),
        ("create index i on {{ this }} (city)", PARTIAL),
    ],
)
def test_other_values_of_a_column_by_which_a_hook_removes_rows_are_breaking(
    hook: str, category: Category
) -> None:
    config = {"materialized": "table", "post-hook": [{"sql": hook}]}
    before, after = (node(sql, compiled=sql, config=config) for sql in ("a", "b"))

    change = judged(before, after, PARTIAL, ColumnChange("city", Status.MODIFIED))

    assert change.category is category
    shown = "a hook may write or remove rows by city" in (change.category_reasons or ())
    assert shown == (category is BREAKS)


@pytest.mark.parametrize(
    ("before", "after", "category"),
    [
        ({"query_tag": "a"}, {"query_tag": "b"}, NONE),
        ({"docs": {"show": True}}, {"docs": {"show": False}}, NONE),
        ({"persist_docs": {"relation": True}}, {}, NONE),
        ({"cluster_by": ["a"]}, {"cluster_by": ["b"]}, ADDS),
        ({"indexes": [{"columns": ["a"]}]}, {}, ADDS),
        ({"unique_key": "a"}, {"unique_key": "b"}, BREAKS),
        ({"incremental_strategy": "append"}, {"incremental_strategy": "merge"}, BREAKS),
        ({"on_schema_change": "ignore"}, {"on_schema_change": "fail"}, BREAKS),
        ({"grants": {"select": ["a"]}}, {}, UNKNOWN),
        ({"post-hook": "insert into t select 1"}, {}, UNKNOWN),
        ({}, {"post-hook": "delete from {{ this }} where id = 1"}, BREAKS),
        ({"sql_header": "set x"}, {}, UNKNOWN),
        ({"nobody_knows_this": 1}, {"nobody_knows_this": 2}, UNKNOWN),
        ({"materialized": "view"}, {"materialized": "table"}, ADDS),
        ({"materialized": "ephemeral"}, {"materialized": "view"}, ADDS),
        ({"materialized": "table"}, {"materialized": "ephemeral"}, BREAKS),
        ({"materialized": "table"}, {"materialized": "incremental"}, BREAKS),
        ({"materialized": "view"}, {"materialized": "materialized_view"}, BREAKS),
    ],
)
def test_each_key_of_the_configuration_has_its_category(
    before: dict[str, Any], after: dict[str, Any], category: Category
) -> None:
    change = judged(with_config(**before), with_config(**after))

    assert change.reasons == (Reason.CONFIG,)
    assert change.category is category


LISTED = (Column(name="id", documented=True),)


@pytest.mark.parametrize(
    ("edit", "hook", "macro", "category"),
    [
        ({"description": "new"}, "set v = '{{ model.description }}'", "", UNKNOWN),
        ({"description": "new"}, "{{ f(model) }}", "{{ node.get('description') }}", UNKNOWN),
        ({"description": "new"}, "set v = '{{ tojson(model) }}'", "", UNKNOWN),
        ({"description": "new"}, "set v = '{{ model.name }}'", "", NONE),
        ({"description": "new"}, "{{ f(this) }}", "{{ run_query(sql).description }}", NONE),
        (
            {"columns": (replace(LISTED[0], description="new"),)},
            "{{ model.columns.id.description }}",
            "",
            UNKNOWN,
        ),
        ({"columns": (replace(LISTED[0], tags=("new",)),)}, "{{ model.columns.id.tags }}", "", UNKNOWN),
        ({"columns": (replace(LISTED[0], tags=("new",)),)}, "{{ model.columns.id.name }}", "", NONE),
        (
            {"columns": (*LISTED, Column(name="v", documented=True))},
            "{{ model.columns | join }}",
            "",
            UNKNOWN,
        ),
        ({"columns": (*LISTED, Column(name="v", documented=True))}, "{{ results.columns | join }}", "", None),
    ],
)
def test_documentation_that_a_hook_reads_has_an_unknown_effect(
    edit: dict[str, Any], hook: str, macro: str, category: Category | None
) -> None:
    before = replace(with_config(**{"post-hook": [{"sql": hook}]}), columns=LISTED)

    assert judged(before, replace(before, **edit), f=(macro, macro)).category is category


@pytest.mark.parametrize(
    ("code", "category"),
    [
        ("def model(dbt, session): return dbt.config.meta_get('k')", UNKNOWN),
        ("def model(dbt, session): return dbt.config.get('meta')", UNKNOWN),
        ("def model(dbt, session): return dbt.config.get('k')  # 'meta'", NONE),
    ],
)
def test_meta_that_a_python_model_reads_has_an_unknown_effect(code: str, category: Category) -> None:
    before = node(code, language="python", meta={"k": 1})

    assert judged(before, replace(before, meta={"k": 2})).category is category


def test_meta_that_a_hook_requires_has_an_unknown_effect() -> None:
    before = replace(with_config(**{"post-hook": "set v = {{ config.meta_require('k') }}"}), meta={"k": 1})

    assert judged(before, replace(before, meta={"k": 2})).category is UNKNOWN


def test_macros_that_write_comments_read_descriptions_without_an_effect() -> None:
    before = with_config(**{"post-hook": [{"sql": "{{ persist_docs(this, model) }}"}]})
    macro = "{{ alter_relation_comment(relation, model.description) }}"

    change = judged(before, replace(before, description="new"), persist_docs=(macro, macro))

    assert change.category is NONE


def test_a_type_of_a_seeds_column_touches_that_column() -> None:
    before, after = (
        node(None, resource_type="seed", config={"column_types": {"code": kind}}) for kind in ("int", "text")
    )

    change = judged(before, after)

    assert (change.category, change.columns) == (PARTIAL, (ColumnChange("code", Status.MODIFIED),))


def test_a_seed_keeps_a_column_without_its_type_in_the_settings() -> None:
    seeds = [
        node(
            None, resource_type="seed", config={"column_types": types}, columns_from="catalog",
            columns=(Column(name="code", type=types.get("code")),), properties={SEED_HEADER: ["code"]},
        )
        for types in ({"code": "text"}, {})
    ]  # fmt: skip

    for before, after in (seeds, seeds[::-1]):
        change = judged(before, after)

        assert change.reasons == (Reason.CONFIG,)
        assert change.columns == (ColumnChange("code", Status.MODIFIED),)


def test_other_rows_of_a_seed_are_breaking() -> None:
    before = node(None, resource_type="seed")

    change = judged(replace(before, code_hash="a"), replace(before, code_hash="b"))

    assert (change.reasons, change.category) == ((Reason.DATA,), BREAKS)


def test_another_place_is_breaking() -> None:
    before, after = (
        node(schema_name="main", identifier=name, relation_name=f'"main"."{name}"')
        for name in ("orders", "fct_orders")
    )

    change = judged(before, after)

    assert (change.reasons, change.category) == ((Reason.RELATION,), BREAKS)


@pytest.mark.parametrize(("materialized", "travels"), [("table", False), ("incremental", True)])
def test_models_follow_a_table_that_is_merely_somewhere_else(materialized: str, travels: bool) -> None:
    """One that is only added to starts again there."""
    config = {"materialized": materialized}
    sides = [
        ProjectSide({"model.shop.orders": node(config=config, identifier=name, relation_name=name)})
        for name in ("orders", "fct_orders")
    ]

    found = categorise(compare(*sides), *sides, told())

    assert found.changes["model.shop.orders"].category is BREAKS
    assert found.effects["model.shop.orders"].category is (BREAKS if travels else NONE)
    assert bool(found.moved) is not travels


def test_a_redirected_source_is_not_built_again() -> None:
    before, after = (
        node(resource_type="source", schema_name="ext", identifier=name, relation_name=f'"ext"."{name}"')
        for name in ("events", "events2")
    )

    change = judged(before, after)

    assert (change.category, change.category_reasons) == (BREAKS, ("readers read another relation",))


def with_columns(**types: str) -> NodeMetadata:
    columns = tuple(Column(name=name, type=kind) for name, kind in types.items())
    return node(columns=columns, columns_from="catalog")


@pytest.mark.parametrize(
    ("after", "category", "touched", "moved"),
    [
        ({"a": "INT", "b": "TEXT", "c": "INT"}, ADDS, [ColumnChange("c", Status.ADDED)], False),
        ({"a": "INT"}, PARTIAL, [ColumnChange("b", Status.REMOVED)], False),
        ({"a": "BIGINT", "b": "TEXT"}, PARTIAL, [ColumnChange("a", Status.MODIFIED)], False),
        ({"b": "TEXT", "a": "INT"}, ADDS, [], True),
    ],
)
def test_columns_as_the_catalogs_have_them_count_where_the_sql_does_not_tell(
    after: dict[str, str], category: Category, touched: list[ColumnChange], moved: bool
) -> None:
    change = judged(with_columns(a="INT", b="TEXT"), with_columns(**after))

    assert change.reasons == (Reason.COLUMNS,)
    assert (change.category, list(change.columns), change.columns_moved) == (category, touched, moved)


def with_contract(
    *names: str, enforced: bool = True, materialized: str = "table", **types: str
) -> NodeMetadata:
    """A model whose YAML declares columns *names*; *types* are those of its catalog."""
    declared = {name: Column(name=name, documented_type="numeric(10,0)", documented=True) for name in names}
    found = tuple(replace(declared.get(name, Column(name)), type=kind) for name, kind in types.items())
    return node(
        config={"materialized": materialized},
        contract={"enforced": True} if enforced else None,
        columns=found or tuple(declared.values()),
        columns_from="catalog" if found else "manifest",
    )


def test_an_enforced_contract_orders_the_columns_of_a_table() -> None:
    change = judged(with_contract("id", "v"), with_contract("v", "id"))

    assert (change.reasons, [one.key for one in change.details]) == ((Reason.CONTRACT,), ["(order)"])
    assert (change.category, change.columns, change.columns_moved) == (ADDS, (), True)


def test_an_order_that_no_catalog_shows_yet_is_that_of_the_next_build() -> None:
    earlier = with_contract("id", "v", id="INT", v="INT")
    edited = replace(earlier, properties={CONTRACT_ORDER: ["v", "id"]})

    (detail,) = judged(earlier, edited).details

    assert (detail.reason, detail.key, detail.base, detail.current) == (
        Reason.CONTRACT,
        "(order)",
        ["id", "v"],
        ["v", "id"],
    )


REFUSES = "the rows of the next build may break the constraints of its contract"


@pytest.mark.parametrize(
    ("column", "materialized", "category", "reason"),
    [
        (Column("v", constraints=({"type": "not_null"},)), "table", UNKNOWN, REFUSES),
        (Column("v", constraints=({"type": "not_null"},)), "view", ADDS, "contract changed"),
        (Column("V"), "view", UNKNOWN, "its contract spells a column in another letter case"),
    ],
)
def test_a_contract_may_refuse_rows_and_the_case_of_names(
    column: Column, materialized: str, category: Category, reason: str
) -> None:
    before = with_contract("v", materialized=materialized)
    named = replace(column, documented_type="numeric(10,0)", documented=True)
    change = judged(before, replace(before, columns=(named,)))

    assert (change.category, change.category_reasons) == (category, (reason,))


@pytest.mark.parametrize("fields", [{"enforced": False}, {"materialized": "view"}])
def test_the_order_in_yaml_is_no_change_where_the_query_orders_the_columns(fields: dict[str, Any]) -> None:
    sides = [
        ProjectSide({one.unique_id: one})
        for one in (with_contract("id", "v", **fields), with_contract("v", "id", **fields))
    ]

    assert compare(*sides) == {}


NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)
V = [ColumnChange("v", Status.MODIFIED)]


@pytest.mark.parametrize(
    ("fields", "adapter", "category", "touched"),
    [
        ({}, "postgres", PARTIAL, V),
        ({}, "duckdb", PARTIAL, V),
        ({"v": "numeric"}, "postgres", PARTIAL, V),  # PostgreSQL's catalog has no sizes
        ({"v": "integer"}, "postgres", ADDS, []),
        ({"v": "DECIMAL(10,0)"}, "duckdb", ADDS, []),
        ({"v": "DECIMAL(10,0)", "materialized": "incremental"}, "duckdb", PARTIAL, V),
        ({"materialized": "view"}, "postgres", ADDS, []),
    ],
)
@pytest.mark.parametrize("turn", [1, -1])
def test_a_contract_on_one_side_only_may_convert_values(
    fields: dict[str, Any], adapter: str, category: Category, touched: list[ColumnChange], turn: int
) -> None:
    nodes = [with_contract("v", enforced=enforced, **fields) for enforced in (False, True)][::turn]
    run = RunMetadata(run_id="r", run_at=NOW, project_name="shop", adapter_type=adapter)
    sides = [ProjectSide({one.unique_id: one}, run=run) for one in nodes]
    change = categorise(compare(*sides), *sides, told()).changes["model.shop.orders"]

    assert change.reasons == (Reason.CONTRACT,)
    assert (change.category, list(change.columns)) == (category, touched)


def test_a_view_instead_of_a_table_loses_the_types_of_its_contract() -> None:
    change = judged(with_contract("v"), with_contract("v", materialized="view"))

    assert (change.category, list(change.columns)) == (PARTIAL, V)


def test_words_are_no_change_for_those_who_read_the_data() -> None:
    assert judged(node(description="a"), node(description="b")).category is NONE


def test_an_added_node_breaks_nothing_and_a_removed_one_all_that_reads_it() -> None:
    found = categorise(
        {
            name: Change(unique_id=name, name=name, resource_type="model", status=status)
            for name, status in (("new", Status.ADDED), ("gone", Status.REMOVED))
        },
        ProjectSide({}),
        ProjectSide({}),
        told(),
    )

    assert (found.changes["new"].category, found.changes["gone"].category) == (ADDS, BREAKS)
    assert set(found.effects) == {"gone"}


@pytest.mark.parametrize("kind", ["test", "unit_test", "exposure", "analysis", "operation"])
def test_what_nobody_reads_has_no_category(kind: str) -> None:
    before, after = (node(f"select {n}", resource_type=kind) for n in (1, 2))

    assert judged(before, after).category is None


def test_a_metric_that_is_defined_anew_is_breaking() -> None:
    before, after = (
        node(None, resource_type="metric", config={}, properties={"type_params": {"expr": name}})
        for name in ("a", "b")
    )

    assert judged(before, after).category is BREAKS


def test_a_node_that_only_its_environment_changed_has_no_category() -> None:
    before, after = (
        node("select '{{ target.name }}'", compiled=f"select '{name}'") for name in ("prod", "ci")
    )

    change = judged(before, after)

    assert (change.status, change.category) == (Status.UNCHANGED, None)


def test_the_most_severe_of_several_effects_counts_and_every_column_once() -> None:
    found = merge_effects(
        [
            SqlChange(
                category=ADDS, columns=(ColumnChange("a", Status.ADDED), ColumnChange("b", Status.ADDED))
            ),
            SqlChange(category=PARTIAL, columns=(ColumnChange("B", Status.REMOVED),), reasons=("x",)),
            SqlChange(category=UNKNOWN, reasons=("y", "x"), moved=True),
        ]
    )

    assert (found.category, found.reasons, found.moved) == (UNKNOWN, ("x", "y"), True)
    assert found.columns == (ColumnChange("a", Status.ADDED), ColumnChange("B", Status.REMOVED))
    assert merge_effects([]).category is NONE
    assert merge_effects([SqlChange(category=UNKNOWN), SqlChange(category=BREAKS)]).category is BREAKS


def test_what_an_ephemeral_model_changes_shows_in_those_that_it_is_put_into() -> None:
    """Through another ephemeral one, whose own code is as it was."""
    kinds = {"inner": "ephemeral", "outer": "ephemeral", "mart": "table", "other": "view"}
    parents = {"outer": "inner", "mart": "outer", "other": "mart"}
    sides = [
        ProjectSide(
            {
                f"model.shop.{name}": node(
                    "select 1",
                    compiled=f"with x as (select {n}) select 1" if name != "other" else "select 1",
                    unique_id=f"model.shop.{name}",
                    config={"materialized": kind},
                    parents=(f"model.shop.{parents[name]}",) if name in parents else (),
                )
                for name, kind in kinds.items()
            }
        )
        for n in (1, 2)
    ]
    inner = Change(
        unique_id="model.shop.inner",
        name="inner",
        resource_type="model",
        status=Status.MODIFIED,
        reasons=(Reason.BODY,),
        details=(ChangeDetail(Reason.BODY, "raw_code", "select 1", "select 2"),),
        category=PARTIAL,
    )
    graph = build_lineage_graph(sides[1].nodes.values())

    found = readers_of_ephemeral({inner.unique_id: inner}, *sides, graph, told(PARTIAL))

    assert found == {"model.shop.mart": ("model.shop.inner", 2, SqlChange(category=PARTIAL))}
