"""Pages of an impact: the same nodes as `impact`, for any names."""

from __future__ import annotations

import json

import pytest
from starlette.testclient import TestClient

from recce_meta import report
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.impact import load_impact
from recce_meta.models.lineage import Direction
from recce_meta.report.addresses import Addresses
from tests.contract.server.rich_store import HOSTILE, SHOP, hostile_id, page, parsed, run_id

TO = Addresses("default")
ORDERS = f"model.{SHOP}.orders"


@pytest.fixture(scope="session")
def current(rich_url: str) -> str:
    """Return the id of the demo's current run."""
    return run_id(rich_url, "current")


@pytest.mark.cases(5)
@pytest.mark.parametrize(
    "warehouse", ["client", pytest.param("postgres_client", marks=pytest.mark.extensive)]
)
@pytest.mark.parametrize("column", [None, "status", "AMOUNT"])
@pytest.mark.parametrize("direction", list(Direction))
def test_the_lists_have_the_nodes_and_columns_of_the_command(
    direction: Direction,
    column: str | None,
    warehouse: str,
    rich_url: str,
    current: str,
    request: pytest.FixtureRequest,
) -> None:
    client = request.getfixturevalue(warehouse)
    target = ORDERS if column is None else f"{ORDERS}.{column}"
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        view = load_impact(lambda: adapter, current, target, direction=direction)
    expected = json.loads(report.impact_json(view))
    given = {"column": column, "direction": direction.value}

    nodes = client.get(f"{TO.impact_list(current, ORDERS, 'nodes')}.json", params=given).json()
    columns = client.get(f"{TO.impact_list(current, ORDERS, 'columns')}.json", params=given).json()

    others = [one for one in expected["nodes"] if one["distance"]]
    assert {(row["unique_id"], row["distance"], row["confidence"]) for row in nodes} == {
        (one["unique_id"], one["distance"], one["confidence"]) for one in others
    }
    assert {(row["unique_id"], row["name"], row["distance"]) for row in columns} == {
        (one["unique_id"], column["name"], column["distance"]) for one in others for column in one["columns"]
    }
    fails = {one["unique_id"] for one in expected.get("fails") or ()}
    assert {row["unique_id"] for row in nodes if row["fails"]} == fails & {one["unique_id"] for one in others}


def test_the_page_answers_in_a_sentence(client: TestClient, current: str) -> None:
    found = page(client, TO.impact(current, ORDERS, "status"))

    assert found.title == "Impact of orders.status"
    assert "A change of orders.status affects 2 models, 1 exposure, 7 tests." in found.text
    assert "If the column is removed or renamed: 1 model fails" in found.text
    assert "orders.status → customers → newsletter" in found.text  # the path
    assert "Marketing, marketing@example.com" in found.text  # the owner
    assert "1 node: exposures have no column lineage" in found.text
    chosen = [one["value"] for one in found.elements("option") if "selected" in one and "value" in one]
    assert chosen == ["status"]


def test_filters_keep_column_and_direction(client: TestClient, current: str) -> None:
    address = TO.impact_list(current, ORDERS, "nodes", direction="both", column="amount")

    answer = client.get(f"{address}&resource_type=test&sort=name")
    found = parsed(answer.text)

    assert answer.status_code == 200
    assert {row[1] for row in found.tables[0][1:]} == {"test"}
    assert all("column=amount" in link for link in found.links if ".csv" in link or "sort=" in link)
    (hidden,) = [one["value"] for one in found.elements("input") if one.get("name") == "direction"]
    assert hidden == "both"


def test_upstream_names_the_sources(client: TestClient, current: str) -> None:
    found = page(client, TO.of("runs", current, "impact", ORDERS, direction="upstream"))

    assert "orders depends on 3 models, 2 seeds" in found.text
    assert not any(text.startswith("If the column") for _, text in found.headings)


def test_a_node_that_nothing_reads(client: TestClient, current: str) -> None:
    found = page(client, TO.impact(current, f"exposure.{SHOP}.newsletter"))

    assert "Nothing depends on newsletter" in found.text
    assert "No node is affected." in found.text


def test_a_run_without_column_lineage_lists_whole_nodes(client: TestClient) -> None:
    found = page(client, TO.impact("shop-3", ORDERS))

    assert "The run was recorded without column lineage: whole nodes are listed" in found.text
    assert any(row[0] == "customers" for row in found.tables[0])
    assert TO.node("shop-3", f"model.{SHOP}.customers") in found.links


@pytest.mark.cases(4)
@pytest.mark.parametrize("index", range(11))
def test_hostile_names_are_text(index: int, client: TestClient, rich_url: str) -> None:
    run = run_id(rich_url, "<b>env</b>/1", HOSTILE)

    for address in (TO.impact(run, hostile_id(index)), TO.impact(run, hostile_id(0), "id")):
        found = page(client, address)
        assert all(one["src"].startswith("/static/") for one in found.elements("img"))
        assert all("onerror" not in attributes for _, attributes in found.tags)


def test_wrong_addresses_have_a_next_step(client: TestClient, current: str) -> None:
    for address, message in (
        (TO.impact(current, ORDERS, "nope"), "has no column 'nope'"),
        (TO.impact(current, "model.x.gone"), "has no node model.x.gone"),
        (TO.impact("gone", ORDERS), "Run 'gone' not found"),
        (TO.of("runs", current, "impact", ORDERS, direction="sideways"), "Unknown direction 'sideways'"),
    ):
        found = page(client, address, 404)
        assert message in found.text
        assert "Next: " in found.text


def test_selectors_lead_to_the_id(client: TestClient, current: str) -> None:
    asked = TO.of("runs", current[:12], "impact", ORDERS, direction="both", column="status")

    found = client.get(asked, follow_redirects=False)

    assert found.status_code == 307
    wanted = TO.of("runs", current, "impact", ORDERS, direction="both", column="status")
    assert found.headers["location"] == wanted
