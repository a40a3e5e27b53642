"""Deferred builds: what is built in addition to changes, how it is named, and what is read from base."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from recce_meta.api.deferred_build import DeferredBuild, deferred_build, state_manifest
from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.api.run_reader import MemoryRunReader
from recce_meta.models import NodeMetadata, NodeResult, Project
from tests.unit.api.test_kept_rows import node as bare_node
from tests.unit.api.test_kept_rows import project

STG, ORDERS = "model.shop.stg", "model.shop.orders"


def node(name: str, sql: str, *parents: str, folder: str = "marts", **config: Any) -> NodeMetadata:
    """A node in a folder."""
    made = bare_node(name, sql, *parents, **config)
    return replace(made, fqn=("shop", folder, name), path=f"models/{folder}/{name}.sql")


def plan(base: Project, current: Project) -> DeferredBuild:
    diff = whole_diff(base, current, NOTHING_MORE)
    return deferred_build(MemoryRunReader(base), MemoryRunReader(current), diff)


def shop(sql: str, *more: NodeMetadata, run: str = "b", stg: str = "select 1 as a, 2 as b") -> Project:
    return project(run, node("stg", stg), node("orders", sql, STG), *more)


def test_an_edit_without_a_meaning_builds_nothing() -> None:
    build = plan(shop("select a from stg"), shop("select a from stg -- all", run="bc"))

    assert (build.planned, build.terms, build.skipped) == ({}, (), ())


def test_what_no_change_affects_is_read_from_base() -> None:
    reader = node("reader", "select b from orders", ORDERS)
    build = plan(
        shop("select a, b from stg", reader), shop("select a + 1 as a, b from stg", reader, run="bc")
    )

    assert build.planned == {ORDERS: "modified"} and build.skipped == ("model.shop.reader",)
    assert ["dbt", "build", *build.arguments("state")] == [
        *("dbt", "build", "--select", "shop.marts.orders", "--indirect-selection", "eager"),
        *("--defer", "--favor-state", "--state", "state"),
    ]


def test_a_parent_that_base_could_not_build_is_built() -> None:
    failed = NodeResult(unique_id=STG, status="error")
    base = replace(shop("select a from stg"), results=(failed,))

    build = plan(base, shop("select b as a from stg", run="bc"))

    assert build.planned[STG].startswith("a built node reads it, and in base ")
    assert list(build.planned) == [ORDERS, STG]


def test_a_parent_behind_an_ephemeral_model_is_built_if_base_lacks_its_relation() -> None:
    inner = replace(node("inner", "select a from stg", STG, materialized="ephemeral"), relation_name=None)
    sides = [
        project(
            run,
            replace(node("stg", "select 1 as a"), materialized=kept),
            inner,
            node("top", sql, "model.shop.inner"),
        )
        for run, kept, sql in (
            ("b", "ephemeral", "select a from inner"),
            ("bc", "ephemeral", "select a + 1 as a from inner"),
        )
    ]
    current = replace(
        sides[1],
        nodes=tuple(
            replace(one, materialized="table") if one.name == "stg" else one for one in sides[1].nodes
        ),
    )

    build = plan(sides[0], current)

    assert STG in build.planned and "model.shop.inner" not in build.planned


def test_a_model_with_the_name_of_a_folder_has_a_term_of_its_path() -> None:
    inside = replace(
        node("items", "select 1 as a"),
        fqn=("shop", "marts", "orders", "items"),
        path="models/marts/orders/items.sql",
    )

    build = plan(shop("select a from stg", inside), shop("select b as a from stg", inside, run="bc"))

    assert build.terms == ("path:models/marts/orders.sql,resource_type:model",) and build.notes == ()


def test_a_snapshot_of_one_relation_on_both_sides_is_not_built() -> None:
    sides = [
        project(run, node("stg", "select 1 as a"), node("history", sql, STG, materialized="snapshot"))
        for run, sql in (("b", "select a from stg"), ("bc", "select a + 1 as a from stg"))
    ]

    build = plan(*sides)

    assert build.planned == {}
    assert build.notes == ("Snapshots that write to one relation on both sides are not planned: history",)


def test_a_changed_test_is_selected_by_its_name() -> None:
    tests = [
        replace(
            node("positive", sql, ORDERS),
            unique_id="test.shop.positive",
            resource_type="test",
            materialized=None,
        )
        for sql in ("select * from orders where a < 0", "select * from orders where a < 1")
    ]

    build = plan(shop("select a from stg", tests[0]), shop("select a from stg", tests[1], run="bc"))

    assert build.planned == {} and build.terms == ("positive",)


def test_the_state_has_the_relations_of_base_without_ephemeral_models() -> None:
    inner = replace(node("inner", "select 1 as a", materialized="ephemeral"), relation_name=None)

    state = state_manifest(shop("select a from stg", inner))

    assert set(state["nodes"]) == {STG, ORDERS}
    assert state["nodes"][ORDERS]["relation_name"] == '"d"."s"."orders"'
    assert state["metadata"]["dbt_schema_version"].endswith("/v12.json")
