"""Two runs of one commit differ in the environment only if the artifacts prove the commit."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.diff.changes import detect_changes
from recce_meta.models import MacroMetadata, NodeMetadata, Project, Reason, RunMetadata

AT = datetime(2026, 11, 20, tzinfo=timezone.utc)
ORDERS = NodeMetadata(
    unique_id="model.shop.orders",
    name="orders",
    resource_type="model",
    package_name="shop",
    raw_code="select 1",
    checksum="one",
    checksum_rule="stripped",
    code_hash="one",
    config={"materialized": "view"},
    unrendered_config={"tags": ["nightly"]},
)
TABLE = replace(ORDERS, config={"materialized": "table"})


def run(target: str, **fields: Any) -> RunMetadata:
    known: dict[str, Any] = {"git_sha": "a" * 40, "git_dirty": False, "git_proven": True, **fields}
    return RunMetadata(
        run_id=target, run_at=AT, project_name="shop", target_name=target, target_schema=target, **known
    )


def reasons(
    before: NodeMetadata = ORDERS,
    after: NodeMetadata = TABLE,
    *more: NodeMetadata,
    base: dict[str, Any] | None = None,
    current: dict[str, Any] | None = None,
    macro: str = "x",
) -> set[Reason]:
    def macros(text: str) -> tuple[MacroMetadata, ...]:
        return (MacroMetadata(unique_id="macro.shop.m", name="m", macro_sql=text, code_hash=text),)

    sides = (
        Project(run=run("prod", **(base or {})), nodes=(before,), macros=macros("x")),
        Project(run=run("ci", **(current or {})), nodes=(after, *more), macros=macros(macro)),
    )
    change = detect_changes(*sides)["model.shop.orders"]
    return {detail.reason for detail in change.details}


def test_a_proven_commit_leaves_the_environment_alone() -> None:
    assert reasons() == {Reason.ENVIRONMENT}


@pytest.mark.parametrize("proven", [None, False])
@pytest.mark.parametrize("side", ["base", "current"])
def test_a_commit_that_is_not_proven_on_one_side_leaves_an_edit(side: str, proven: bool | None) -> None:
    assert reasons(**{side: {"git_proven": proven}}) == {Reason.CONFIG}


@pytest.mark.parametrize("fields", [{"git_sha": "b" * 40}, {"git_dirty": True}, {"git_sha": None}])
def test_another_or_an_edited_commit_leaves_an_edit(fields: dict[str, Any]) -> None:
    assert reasons(current=fields) == {Reason.CONFIG}


@pytest.mark.parametrize(
    "fields",
    [
        {"raw_code": "select 1 -- new"},
        {"checksum": "two"},
        {"code_hash": "two"},
        {"unrendered_config": {"tags": ["nightly"], "materialized": "table"}},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_contradicts_the_commit_leaves_an_edit(fields: dict[str, Any]) -> None:
    assert Reason.CONFIG in reasons(after=replace(TABLE, **fields))


def test_another_node_that_contradicts_the_commit_leaves_an_edit() -> None:
    other = replace(ORDERS, unique_id="model.shop.new", name="new")
    assert reasons(ORDERS, TABLE, other) == {Reason.CONFIG}


def test_another_macro_contradicts_the_commit() -> None:
    assert Reason.CONFIG in reasons(macro="y")


def test_checksums_of_two_rules_say_nothing() -> None:
    assert reasons(after=replace(TABLE, checksum="two", checksum_rule="plain")) == {Reason.ENVIRONMENT}


def test_the_commit_says_nothing_of_packages() -> None:
    before, after = (replace(node, package_name="utils") for node in (ORDERS, TABLE))
    assert reasons(before, after) == {Reason.CONFIG}
