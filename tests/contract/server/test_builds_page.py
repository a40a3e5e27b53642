"""The page of builds: bars by node, and the answers of the cookbook with their SQL."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.report.addresses import Addresses
from recce_meta.store.query import cookbook_query
from tests.contract.server.rich_store import parsed

TO = Addresses("default")


def test_tables_are_the_answers_of_the_cookbook_with_their_sql(client: TestClient, rich_url: str) -> None:
    html = client.get(TO.of("builds", environment="prod")).text
    page = parsed(html)

    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        sql = cookbook_query("slowest_nodes_of_each_build", adapter.warehouse).replace("'base'", "'prod'")
        rows = adapter.execute(sql)[1]
    found = client.get(TO.of("builds", "slowest_nodes_of_each_build", "rows.json", environment="prod")).json()
    assert rows
    assert [(row["run_id"], row["unique_id"]) for row in found] == [(row[2], row[3]) for row in rows]
    assert len(page.tables[0]) == 1 + min(10, len(rows))
    assert html.count("edit: the environment") == 5
    assert "No source is late." in html
    (chart,) = [svg for svg in page.elements("svg") if svg.get("role") == "img"]
    runs = len({row[2] for row in rows})
    assert chart["aria-label"].startswith(f"Seconds of all nodes in {runs} build")


@pytest.mark.parametrize(
    "address",
    [
        TO.of("builds", environment="nowhere"),
        TO.of("builds", environment="prod' OR '1'='1"),
        TO.of("builds", "storage_used", "rows"),
    ],
)
def test_other_environments_and_questions_are_not_found(client: TestClient, address: str) -> None:
    assert client.get(address).status_code == 404
