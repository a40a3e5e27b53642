"""Edits of every kind that dbt knows, one at a time: exactly the nodes and reasons that each one touches.

What is edited and what is true is told in tests/data/state_variants/edits.yaml.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from recce_meta.diff.changes import detect_changes
from recce_meta.models import COSMETIC, Change, Project, Status

DATA = Path(__file__).parents[2] / "data" / "state_variants"
EDITS: dict[str, dict[str, Any]] = yaml.safe_load((DATA / "edits.yaml").read_text(encoding="utf-8"))

ON_TARGET = {"model.jaffle_ext.m_target_yml": ["config"]}
"""dbt renders the configuration in a model's YAML before it writes it: an edit would look the same."""


def relations_of(project: Project) -> dict[str, list[str]]:
    return {node.unique_id: ["relation"] for node in project.nodes if node.relation_name}


def quoting(project: Project) -> dict[str, list[str]]:
    """Every relation is quoted otherwise, but for two sources that say how they are quoted."""
    return {
        key: why for key, why in relations_of(project).items() if not key.startswith("source.jaffle_ext.ecom")
    }


def schemas(project: Project) -> dict[str, list[str]]:
    """The schema of everything that has a custom one loses its prefix; snapshots have a fixed one."""
    return {
        node.unique_id: ["relation"]
        for node in project.nodes
        if node.relation_name
        and node.resource_type in ("model", "seed", "test")
        and node.config.get("schema")
    }


def seeds(project: Project) -> dict[str, list[str]]:
    return {node.unique_id: ["relation"] for node in project.nodes if node.resource_type == "seed"}


def not_null_tests(project: Project) -> dict[str, list[str]]:
    """dbt's own test was overridden by the project."""
    return {
        node.unique_id: ["compiled", "macros"]
        for node in project.nodes
        if node.properties.get("test_metadata", {}).get("name") == "not_null"
    }


def created_as_tables(project: Project) -> dict[str, list[str]]:
    """The project has its own `create_table_as`, which is also for the failures of tests."""
    return {
        node.unique_id: ["macros"]
        for node in project.nodes
        if (node.resource_type, node.materialized) in CREATED_AS_TABLES
    }


CREATED_AS_TABLES = {
    ("model", "table"),
    ("model", "incremental"),
    ("snapshot", "snapshot"),
    ("test", "test"),
}

RULES: dict[str, Callable[[Project], dict[str, list[str]]]] = {
    "QUOTING": quoting,
    "SCHEMAS": schemas,
    "SEEDS": seeds,
    "NOT_NULL": not_null_tests,
    "CREATED_AS_TABLES": created_as_tables,
}


ChangesOf = Callable[[str], dict[str, Change]]


@pytest.fixture(scope="module")
def changes_of(state_variants: Callable[[str], Project]) -> ChangesOf:
    """Return the function that detects the changes of an edit, once for all tests."""

    @cache
    def changes(name: str) -> dict[str, Change]:
        return detect_changes(state_variants("base"), state_variants(name))

    return changes


@pytest.mark.cases(16)
@pytest.mark.parametrize("name", EDITS)
def test_an_edit_changes_what_it_touches_and_nothing_else(
    name: str, state_variants: Callable[[str], Project], changes_of: ChangesOf
) -> None:
    found = why(changes_of(name))

    assert found == expected(EDITS[name], state_variants("base"), set(found))


@pytest.mark.extensive
def test_undoing_an_edit_changes_the_same_nodes(
    state_variants: Callable[[str], Project], changes_of: ChangesOf, subtests: pytest.Subtests
) -> None:
    opposite = {Status.ADDED: Status.REMOVED, Status.REMOVED: Status.ADDED}
    for name in EDITS:
        with subtests.test(name):
            there = changes_of(name)
            back = detect_changes(state_variants(name), state_variants("base"))
            assert {one.unique_id: opposite.get(one.status, one.status) for one in there.values()} == {
                one.unique_id: one.status for one in back.values()
            }


def why(changes: dict[str, Change]) -> dict[str, list[str]]:
    """The reasons of each changed node, the cosmetic ones aside; its status where it came or went."""
    return {
        unique_id: [reason.value for reason in change.reasons if reason not in COSMETIC]
        if change.status is Status.MODIFIED
        else [change.status.value]
        for unique_id, change in changes.items()
        if change.status is not Status.UNCHANGED
    }


def expected(edit: dict[str, Any], base: Project, found: set[str]) -> dict[str, list[str]]:
    """The truth with full ids; a star stands for the hash at the end of a test's id."""
    truth = edit["truth"]
    if isinstance(truth, str):
        known = RULES[truth](base) | edit.get("also", {})
        return known | (ON_TARGET if edit.get("run", {}).get("target") else {})
    full = {}
    for key, reasons in truth.items():
        unique_id = key if key.count(".") > 1 else f"model.jaffle_ext.{key}"
        matching = [one for one in found if fnmatch(one, unique_id)]
        full[matching[0] if len(matching) == 1 else unique_id] = reasons
    return full
