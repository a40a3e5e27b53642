"""The statements of the dashboards in examples/dashboards, on a store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

FOLDER = Path(__file__).parents[3] / "examples" / "dashboards"
KEYS = ("rawSql", "query", "sql")
"""Keys of Grafana, Metabase and Superset with the text of a statement."""
COLUMNS = {
    "build_history": ("run_at", "critical_path"),
    "latest_results": ("unique_id", "seconds"),
    "test_history": ("unique_id",),
    "latest_freshness": ("unique_id", "hours_old"),
}


def statements(tree: Any) -> Iterator[str]:
    """Yield the statements in a document."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key in KEYS and isinstance(value, str):
                yield value
            else:
                yield from statements(value)
    elif isinstance(tree, list):
        for item in tree:
            yield from statements(item)


def statements_of(tool: str) -> list[str]:
    found: list[str] = []
    for file in sorted((FOLDER / tool).rglob("*")):
        if file.suffix == ".sql":
            found.append(file.read_text())
        elif file.suffix in (".json", ".yaml", ".yml"):
            found += statements(
                json.loads(file.read_text()) if file.suffix == ".json" else yaml.safe_load(file.read_text())
            )
    return found


@pytest.mark.parametrize("tool", ["evidence", "grafana", "metabase", "superset"])
def test_statements_of_a_dashboard_run(store: Any, tool: str) -> None:
    if store.adapter.warehouse.name not in ("duckdb", "postgres"):
        pytest.skip("the dashboards connect to PostgreSQL")
    found = statements_of(tool)
    assert len(found) == 5
    filled = 0
    for statement in found:
        schema = store.adapter.quote_identifier(store.schema)
        columns, rows = store.adapter.execute(statement.replace("recce_metadata", schema))
        (view,) = (one for one in COLUMNS if f".{one}\n" in statement)
        assert set(COLUMNS[view]) <= set(columns)
        filled += bool(rows)
    # The history has builds, results and failing and flaky tests, but no freshness.
    assert filled == 4


def test_a_page_of_evidence_and_a_dashboard_of_superset_name_what_there_is() -> None:
    page = (FOLDER / "evidence/pages/index.md").read_text()
    names = {file.stem for file in (FOLDER / "evidence/sources/recce_meta").glob("*.sql")}
    assert {line.rpartition(".")[2] for line in page.splitlines() if line.startswith("select")} == names

    read = [yaml.safe_load(file.read_text()) for file in sorted((FOLDER / "superset").rglob("*.yaml"))]
    known = {one["uuid"] for one in read if "uuid" in one}
    (board,) = [one for one in read if "position" in one]
    charts = [item for name, item in board["position"].items() if name.startswith("CHART")]
    shown = {chart["meta"]["uuid"] for chart in charts}
    used = {one[key] for one in read for key in ("dataset_uuid", "database_uuid") if key in one}
    assert shown | used < known
    assert len(shown) == 5
