"""The rich store has everything, on both warehouses, and its pages answer."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from tests.contract.server.rich_store import HOSTILE, LIVE, SHOP, parsed

VIEWS = (
    "check_history", "column_analysis", "column_lineage", "column_profiles", "column_quality",
    "column_top_values", "data_diff_history", "foreign_keys", "lineage", "metric_history", "node_changes",
    "node_constraints", "node_indexes", "node_statistics", "quality_runs", "run_results", "table_quality",
    "table_size_history",
)  # fmt: skip


def test_every_part_of_a_store_has_rows(rich_url: str) -> None:
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        counts = {view: adapter.answer(f"SELECT count(*) FROM {DEFAULT_SCHEMA}.{view}") for view in VIEWS}

    assert all(counts.values()), counts


@pytest.mark.extensive
def test_both_stores_list_the_same_runs(client: TestClient, postgres_client: TestClient) -> None:
    answers = [one.get("/s/default/runs.json").json() for one in (client, postgres_client)]

    assert answers[0] == answers[1]
    assert {row["project_name"] for row in answers[0]} >= {SHOP, LIVE, HOSTILE}


def test_a_page_is_parsed(client: TestClient) -> None:
    page = parsed(client.get("/s/default/runs").text)

    assert page.title == "Runs"
    assert len(page.tables[0]) == 1 + len(client.get("/s/default/runs.json").json())
    assert "/s/default/runs.csv" in page.links
