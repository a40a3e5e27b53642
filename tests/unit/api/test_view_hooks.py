"""Hooks that need a table, and a table that becomes a view."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.models import NodeMetadata, RunDiff
from recce_meta.models.change import Category
from recce_meta.warehouses.hooks import removes_rows
from tests.unit.api.test_kept_rows import node, project

SQL = "select 1 as id, -5 as amount"


def hooked(kind: str, hook: str = "", **more: object) -> NodeMetadata:
    config = {"post-hook": [{"sql": hook}]} if hook else {}
    return node("h", SQL, materialized=kind, **config, **more)


def diffed(*sides: tuple[NodeMetadata, ...], adapter: str = "duckdb") -> RunDiff:
    before, after = (
        project(name, *nodes, adapter=adapter) for name, nodes in zip(("b", "bc"), sides, strict=True)
    )
    return whole_diff(before, after, NOTHING_MORE)


@pytest.mark.parametrize(
    ("hook", "fails", "words"),
    [
        ("update {{ this }} set amount = 0", True, "the build fails: its post-hook runs UPDATE on a view"),
        ("insert into {{ this }} values (9, 1)", True, "runs INSERT on a view"),
        ("create index i on {{ this }} (id)", True, "runs CREATE on a view"),
        ("truncate table {{ this }}", True, "runs TRUNCATE on a view"),
        ("delete from h where id = 2", True, "runs DELETE on a view"),
        ("alter table {{ this }} add column n int", False, "may fail: its post-hook runs ALTER"),
        ("insert into audit select * from {{ this }}", False, ""),
        ("grant select on {{ this }} to reporter", False, ""),
    ],
)
def test_a_table_with_a_hook_that_needs_it_does_not_become_a_view(hook: str, fails: bool, words: str) -> None:
    found = diffed((hooked("table", hook),), (hooked("view", hook),))
    (change,) = found.changes

    assert change.fails is fails
    assert words in " ".join(change.category_reasons)
    assert bool(words) is (change.category is Category.BREAKING)


@pytest.mark.parametrize("kind", ["table", "view"])
def test_a_hook_that_base_has_on_the_same_kind_of_relation_is_no_fault(kind: str) -> None:
    hook = "update {{ this }} set amount = 0"
    edited = hooked(kind, hook)
    edited = replace(edited, compiled_code=f"{SQL} limit 1", raw_code=f"{SQL} limit 1")
    found = diffed((hooked(kind, hook),), (edited,))

    assert not any(one.fails for one in found.changes)


def test_a_warehouse_that_writes_through_views_may_fail() -> None:
    hook = "update {{ this }} set amount = 0"
    found = diffed((hooked("table", hook),), (hooked("view", hook),), adapter="postgres")
    (change,) = found.changes

    assert not change.fails and "the build may fail" in " ".join(change.category_reasons)


def test_an_operation_that_writes_the_table_is_listed_when_it_becomes_a_view() -> None:
    end = NodeMetadata(
        unique_id="operation.shop.shop-on-run-end-0",
        name="shop-on-run-end-0",
        resource_type="operation",
        package_name="shop",
        raw_code="update s.h set amount = 0",
    )
    found = diffed((hooked("table"), end), (hooked("view"), end))

    (impact,) = found.impacted
    assert (impact.unique_id, impact.fails) == (end.unique_id, False)


@pytest.mark.parametrize(
    ("hook", "removes"),
    [
        ("delete from audit", True),
        ("truncate audit", True),
        ("drop table if exists old", True),
        ("{{ adapter.drop_relation(old) }}", True),
        ("insert into audit select 1", False),
        ("grant delete on audit to x", False),
        ("-- delete from audit\nselect 1", False),
    ],
)
def test_a_new_hook_that_removes_rows_is_breaking(hook: str, removes: bool) -> None:
    (change,) = diffed((hooked("table"),), (hooked("table", hook),)).changes

    assert removes_rows([{"sql": hook}]) is removes
    assert (change.category is Category.BREAKING) is removes
