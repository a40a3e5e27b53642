"""The page of a project: history as charts and a table, environments, branches and pull requests."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.browse.history import project_history
from recce_meta.report.addresses import Addresses
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from tests.contract.server.rich_store import HOSTILE, SHOP, parsed

TO = Addresses("default")


def test_figures_of_a_history_are_those_of_the_views(rich_url: str) -> None:
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        history = project_history(adapter, SHOP, environment="prod")
        rows = adapter.execute(
            f"SELECT run_id, sum(seconds), count(*) FROM {DEFAULT_SCHEMA}.run_results GROUP BY run_id"
        )[1]
        changed = adapter.execute(
            f"SELECT count(*) FROM {DEFAULT_SCHEMA}.node_changes WHERE run_id = 'shop-3'"
        )[1]
    results = {run_id: (seconds, number) for run_id, seconds, number in rows}

    assert history is not None
    assert [point.run.run_id for point in history.points] == ["shop-1", "shop-3"]
    for point in history.points:
        assert point.results is not None
        assert (point.results.seconds, point.results.total) == pytest.approx(results[point.run.run_id])
    assert history.points[-1].changes.total == changed[0][0]
    assert history.points[-1].problem_count > 1


def test_results_that_were_counted_before_are_not_counted_again(rich_url: str) -> None:
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        first = project_history(adapter, SHOP, environment="prod")
        assert first is not None
        known = {point.run.run_id: point.results for point in first.points if point.results}
        marked = {run_id: type(one)(by_status=one.by_status, seconds=7.0) for run_id, one in known.items()}
        again = project_history(adapter, SHOP, environment="prod", known=marked)

    assert again is not None
    assert {point.results and point.results.seconds for point in again.points} == {7.0}


def test_a_chart_has_a_title_for_each_run_and_an_equal_table(client: TestClient) -> None:
    page = parsed(client.get(TO.of("projects", SHOP, environment="prod")).text)
    charts = [svg for svg in page.elements("svg") if svg.get("role") == "img"]
    (table,) = [table for table in page.tables if "work" in table[0]]

    assert [svg["aria-label"].partition(" in ")[0] for svg in charts] == [
        "Number of nodes",
        "Nodes added, removed or modified since the previous run",
        "Seconds of work: a sum over nodes, not elapsed time",
        "Nodes with an error and failed tests",
    ]
    assert len(page.elements("title")) == 1 + 4 * (len(table) - 1)
    assert [row[0] for row in table[1:]] == ["shop-3", "shop-1"]


def test_branches_and_pull_requests_lead_to_the_diff_against_base(client: TestClient) -> None:
    rows = client.get(f"{TO.project(SHOP, 'pull-requests')}.json").json()
    page = parsed(client.get(TO.project(SHOP, "pull-requests")).text)

    assert {row["name"]: row["environments"] for row in rows} == {"30": "ci", "32": "ci", "42": "current"}
    for row in rows:
        assert TO.diff(row["base_run_id"], row["run_id"]) in page.links


def test_a_list_of_a_project_is_a_list_of_its_latest_runs(client: TestClient) -> None:
    runs = client.get("/s/default/runs.json", params={"project_name": SHOP}).json()
    branches = client.get(f"{TO.project(SHOP, 'branches')}.json").json()
    environments = client.get(f"{TO.project(SHOP, 'environments')}.json").json()

    first: dict[str, str] = {}
    for run in runs:
        first.setdefault(run["branch"], run["run_id"])
    assert {row["name"]: row["run_id"] for row in branches} == first
    assert {row["environment"] for row in environments} == {run["environment"] for run in runs}


def test_a_database_is_not_a_project(client: TestClient) -> None:
    answer = client.get(TO.project("warehouse"), follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (307, TO.database("warehouse"))


def test_an_unknown_project_or_environment_is_not_found(client: TestClient) -> None:
    answers = [
        client.get(TO.project("jaffle_sohp")),
        client.get(TO.of("projects", SHOP, environment="nope")),
        client.get(TO.project("nope", "branches")),
    ]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert SHOP in answers[0].text


def test_a_hostile_project_is_text(client: TestClient) -> None:
    answer = client.get(TO.project(HOSTILE))
    page = parsed(answer.text)

    assert answer.status_code == 200
    assert page.title == HOSTILE
    assert "<script>alert" not in answer.text
    for part in ("environments", "branches", "pull-requests"):
        assert TO.project(HOSTILE, part) in page.links
        assert client.get(TO.project(HOSTILE, part)).status_code == 200


@pytest.mark.extensive
def test_both_stores_show_the_same_project(client: TestClient, postgres_client: TestClient) -> None:
    pages = [
        parsed(one.get(TO.of("projects", SHOP, environment="prod")).text) for one in (client, postgres_client)
    ]

    assert pages[0].tables == pages[1].tables
    assert pages[0].links == pages[1].links
