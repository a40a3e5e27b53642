"""The example extractor on a real SQLMesh project: as recorded, and through SQLMesh if it is installed."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta import UnifiedSqlAdapter, diff_runs, impact, lineage, record_run
from recce_meta.models import Project
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from tests.support.needs import missing

pytestmark = pytest.mark.network

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "sqlmesh"
STATES = ROOT / "tests" / "data" / "sqlmesh"
PYTHON = os.environ.get("RECCE_META_TEST_SQLMESH_PYTHON") or (
    sys.executable if importlib.util.find_spec("sqlmesh") else None
)
"""An interpreter with SQLMesh and the dependencies of recce_meta."""

COLUMN_DEPENDENCIES = """
import json, sys
from sqlmesh import Context
from sqlmesh.core.lineage import column_dependencies
context = Context(paths=[sys.argv[1]])
print(json.dumps({
    f"{model.name}.{column}": sorted(
        f"{context.models[parent].name}.{one}"
        for parent, columns in column_dependencies(context, model.name, column).items() for one in columns
    )
    for model in context.models.values() if model.kind.name != "SEED" for column in model.columns_to_types
}))
"""


def project_of(state: str) -> Project:
    """The project that the example makes of a recorded state."""
    location = EXAMPLE / "recce_meta_sqlmesh" / "extractor.py"
    spec = importlib.util.spec_from_file_location("recce_meta_sqlmesh_extractor", location)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Project = module.project_of(json.loads((STATES / state).read_text(encoding="utf-8")))
    return made


@pytest.fixture
def adapter(tmp_path: Path) -> Any:
    """A store with both recorded states."""
    with UnifiedSqlAdapter.from_url(f"duckdb:///{tmp_path / 'store.duckdb'}") as adapter:
        for environment in ("base", "current"):
            project = project_of(f"{environment}.json")
            run = replace(project.run, run_id=environment, environment=environment)
            record_run(adapter, replace(project, run=run))
        yield adapter


def test_a_diff_of_two_states_has_categories_and_affected_columns(adapter: UnifiedSqlAdapter) -> None:
    diff = diff_runs(adapter)

    assert {change.name: str(change.category) for change in diff.changed} == {
        "shop.payments": "breaking",
        "shop.orders": "non_breaking",
    }
    assert [one.name for one in diff.impacted] == ["shop.large_orders"]


def test_lineage_and_impact_follow_the_models(adapter: UnifiedSqlAdapter) -> None:
    assert [(one.name, one.distance) for one in lineage(adapter, "shop.payments").nodes] == [
        ("raw.payments", -1),
        ("shop.payments", 0),
        ("shop.orders", 1),
        ("shop.large_orders", 2),
    ]
    affected = impact(adapter, "raw.payments.amount_cents", "base").to_dicts()
    assert {(one["name"], one["column"]) for one in affected if one["column"]} >= {
        ("shop.payments", "amount"),
        ("shop.orders", "paid"),
        ("shop.large_orders", "paid"),
    }


@pytest.fixture
def projects(tmp_path: Path) -> dict[str, Path]:
    """The project without and with the changes."""
    found = {name: tmp_path / name / "shop" for name in ("base", "current")}
    for folder in found.values():
        shutil.copytree(STATES / "shop", folder)
    shutil.copytree(STATES / "changed", found["current"], dirs_exist_ok=True)
    return found


def run_python(folder: Path, *arguments: str) -> str:
    """The output of a Python with SQLMesh, with the example installed next to it."""
    if PYTHON is None:
        missing("SQLMesh")
    site = folder / "site"
    if not site.exists():
        options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--target", str(site)]
        subprocess.run([sys.executable, "-m", "pip", "install", *options, str(EXAMPLE)], check=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RECCE_META_")}
    ran = subprocess.run(
        [PYTHON, *arguments],
        cwd=folder,
        env={**inherited, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_sqlmesh_itself_gives_what_was_recorded(projects: dict[str, Path], tmp_path: Path) -> None:
    store = ("--url", "duckdb:///store.duckdb")
    for environment, folder in projects.items():
        source = ("--from", "sqlmesh", str(folder), "-e", environment)
        assert "shop" in run_python(tmp_path, "-m", "recce_meta", "record", *source, *store)
        run_python(tmp_path, "-m", "recce_meta", "export", environment, *store, "-o", f"{environment}.json")
        exported = json.loads((tmp_path / f"{environment}.json").read_text(encoding="utf-8"))
        recorded = {node.unique_id: node for node in project_of(f"{environment}.json").nodes}
        assert {node["unique_id"] for node in exported["nodes"]} == recorded.keys()
        for node in exported["nodes"]:
            own = recorded[node["unique_id"]]
            assert node.get("compiled_code") == own.compiled_code
            assert tuple(node.get("parents", ())) == own.parents

    diff = json.loads(
        run_python(tmp_path, "-m", "recce_meta", "diff", "--format", "json", *store, "base", "current")
    )
    assert {one["name"]: one["category"] for one in diff["changes"]} == {
        "shop.payments": "breaking",
        "shop.orders": "non_breaking",
    }


def test_column_lineage_is_that_of_sqlmesh(
    projects: dict[str, Path], adapter: UnifiedSqlAdapter, tmp_path: Path
) -> None:
    theirs = json.loads(run_python(tmp_path, "-c", COLUMN_DEPENDENCIES, str(projects["base"])))

    _, rows = adapter.execute(
        f"SELECT node_id, column_name, parent_id, parent_column FROM {DEFAULT_SCHEMA}.column_lineage "
        "WHERE run_id = 'base' AND column_name IS NOT NULL AND parent_id IS NOT NULL"
    )
    ours: dict[str, list[str]] = {column: [] for column in theirs}
    for node_id, column, parent_id, parent_column in rows:
        child, parent = (one.split(".", 2)[2] for one in (node_id, parent_id))
        ours[f"{child}.{column}"].append(f"{parent}.{parent_column}")
    assert {column: sorted(sources) for column, sources in ours.items()} == theirs
