"""Every artifact of the corpus is extracted, and what comes out is counted against the raw JSON.

The counts are taken by the plain json module, by rules of their own. `RECCE_META_CORPUS` may name another
folder of artifacts (one folder per dbt project) to run the same checks on.
"""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from recce_meta.extractors.artifact import find_artifact
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import NodeMetadata, Project

CORPUS = Path(os.environ.get("RECCE_META_CORPUS") or Path(__file__).parents[1] / "data" / "artifacts")
SECTIONS = ("exposures", "metrics", "semantic_models", "saved_queries", "unit_tests", "functions", "sources")
BUILDING = {"run", "build", "test", "seed", "snapshot", "retry", "run-operation", "source", "clone", None}
"""Commands whose results say what happened in the warehouse."""

FOLDERS = sorted(
    {
        path.parent
        for path in CORPUS.rglob("manifest.json*")
        if path.name in ("manifest.json", "manifest.json.gz")
    }
)


def test_the_corpus_is_there() -> None:
    assert len(FOLDERS) >= 40


@cache
def raw(folder: Path, name: str) -> Any:
    path = find_artifact(folder, name)
    if path is None:
        return None
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)


@cache
def extracted(folder: Path) -> Project:
    return extract_project(folder, git=GitState(), hash_seed_files=False)


@pytest.fixture(params=FOLDERS, ids=lambda path: path.relative_to(CORPUS).as_posix())
def folder(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_nodes_are_as_many_as_in_the_json_for_each_type(folder: Path) -> None:
    manifest = raw(folder, "manifest.json")
    expected = Counter(
        node.get("resource_type") or unique_id.split(".")[0] for unique_id, node in manifest["nodes"].items()
    )
    for section in SECTIONS:
        for unique_id in manifest.get(section) or ():
            expected[unique_id.split(".")[0]] += 1
    project = extracted(folder)
    assert Counter(node.resource_type for node in project.nodes) == expected
    assert project.run.node_count == expected.total()
    ids = [node.unique_id for node in project.nodes]
    assert ids == sorted(set(ids))


def test_macros_and_groups_are_as_many_as_in_the_json(folder: Path) -> None:
    manifest = raw(folder, "manifest.json")
    project = extracted(folder)
    assert {macro.unique_id for macro in project.macros} == set(manifest.get("macros") or ())
    groups = {group.unique_id for group in project.groups if group.resource_type == "group"}
    assert groups == set(manifest.get("groups") or ())
    disabled = manifest.get("disabled") or ()
    listed = {one.unique_id.partition(".")[2] for one in project.groups if one.resource_type == "disabled"}
    assert listed <= set(disabled)
    assert {one for one in disabled if one.startswith(("model.", "source."))} <= listed
    assert all(
        macro.macro_sql == manifest["macros"][macro.unique_id]["macro_sql"] for macro in project.macros
    )


def test_edges_are_those_of_depends_on(folder: Path) -> None:
    manifest = raw(folder, "manifest.json")
    expected = set()
    for section in ("nodes", *SECTIONS):
        for unique_id, node in (manifest.get(section) or {}).items():
            for parent in (node.get("depends_on") or {}).get("nodes") or ():
                expected.add((unique_id, parent))
    project = extracted(folder)
    assert {(edge.node_id, edge.parent_id) for edge in project.edges} == expected
    assert project.run.edge_count == len(project.edges) == len(expected)


def test_columns_are_the_catalogs_in_its_order_or_else_the_documented_ones(folder: Path) -> None:
    manifest, catalog = raw(folder, "manifest.json"), raw(folder, "catalog.json") or {}
    tables = {**(catalog.get("nodes") or {}), **(catalog.get("sources") or {})}
    documented = {**manifest["nodes"], **(manifest.get("sources") or {}), **(manifest.get("functions") or {})}
    for node in extracted(folder).nodes:
        columns = (tables.get(node.unique_id) or {}).get("columns")
        if columns:
            ordered = sorted(columns.values(), key=lambda column: column["index"])
            expected = [(column["name"], column["type"]) for column in ordered]
            assert node.columns_from == "catalog"
        else:
            found = (documented.get(node.unique_id) or {}).get("columns") or {}
            expected = [(column["name"], column.get("data_type")) for column in found.values()]
            assert node.columns_from == ("manifest" if expected else None)
        assert [(column.name, column.type) for column in node.columns] == expected, node.unique_id


def test_no_documented_column_is_lost(folder: Path) -> None:
    manifest = raw(folder, "manifest.json")
    for node in extracted(folder).nodes:
        source = manifest["nodes"].get(node.unique_id) or (manifest.get("sources") or {}).get(node.unique_id)
        described = {
            column["name"].lower(): column["description"]
            for column in ((source or {}).get("columns") or {}).values()
            if column.get("description")
        }
        known = {column.name.lower(): column.description for column in node.columns}
        missing = node.properties.get("columns_not_in_catalog", ())
        known |= {column["name"].lower(): column.get("description", "") for column in missing}
        assert {name: known.get(name) for name in described} == described


def test_code_places_and_descriptions_are_as_dbt_wrote_them(folder: Path) -> None:
    manifest = raw(folder, "manifest.json")
    for node in extracted(folder).nodes:
        source = manifest["nodes"].get(node.unique_id)
        if source is None:
            continue
        code = source.get("raw_code", source.get("raw_sql"))
        if node.resource_type != "seed" and code != "--placeholder--":
            assert node.raw_code == (code or None)
        if node.resource_type not in ("seed", "operation"):
            assert node.compiled_code == source.get("compiled_code", source.get("compiled_sql"))
        if node.resource_type not in ("analysis", "operation"):
            assert node.relation_name == (source.get("relation_name") or None)
        assert node.schema_name == source.get("schema")
        assert node.database_name == source.get("database")
        assert node.description == (source.get("description") or "")
        assert "\\" not in node.path


def test_results_are_those_of_commands_that_build(folder: Path) -> None:
    results = raw(folder, "run_results.json")
    project = extracted(folder)
    if results is None:
        assert project.results == ()
        return
    ids = {node.unique_id for node in (*project.nodes, *project.groups)}
    which = (results.get("args") or {}).get("which") or (results.get("args") or {}).get("rpc_method")
    expected = {result["unique_id"]: result["status"] for result in results["results"]}
    own = {unique_id: status for unique_id, status in expected.items() if unique_id in ids}
    found = {result.unique_id: result.status for result in project.results}
    if which not in BUILDING:
        assert found == {}
    elif project.warnings and not found:
        assert len(expected) - len(own) > len(own)
    else:
        assert found == own


def test_no_path_of_the_machine_that_ran_dbt_is_kept(folder: Path) -> None:
    manifest = raw(folder, "manifest.json")
    roots = {node["root_path"] for node in manifest["nodes"].values() if node.get("root_path")}
    kept = [node.path for node in extracted(folder).nodes if isinstance(node, NodeMetadata)]
    assert not [path for path in kept if any(path.startswith(root) for root in roots)]
