"""Nodes with another id and the same relation: what readers get depends on the relation alone."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.api.diff import NOTHING_MORE, failing_changes, stored_diff, whole_diff
from recce_meta.api.record import record_run
from recce_meta.models import NodeMetadata, RunDiff
from recce_meta.models.change import Category, Reach, Status
from tests.support.once import empty_store
from tests.unit.api.test_kept_rows import node, project
from tests.unit.api.test_named_readers import SOURCE

SQL = "select id, a, b from raw"


def called(built: NodeMetadata, name: str) -> NodeMetadata:
    """Return *built* under another name, with its relation."""
    return replace(built, unique_id=built.unique_id.replace(built.name, name), name=name)


def reader_of(parent: NodeMetadata, sql: str = "select id, a from {}", **config: Any) -> NodeMetadata:
    found = node("r", sql.format(parent.relation_name), **config)
    return replace(found, parents=(parent.unique_id,), raw_code=sql.format(f"{{{{ ref('{parent.name}') }}}}"))


def found(old: NodeMetadata, new: NodeMetadata, sql: str = "select id, a from {}", **config: Any) -> RunDiff:
    """Return the diff if *new* takes the place of *old*, which is equal from artifacts and from the store."""
    sides = [
        project(run_id, one, reader_of(one, sql, **config), node("end", "select a from r", "model.shop.r"))
        for run_id, one in (("b", old), ("bc", new))
    ]
    whole = whole_diff(*sides, NOTHING_MORE)
    with empty_store() as store:
        runs = [record_run(store, side).run for side in sides]
        stored = stored_diff(store, *runs)
    assert [(one.unique_id, one.category) for one in stored.changes] == [
        (one.unique_id, one.category) for one in whole.changes
    ]
    assert [(one.unique_id, one.reach) for one in stored.impacted] == [
        (one.unique_id, one.reach) for one in whole.impacted
    ]
    return whole


@pytest.mark.parametrize("old", [node("stg", SQL), SOURCE], ids=["model", "source"])
@pytest.mark.parametrize("config", [{}, {"materialized": "incremental", "unique_key": "id"}])
def test_readers_of_an_equal_heir_are_unchanged(old: NodeMetadata, config: dict[str, str]) -> None:
    diff = found(old, called(old, "other"), **config)

    statuses = {one.name: (one.status, one.category) for one in diff.changes}
    assert statuses["other"][0] is Status.ADDED
    assert statuses[old.name] == (Status.REMOVED, Category.NONE)
    assert statuses["r"][0] is Status.UNCHANGED
    assert not diff.impacted
    assert failing_changes(diff, frozenset({"may_fail", "breaking", "unknown"})) == []


@pytest.mark.parametrize(
    ("sql", "category", "reach"),
    [
        (f"{SQL} where id > 0", Category.BREAKING, Reach.ROWS),
        (SQL.replace("a,", "a + 1 as a,"), Category.PARTIAL_BREAKING, Reach.COLUMNS),
        (SQL.replace("b ", "b, c "), Category.NON_BREAKING, None),
        (SQL.replace("a, ", ""), Category.PARTIAL_BREAKING, Reach.ROWS),
    ],
)
def test_the_edit_of_an_heir_reaches_the_readers(sql: str, category: Category, reach: Reach | None) -> None:
    diff = found(node("stg", SQL), called(node("stg", sql), "staging"))

    assert {one.category for one in diff.changes if one.name == "stg"} == {category}
    reached = {one.unique_id: one.reach for one in diff.impacted}
    assert reached == ({} if reach is None else dict.fromkeys(["model.shop.end", "model.shop.r"], reach))
    is_lost = "a," not in sql
    assert bool(failing_changes(diff, frozenset({"may_fail"}))) is is_lost


def test_an_heir_of_another_kind_proves_nothing() -> None:
    old = node("stg", SQL)
    diff = found(old, called(replace(old, materialized="incremental", config={"unique_key": "id"}), "other"))

    assert [one.category for one in diff.changes if one.name == "stg"] != [Category.NONE]
    seed = replace(old, unique_id="seed.shop.stg", resource_type="seed", compiled_code=None)
    assert {one.category for one in found(old, seed).changes if one.name == "stg"} >= {Category.BREAKING}
