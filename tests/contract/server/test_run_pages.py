"""The page of a run and its lists agree with the store's views and with the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.browse.overview import store_overview
from recce_meta.api.browse.run import run_changes
from recce_meta.api.export import read_bytes
from recce_meta.api.runs import show
from recce_meta.models import NodeMetadata, Project, RunMetadata
from recce_meta.report.addresses import Addresses
from recce_meta.report.runs import outcome, run_facts
from recce_meta.server.pages.runs import run as run_module
from recce_meta.store.read import list_runs
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from recce_meta.store.write import record_run
from tests.contract.server.rich_store import FAILED_RUN, HOSTILE, LIVE, NOW, SHOP, parsed
from tests.contract.server.test_overview_pages import served, store_at

TO = Addresses("default")


def run_ids(client: TestClient) -> list[str]:
    return [row["run_id"] for row in client.get("/s/default/runs.json").json()]


@pytest.mark.extensive
def test_every_run_has_a_page_with_the_facts_of_show(client: TestClient, rich_url: str) -> None:
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        for run_id in run_ids(client):
            text = client.get(TO.run(run_id)).text
            shown = show(lambda: adapter, run_id)

            (facts,) = [table for table in parsed(text).tables if table[0][:1] == ["run"]]
            expected = [[k, v] for k, v in run_facts(shown.run, shown.counts, shown.statistics) if v]
            if shown.run.project_name != HOSTILE:  # its control characters are spelt out
                assert [row for row in facts if row] == expected
            if shown.results:
                assert outcome(shown.results) in parsed(text).text


def test_lists_have_the_rows_of_the_views(client: TestClient, rich_url: str) -> None:
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        for part, view in (("results", "run_results"), ("changes", "node_changes"), ("nodes", "nodes")):
            rows = adapter.execute(f"SELECT run_id, unique_id FROM {DEFAULT_SCHEMA}.{view}")[1]
            found = {
                (run_id, row["unique_id"])
                for run_id in run_ids(client)
                for row in client.get(f"{TO.run(run_id, part)}.json").json()
            }

            assert found == set(map(tuple, rows)), part


def test_failures_come_first_and_lead_to_their_nodes(client: TestClient) -> None:
    rows = client.get(f"{TO.run(FAILED_RUN, 'results')}.json").json()
    page = parsed(client.get(TO.run(FAILED_RUN)).text)
    statuses = [row["status"] for row in rows]

    bad = [status for status in statuses if status in ("error", "fail")]
    assert bad
    assert statuses[: len(bad)] == bad
    assert "Database Error: column x does not exist" in page.text
    assert TO.node(FAILED_RUN, rows[0]["unique_id"]) in page.links
    assert f"{len(bad) - 1} failed tests" in page.text


@pytest.mark.parametrize("selector", ["latest", "prod", "prod~1", "branch:main", "shop-"])
def test_a_selector_leads_to_the_address_of_the_run(client: TestClient, rich_url: str, selector: str) -> None:
    answer = client.get(TO.run(selector), params={"project": SHOP}, follow_redirects=False)

    if selector == "shop-":
        assert answer.status_code == 404
        assert "ambiguous" in answer.text
        return
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        run_id = show(lambda: adapter, selector, project=SHOP).run.run_id
    assert (answer.status_code, answer.headers["location"]) == (307, TO.run(run_id))


def test_a_selector_that_fits_several_projects_asks_for_one(client: TestClient) -> None:
    answer = client.get(TO.run("latest"))

    assert answer.status_code == 404
    assert f"{TO.run('latest')}?project={SHOP}" in answer.text


def test_a_list_accepts_a_selector_too(client: TestClient) -> None:
    named = client.get(f"{TO.run('prod', 'results')}.json", params={"project": SHOP}).json()

    assert named == client.get(f"{TO.run(FAILED_RUN, 'results')}.json").json()


def test_a_run_leads_to_the_diffs_against_base_and_the_previous_run(client: TestClient) -> None:
    base = client.get(TO.run("base"), params={"project": SHOP}, follow_redirects=False).headers["location"]
    base_id = base.rpartition("/")[2]
    page = parsed(client.get(TO.run(FAILED_RUN)).text)

    assert TO.diff(base_id, FAILED_RUN) in page.links
    assert TO.diff("shop-1", FAILED_RUN) in page.links
    assert "base is the latest run of the environment base" in page.text
    assert TO.diff("shop-1", FAILED_RUN) not in parsed(client.get(TO.run("shop-1")).text).links


def test_a_scan_leads_to_its_database(client: TestClient) -> None:
    page = parsed(client.get(TO.run("scan-3")).text)

    assert TO.database(LIVE) in page.links
    assert TO.run("scan-3", "changes") in page.links
    assert "since the previous scan" in page.text


def test_an_export_is_the_document_that_import_reads(client: TestClient) -> None:
    answer = client.get(TO.run(FAILED_RUN, "export.json"))
    found = read_bytes(answer.content, "answer")

    assert answer.headers["content-disposition"] == f'attachment; filename="run-{FAILED_RUN}.json"'
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert found.project.run.run_id == FAILED_RUN
    assert json.loads(answer.content)["schema"].startswith("recce_meta/export/")


def test_a_run_that_is_too_large_is_not_exported(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "EXPORTED_NODES", 1)
    answer = client.get(TO.run(FAILED_RUN, "export.json"))

    assert answer.status_code == 400
    assert f"recce-meta export {FAILED_RUN}" in answer.text


def test_an_export_does_not_wait_for_another_one(client: TestClient) -> None:
    with run_module._EXPORTING:
        answer = client.get(TO.run(FAILED_RUN, "export.json"))
    assert answer.status_code == 503 and answer.headers["retry-after"] == "2"
    assert answer.json()["error"]["code"] == "busy"

    for _ in range(2):  # each export lets the next one begin
        assert client.get(TO.run(FAILED_RUN, "export.json")).status_code == 200


@pytest.mark.extensive
def test_a_failed_run_says_why(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    run = RunMetadata(
        run_id="broken", run_at=NOW, project_name="db", extractor="database", status="failed",
        reason="permission denied for schema <b>x</b>",
    )  # fmt: skip
    with UnifiedSqlAdapter.from_url(f"duckdb:///{path}") as adapter:
        record_run(adapter, Project(run=run, nodes=()))
    with served(store_at(path)) as client:
        page = parsed(client.get(TO.run("broken")).text)
        home = parsed(client.get("/").text)
        graph = client.get(TO.graph("broken"))
        nodes = client.get("/api/stores/default/nodes?run=broken")

    assert "The scan failed: permission denied for schema <b>x</b>" in page.text
    assert "never the latest run" in page.text
    # It has no nodes for ever, so that programs must not try again.
    assert graph.status_code == 404 and "Run broken failed" in graph.text
    assert (nodes.status_code, nodes.json()["error"]["code"]) == (404, "run_failed")
    assert "the last run of 1 environment failed" in home.text


def test_hostile_runs_are_text(client: TestClient) -> None:
    hostile = [run_id for run_id in run_ids(client) if run_id.startswith("run ")]
    assert hostile
    for run_id in hostile:
        for address in (TO.run(run_id), *(TO.run(run_id, part) for part in ("nodes", "results", "changes"))):
            answer = client.get(address, follow_redirects=False)

            assert answer.status_code == 200, address
            assert "<script>alert" not in answer.text
            assert "<img src=x" not in answer.text
            assert all(link.startswith(("/", "#")) for link in parsed(answer.text).links)


def test_both_stores_show_the_same_run(client: TestClient, postgres_client: TestClient) -> None:
    for run_id in (FAILED_RUN, "scan-3"):
        pages = [parsed(one.get(TO.run(run_id)).text) for one in (client, postgres_client)]
        without = [
            [row for table in page.tables for row in table if row[:1] != ["recorded at"]] for page in pages
        ]

        assert without[0] == without[1]
        assert pages[0].links == pages[1].links


def test_changes_that_are_not_stored_are_those_that_are(rich_url: str, tmp_path: Path) -> None:
    path = tmp_path / "jaffle_shop.duckdb"  # views of the database contain its name
    shutil.copy(rich_url.removeprefix("duckdb:///"), path)
    with UnifiedSqlAdapter.from_url(f"duckdb:///{path}") as adapter:
        found = []
        for _ in range(2):
            changes = [run_changes(adapter, run).to_dicts() for run in list_runs(adapter)]
            counts = [state.changes for state in store_overview(adapter).environments]
            found.append((changes, counts))
            adapter.execute(f"DELETE FROM {DEFAULT_SCHEMA}.store_graph_changes")
            adapter.execute(f"DELETE FROM {DEFAULT_SCHEMA}.store_graph_steps")

    assert found[0] == found[1]
    assert sum(bool(changes) for changes in found[0][0]) > 1


def test_no_json_controls_a_terminal(tmp_path: Path) -> None:
    path, name = tmp_path / "store.duckdb", "a\x9b31m\u202eb"
    run = RunMetadata(run_id="run", run_at=NOW, project_name="shop", extractor="dbt")
    node = NodeMetadata(unique_id="model.shop.a", name=name, resource_type="model")
    with UnifiedSqlAdapter.from_url(f"duckdb:///{path}") as adapter:
        record_run(adapter, Project(run=run, nodes=(node,)))
    with served(store_at(path)) as client:
        for address in (TO.run("run", "nodes"), TO.graph("run")):
            text = client.get(f"{address}.json").text
            assert "\\u009b31m\\u202eb" in text and text.isprintable(), address
