"""Pages of stored check results."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models.checks import StoredCheck
from recce_meta.report.addresses import Addresses
from recce_meta.report.data.check_findings import CHECK_MARKS, check_word
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.pages.runs.checks import worst_first
from recce_meta.server.stores.stores import Store
from recce_meta.store.session import init_store
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from tests.contract.server.rich_store import HOSTILE, SHOP, parsed

TO = Addresses("default")


@pytest.mark.extensive
@pytest.mark.parametrize(
    "warehouse", ["client", pytest.param("postgres_client", marks=pytest.mark.extensive)]
)
def test_the_list_has_the_rows_of_check_history(
    warehouse: str, rich_url: str, request: pytest.FixtureRequest
) -> None:
    client = request.getfixturevalue(warehouse)
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        columns = "check_name, status, project_name, current_environment"
        expected = set(adapter.execute(f"SELECT {columns} FROM {DEFAULT_SCHEMA}.check_history")[1])

    rows = client.get("/s/default/checks.json").json()

    assert {tuple(row[name] for name in NAMES) for row in rows} == expected
    ranks = [list(CHECK_MARKS).index(row["outcome"]) for row in rows if row["latest"]]
    assert ranks == sorted(ranks)


NAMES = ("check_name", "status", "project_name", "environment")


def test_results_are_filtered_by_project_outcome_and_runs(client: TestClient) -> None:
    rows = client.get(f"/s/default/checks.json?project_name={SHOP}").json()
    runs = rows[0]["runs"]

    found = client.get("/s/default/checks.json", params={"runs": runs, "outcome": "differs"}).json()

    assert {row["check_name"] for row in rows} == {"Rows of orders", "Values of customers"}
    assert [row["check_name"] for row in found] == ["Values of customers"]
    assert "56 of 150 rows changed" in found[0]["message"]


def test_a_check_has_its_history_and_links_to_the_diff(client: TestClient) -> None:
    answer = client.get(TO.check("Values of customers"))
    found = parsed(answer.text)

    assert found.title == "Values of customers"
    assert "Customers <b>must</b> not change" in found.text
    assert "customers: 56 of 150 rows changed" in found.text
    (address,) = {link for link in found.links if "/diff/" in link}
    assert client.get(address).status_code == 200


def test_hostile_names_are_text(client: TestClient) -> None:
    names = {row["check_name"] for row in client.get("/s/default/checks.json").json()}
    (hostile,) = [name for name in names if HOSTILE in name]

    answer = client.get(TO.check(hostile))

    assert answer.status_code == 200
    assert TO.check(hostile) in parsed(client.get("/s/default/checks").text).links
    assert "<script>alert" not in answer.text
    assert client.get(TO.check("no such check")).status_code == 404


def test_an_empty_store_names_the_command(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path / 'empty.duckdb'}"
    with UnifiedSqlAdapter.from_url(url) as adapter:
        init_store(adapter)
    store = Store("default", lambda: UnifiedSqlAdapter.from_url(url))
    with TestClient(create_app({"default": store}, Access()), base_url="http://127.0.0.1") as client:
        checks, pairs = client.get("/s/default/checks"), client.get("/s/default/diff")

    assert "recce-meta check run FILE --save stores them" in checks.text
    assert "The store has no runs. Next: recce-meta record stores a dbt run" in pairs.text


def result(name: str, status: str, *, differing: int | None = 0, expects: bool = True) -> StoredCheck:
    return StoredCheck(
        check_result_id=name,
        checked_at=datetime(2026, 11, 20, tzinfo=timezone.utc) + timedelta(hours=len(name)),
        base_run_id="b",
        current_run_id="c",
        ordinal=1,
        check_name=name,
        check_type="query_diff",
        status=status,
        has_expectations=expects,
        differing_nodes=differing,
        recorder_version="1",
    )


def test_the_worst_results_are_first() -> None:
    found = worst_first(
        [
            result("passed", "passed"),
            result("same", "passed", expects=False),
            result("differs", "passed", differing=2, expects=False),
            result("skipped", "skipped"),
            result("failed", "failed"),
            result("error", "error"),
            result("shown", "passed", differing=None, expects=False),
        ]
    )

    assert [one.check_name for one in found] == [
        "failed",
        "error",
        "differs",
        "skipped",
        "shown",
        "same",
        "passed",
    ]
    assert [check_word(one) for one in found[-3:]] == ["shown", "no difference", "passed"]
