"""Nodes that are disabled for the target of one run or both: an edit of them is never "no changes"."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as with_fields

from recce_meta.api.diff import NOTHING_MORE, stored_diff, whole_diff
from recce_meta.api.record import record_run
from recce_meta.extractors.project import extract_project
from recce_meta.models import Project
from recce_meta.models.change import Category, Reason, Status
from recce_meta.store.read import load_nodes
from tests.support.once import empty_store

OF_TARGET = "{{ config(enabled=(target.name == 'prod')) }} select 1"
EDITED, SPACED = OF_TARGET.replace("1", "2"), OF_TARGET.replace("1", "  1")
OF_VARIABLE = "{{ config(enabled=var('marts', false)) }} select 1"
BY_YAML = "select 1"
ON_PROD, ON_CI, OFF_CI = (True, "prod"), (True, "ci"), (False, "ci")
MARTS = {"marts": True}


def run(folder: Path, name: str, code: str | None, state: tuple[bool, str], variables: Any = None) -> Project:
    enabled, target = state
    node: dict[str, Any] = {
        "unique_id": "model.shop.m", "name": "m", "resource_type": "model", "package_name": "shop",
        "original_file_path": "models/m.sql", "schema": target, "alias": "m", "raw_code": code,
        "relation_name": f'"db"."{target}"."m"', "config": {"enabled": enabled, "materialized": "table"},
        "unrendered_config": {"materialized": "table"}, "language": "sql",
    }  # fmt: skip
    listed = (
        {} if code is None else {node["unique_id"]: {**node, "compiled_code": code} if enabled else [node]}
    )
    other = {**node, "unique_id": "model.shop.a", "name": "a", "alias": "a", "raw_code": "select 1"}
    metadata = {
        "project_name": "shop",
        "adapter_type": "duckdb",
        "dbt_version": "1.11.0",
        "invocation_id": name,
    }
    manifest = {
        "metadata": metadata,
        "nodes": {"model.shop.a": {**other, "compiled_code": "select 1"}, **(listed if enabled else {})},
        "disabled": {} if enabled else listed,
    }
    target_dir = folder / name
    target_dir.mkdir()
    (target_dir / "manifest.json").write_text(json.dumps(manifest))
    args = {"which": "build", "target": target, "vars": variables or {}}
    results = {"metadata": metadata, "results": [], "args": args}
    (target_dir / "run_results.json").write_text(json.dumps(results))
    return extract_project(target_dir, run_id=name)


@pytest.mark.cases(5)
@pytest.mark.parametrize(
    ("before", "after", "status", "reasons", "category"),
    [
        # Each side: code, whether it is enabled in which target, a variable.
        ((OF_TARGET, OFF_CI), (EDITED, OFF_CI), "modified", ["body"], "unknown"),
        ((OF_TARGET, OFF_CI), (SPACED, OFF_CI), "unchanged", ["formatting"], None),
        ((OF_TARGET, ON_PROD), (OF_TARGET, OFF_CI), "unchanged", ["environment"], None),
        ((OF_VARIABLE, ON_CI, MARTS), (OF_VARIABLE, OFF_CI), "unchanged", ["environment"], None),
        ((OF_VARIABLE, ON_CI), (OF_VARIABLE, OFF_CI), "removed", [], "breaking"),
        ((OF_TARGET, ON_PROD), (EDITED, OFF_CI), "modified", ["body", "config"], "unknown"),
        ((OF_TARGET, OFF_CI), (EDITED, ON_PROD), "modified", ["body", "config"], "unknown"),
        ((BY_YAML, ON_CI), (BY_YAML, OFF_CI), "removed", [], "breaking"),
        ((BY_YAML, OFF_CI), (BY_YAML, ON_CI), "added", [], "non_breaking"),
        ((BY_YAML, ON_PROD), (BY_YAML, OFF_CI), "modified", ["config"], "unknown"),
        ((None, OFF_CI), (OF_TARGET, OFF_CI), "added", [], "non_breaking"),
        ((OF_TARGET, OFF_CI), (None, OFF_CI), "removed", [], "unknown"),
        ((OF_TARGET, OFF_CI), (OF_TARGET, OFF_CI), None, [], None),
    ],
)  # fmt: skip
def test_an_edit_of_a_disabled_node_is_a_change_and_another_target_is_none(
    tmp_path: Path, before: Any, after: Any, status: str | None, reasons: list[str], category: str | None
) -> None:
    sides = [run(tmp_path, name, *side) for name, side in (("base", before), ("current", after))]
    with empty_store() as store:
        stored = [record_run(store, side).run for side in sides]
        diffs = [whole_diff(*sides, NOTHING_MORE), stored_diff(store, *stored)]
        is_listed = any(node.unique_id == "model.shop.m" for node in load_nodes(store, stored[1]))
        assert is_listed is (after[0] is not None and after[1][0])
    for diff in diffs:
        found = [one for one in diff.changes if one.unique_id != "model.shop.a"]
        if status is None:
            assert found == []
            continue
        (change,) = found
        assert (change.unique_id, change.resource_type) == ("model.shop.m", "model")
        assert change.status is Status(status)
        assert change.reasons == tuple(map(Reason, reasons))
        assert change.category == (category and Category(category))


def twins(folder: Path, name: str, v1: tuple[str, bool], v2: tuple[str, bool]) -> Project:
    """Return a project with two files of one node: each has an amount, and may be enabled."""
    run(folder, name, None, ON_CI)
    path = folder / name / "manifest.json"
    manifest = json.loads(path.read_text())
    unique_id = "model.shop.m"
    manifest["disabled"] = {}
    for file, (code, is_enabled) in {"v1": v1, "v2": v2}.items():
        entry = {
            "unique_id": unique_id, "name": "m", "resource_type": "model", "package_name": "shop",
            "original_file_path": f"models/{file}/m.sql", "schema": "ci", "raw_code": code,
            "config": {"enabled": is_enabled},
        }  # fmt: skip
        if is_enabled:
            manifest["nodes"][unique_id] = {**entry, "compiled_code": code}
        else:
            manifest["disabled"].setdefault(unique_id, []).append(entry)
    path.write_text(json.dumps(manifest))
    return extract_project(folder / name, run_id=name)


ON, OFF = ("select 1", True), ("select 2", False)
TWIN_FILE = "model.shop.m@models/v2/m.sql"


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ((ON, OFF), (ON, ("select 3", False)), {TWIN_FILE: "modified"}),
        ((ON, OFF), (ON, OFF), {}),
        # The other file takes its place: the node changes, and no file does.
        ((ON, OFF), ((ON[0], False), (OFF[0], True)), {"model.shop.m": "modified"}),
        ((("s", False), OFF), (("s", False), ("select 3", False)), {TWIN_FILE: "modified"}),
        # The only enabled one is switched off.
        ((ON, OFF), ((ON[0], False), OFF), {"model.shop.m": "removed"}),
    ],
)  # fmt: skip
def test_each_file_of_a_node_with_several_is_compared_with_itself(
    tmp_path: Path, before: Any, after: Any, changed: dict[str, str]
) -> None:
    sides = [twins(tmp_path, name, *side) for name, side in (("base", before), ("current", after))]
    with empty_store() as store:
        stored = [record_run(store, side).run for side in sides]
        for diff in (whole_diff(*sides, NOTHING_MORE), stored_diff(store, *stored)):
            assert {one.unique_id: one.status.value for one in diff.changed} == changed


@pytest.mark.parametrize("key", ["identifier", "unrendered_schema"])
def test_another_table_of_a_disabled_source_is_a_change(tmp_path: Path, key: str) -> None:
    source = {
        "unique_id": "source.shop.raw.t", "name": "t", "source_name": "raw", "resource_type": "source",
        "identifier": "t", "config": {"enabled": False},
    }  # fmt: skip
    sides = []
    for name, change in (("base", {}), ("current", {key: "other"})):
        run(tmp_path, name, BY_YAML, ON_CI)
        path = tmp_path / name / "manifest.json"
        disabled = {source["unique_id"]: [{**source, **change}]}
        path.write_text(json.dumps({**json.loads(path.read_text()), "disabled": disabled}))
        sides.append(extract_project(tmp_path / name, run_id=name))

    (found,) = whole_diff(*sides, NOTHING_MORE).changed

    assert (found.unique_id, found.reasons) == ("source.shop.raw.t", (Reason.RELATION,))


def test_a_disabled_function_differs_although_dbt_lists_it_with_the_others(tmp_path: Path) -> None:
    sides = []
    for name, enabled in (("on", True), ("off", False)):
        base = run(tmp_path, name, BY_YAML, ON_PROD)
        function = with_fields(
            base.nodes[0],
            unique_id="function.shop.f",
            name="f",
            resource_type="function",
            config={"enabled": enabled},
        )
        sides.append(with_fields(base, nodes=(*base.nodes, function)))

    (change,) = whole_diff(*sides, NOTHING_MORE).changed

    assert (change.name, change.category) == ("f", Category.UNKNOWN)
    assert [one.key for one in change.details] == ["enabled"]
