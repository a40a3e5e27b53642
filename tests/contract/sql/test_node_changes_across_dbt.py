"""What `node_changes` tells when the version of dbt changed between two runs: what `recce-meta diff` does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.diff.changes import detect_changes
from recce_meta.extractors.project import extract_project
from recce_meta.models import Column, NodeMetadata, Project, Reason, Status

ARTIFACTS = Path(__file__).parents[2] / "data" / "artifacts" / "generated"

UPGRADES = [
    ("jaffle_ext_multi", "1.5", "1.8"),
    ("jaffle_ext_multi", "1.10", "1.12"),
    ("jaffle_ext_multi", "1.12", "2.0"),
    *(
        pytest.param("jaffle_ext_full", before, after, marks=pytest.mark.extensive)
        for before, after in (("1.6", "1.7"), ("1.7", "1.8"), ("1.8", "1.9"), ("1.9", "1.10"))
    ),
]

TOLD = {Reason.BODY, Reason.DATA, Reason.COLUMNS, Reason.DESCRIPTIONS, Reason.PARENTS}
"""What both are to see alike; `diff` alone sees what a macro or a variable did to compiled SQL."""


@cache
def extracted(folder: str, version: str) -> Project:
    """The project as a version of dbt wrote it."""
    return extract_project(ARTIFACTS / folder / f"dbt_{version}")


def recorded(store: Any, folder: str, before: str, after: str, edit: Any = None) -> tuple[Project, Project]:
    """The project as two versions of dbt wrote it, one run after the other; *edit* edits the later nodes."""
    projects: list[Project] = []
    for number, version in enumerate((before, after)):
        project = extracted(folder, version)
        moment = project.run.run_at if not projects else projects[0].run.run_at + timedelta(hours=number)
        nodes = tuple(map(edit, project.nodes)) if edit and projects else project.nodes
        run = replace(project.run, run_id=f"run-{number}", run_at=moment, environment="base")
        projects.append(replace(project, run=run, nodes=nodes))
        store.record(projects[-1])
    return projects[0], projects[1]


def statuses(store: Any) -> dict[str, str]:
    """The status of each node that has a row in `node_changes`."""
    return dict(store.rows("SELECT unique_id, status FROM {s}.node_changes"))


@pytest.mark.parametrize(("folder", "before", "after"), UPGRADES)
@pytest.mark.core("sqlite")
def test_an_upgrade_of_dbt_modifies_what_diff_says(
    empty_store: Any, folder: str, before: str, after: str
) -> None:
    base, current = recorded(empty_store, folder, before, after)
    ours, told = statuses(empty_store), detect_changes(base, current)
    for status in ("added", "removed"):
        assert {one for one in ours if ours[one] == status} == {
            one for one, change in told.items() if change.status == status
        }
    modified = {one for one, status in ours.items() if status == "modified"}
    assert modified == {one for one, change in told.items() if change.status is Status.MODIFIED}
    assert "rewritten" in ours.values()


def edited(node: NodeMetadata) -> NodeMetadata:
    """One kind of edit for each of some nodes."""
    edits: dict[str, Callable[[], dict[str, Any]]] = {
        "model.jaffle_ext.customers": lambda: {
            "raw_code": f"{node.raw_code} limit 7",
            "compiled_code": f"{node.compiled_code} limit 7",
            "code_hash": "edited",
        },
        "model.jaffle_ext.orders": lambda: {"description": "Edited"},
        "model.jaffle_ext.stg_orders": lambda: {"columns": (*node.columns, Column("edited", "INTEGER"))},
        "model.jaffle_ext.stg_customers": lambda: {
            "columns": (replace(node.columns[0], description="Edited"), *node.columns[1:])
        },
        "model.jaffle_ext.stg_payments": lambda: {
            "config": {**node.config, "materialized": "table", "full_refresh": True},
            "unrendered_config": {**node.unrendered_config, "full_refresh": True},
        },
        "exposure.jaffle_ext.weekly_report": lambda: {"parents": node.parents[:-1]},
    }
    return replace(node, **edits[node.unique_id]()) if node.unique_id in edits else node


@pytest.mark.cases(2)
@pytest.mark.parametrize(("folder", "before", "after"), UPGRADES)
def test_an_edit_made_with_an_upgrade_of_dbt_is_told_from_it(
    empty_store: Any, folder: str, before: str, after: str
) -> None:
    base, current = recorded(empty_store, folder, before, after, edited)
    ours, told = statuses(empty_store), detect_changes(base, current)
    wanted = {one for one, change in told.items() if TOLD.intersection(change.reasons)}
    assert len(wanted) >= 4
    assert {one for one in wanted if ours.get(one) != "modified"} == set()
    unchanged = {one for one in ours if one not in told or told[one].status is Status.UNCHANGED}
    assert {one for one in unchanged if ours[one] == "modified"} == set()


def test_an_upgrade_of_dbt_answers_no_question_about_changes(empty_store: Any) -> None:
    recorded(empty_store, "jaffle_ext_multi", "1.5", "1.8")
    assert set(statuses(empty_store).values()) == {"rewritten"}
    assert empty_store.rows("SELECT * FROM {s}.impacted_nodes") == []
    assert empty_store.rows("SELECT * FROM {s}.column_changes") == []
    questions = ("changes_between_the_last_two_runs", "models_changed_this_week", "most_changed_models")
    for question in (*questions, "reach_of_the_last_changes"):
        assert empty_store.answer(question) == [], question


@pytest.mark.extensive
def test_what_one_version_of_dbt_wrote_is_compared_whole(empty_store: Any) -> None:
    project = extract_project(ARTIFACTS / "jaffle_ext_multi" / "dbt_1.5")
    later = extract_project(ARTIFACTS / "jaffle_ext_multi" / "dbt_1.8")
    runs = [
        replace(project.run, run_id=f"run-{number}", run_at=project.run.run_at + timedelta(hours=number))
        for number in range(2)
    ]
    empty_store.record(replace(project, run=runs[0]))
    empty_store.record(replace(later, run=runs[1]))
    assert set(statuses(empty_store).values()) == {"modified"}


def test_a_node_that_an_upgrade_rewrote_in_another_place_has_moved(
    empty_store: Any, make_run: Callable[..., Project], make_model: Callable[..., NodeMetadata]
) -> None:
    before = make_model("it", checksum="as dbt 1.10 computes it")
    after = make_model(
        "it", checksum="as dbt 1.11 does", schema_name="new", relation_name='"prod"."new"."it"'
    )
    empty_store.record(make_run("one", timedelta(days=1), "sha", [before], dbt_version="1.10.0"))
    empty_store.record(make_run("two", timedelta(), "sha", [after], dbt_version="1.11.0"))
    assert empty_store.rows("SELECT status, place_changed FROM {s}.node_changes") == [("moved", True)]


def test_a_branch_on_another_dbt_differs_from_base_where_it_was_edited(empty_store: Any) -> None:
    base, current = recorded(empty_store, "jaffle_ext_multi", "1.10", "1.12")
    nodes = tuple(edited(node) if node.name == "customers" else node for node in current.nodes)
    run = replace(current.run, run_id="run-2", environment="current", branch="tidy")
    empty_store.record(replace(base, run=replace(base.run, run_id="run-3", run_at=run.run_at + timedelta(1))))
    empty_store.record(replace(current, run=run, nodes=nodes))
    (row,) = empty_store.answer("branch_changes")
    assert (row["unique_id"], row["status"], row["code_changed"]) == (
        "model.jaffle_ext.customers",
        "modified",
        True,
    )


@pytest.mark.parametrize("key", ["$path", "/path", "a.b", "*", 'a "quoted" one', "", "post_hook"])
@pytest.mark.core("sqlite")
def test_any_key_of_the_configuration_is_compared_across_versions_of_dbt(
    empty_store: Any,
    make_run: Callable[..., Project],
    make_model: Callable[..., NodeMetadata],
    key: str,
) -> None:
    written = key.replace("_hook", "-hook")

    def state(version: str, value: str) -> list[NodeMetadata]:
        known = {"dbt": version, "null in one version": None} if version == "1.11" else {"dbt": version}
        return [
            make_model("edited", config={**known, written: value}, unrendered_config={key: value}),
            make_model("same", config={**known, written: "x"}, unrendered_config={key: f"{version} of x"}),
        ]

    empty_store.record(make_run("one", timedelta(days=1), "sha", state("1.10", "a"), dbt_version="1.10"))
    empty_store.record(make_run("two", timedelta(), "sha", state("1.11", "b"), dbt_version="1.11"))
    rows = empty_store.rows("SELECT name, status, config_changed FROM {s}.node_changes ORDER BY name")
    assert rows == [("edited", "modified", True), ("same", "rewritten", False)]
