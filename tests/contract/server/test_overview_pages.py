"""The overview and its list: the latest run of each environment, what changed and failed, and ages."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.browse.overview import EnvironmentState, store_overview
from recce_meta.models import Project, RunMetadata
from recce_meta.models.quality import Quality, QualityRun
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.pages.projects import overview
from recce_meta.server.stores.stores import Store
from recce_meta.store.check_results import list_checks
from recce_meta.store.quality import write_quality
from recce_meta.store.read import list_runs
from recce_meta.store.session import init_store
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from recce_meta.store.write import record_run
from tests.contract.server.rich_store import HOSTILE, LIVE, SHOP, parsed


def states(url: str) -> list[EnvironmentState]:
    """The state of each environment of the rich store."""
    with UnifiedSqlAdapter.from_url(url) as adapter:
        return list(store_overview(adapter).environments)


def served(*stores: Store) -> TestClient:
    app = create_app({store.name: store for store in stores}, Access())
    return TestClient(app, base_url="http://127.0.0.1")


def store_at(path: Path, name: str = "default") -> Store:
    return Store(name, lambda: UnifiedSqlAdapter.from_url(f"duckdb:///{path}"))


def test_each_environment_and_scope_has_its_latest_run(rich_url: str) -> None:
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        runs = list_runs(adapter)
    latest: dict[tuple[str, str, str | None], list[str]] = {}
    for run in runs:
        scope = run.command or "scan" if run.extractor == "database" else None
        latest.setdefault((run.project_name, run.environment, scope), []).append(run.run_id)

    found = {state.run.run_id: (state.run_count, state.previous_run_id) for state in states(rich_url)}

    assert found == {ids[0]: (len(ids), ids[1] if ids[1:] else None) for ids in latest.values()}


def test_failing_checks_are_those_whose_latest_result_is_bad(rich_url: str) -> None:
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        latest = {
            (
                one.current_run_id or one.base_run_id,
                one.base_run_id,
                one.file_name,
                one.check_name,
            ): one.status
            for one in reversed(list_checks(adapter))
        }
    bad = Counter(key[0] for key, status in latest.items() if status in ("failed", "error"))

    found = {state.run.run_id: state.failing_checks for state in states(rich_url)}

    assert sum(found.values()) > 0
    assert found == {run_id: bad[run_id] for run_id in found}


def test_changes_are_those_of_the_view(rich_url: str) -> None:
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        rows = adapter.execute(f"SELECT run_id, status FROM {DEFAULT_SCHEMA}.node_changes")[1]
    counted = Counter((run_id, status) for run_id, status in rows)

    found = {
        (state.run.run_id, status): number
        for state in states(rich_url)
        if state.changes is not None
        for status, number in state.changes.to_dicts()[0].items()
        if number
    }

    latest = {state.run.run_id for state in states(rich_url)}
    assert found == {key: number for key, number in counted.items() if key[0] in latest}
    assert found


def test_the_first_screen_counts_projects_databases_and_failures(client: TestClient) -> None:
    page = parsed(client.get("/").text)

    assert page.title == "Overview"
    assert "3 projects and 3 scanned databases; 2 projects have failing tests" in page.text
    assert SHOP in page.text
    assert f"/s/default/databases/{LIVE}" in page.links


def test_a_failing_test_leads_to_its_node(client: TestClient) -> None:
    page = parsed(client.get("/s/default").text)
    (failing,) = [table for table in page.tables if table[0][:3] == ["project", "environment", "node"]]

    assert [SHOP, "prod"] in [row[:2] for row in failing]
    assert any("/runs/shop-3/nodes/" in link for link in page.links)


@pytest.mark.extensive
def test_the_same_overview_from_both_stores(client: TestClient, postgres_client: TestClient) -> None:
    lists = [one.get("/s/default/environments.json").json() for one in (client, postgres_client)]

    assert lists[0] == lists[1]


def test_hostile_names_are_text(client: TestClient) -> None:
    page = parsed(client.get("/s/default/environments").text)

    assert HOSTILE in page.text
    assert "script" not in {name for name, attributes in page.tags if "src" not in attributes}
    assert not page.elements("b")


@pytest.mark.extensive
def test_the_age_of_a_run_grows_although_the_store_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(timezone.utc)
    path = tmp_path / "store.duckdb"
    with UnifiedSqlAdapter.from_url(f"duckdb:///{path}") as adapter:
        for name, age in (("new", timedelta(hours=3, minutes=5)), ("old", timedelta(hours=30))):
            run = RunMetadata(run_id=name, run_at=now - age, project_name=name)
            record_run(adapter, Project(run=run, nodes=()))
    with served(store_at(path)) as client:
        answer = client.get("/s/default")
        monkeypatch.setattr(overview, "age_phrase", lambda then, now: "9 years")
        again = client.get("/s/default")

    rows = {row[0]: row for row in parsed(answer.text).tables[0][1:]}
    assert re.search(r"\b3 h ago", rows["new"][2])
    assert "stale" not in rows["new"][2]
    assert re.search(r"\b30 h ago\s*stale", rows["old"][2])
    assert "first run" in rows["old"][4]
    assert "9 years ago" in again.text


def test_a_store_without_runs_names_the_next_command(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with UnifiedSqlAdapter.from_url(f"duckdb:///{path}") as adapter:
        init_store(adapter)
    with served(store_at(path)) as client:
        pages = [client.get(address) for address in ("/", "/s/default", "/s/default/environments")]

    assert [page.status_code for page in pages] == [200] * 3
    assert all("recce-meta record" in page.text for page in pages)


def test_a_store_that_cannot_be_read_does_not_hide_another(tmp_path: Path, rich_url: str) -> None:
    good = Store("good", lambda: UnifiedSqlAdapter.from_url(rich_url))
    with served(store_at(tmp_path / "none.duckdb", "bad"), good) as client:
        page = parsed(client.get("/").text)

    assert "recce-meta init" in page.text or "not found" in page.text
    assert "1 store cannot be read" in page.text
    assert f"/s/good/projects/{SHOP}" in page.links


@pytest.mark.parametrize("address", ["/s/default/environments.csv", "/s/default/environments"])
def test_the_list_of_environments_has_every_environment(
    client: TestClient, rich_url: str, address: str
) -> None:
    text = client.get(address).text

    assert all(state.run.run_id[:8] in text for state in states(rich_url) if state.run.project_name == SHOP)


def test_an_environment_leads_to_its_history(client: TestClient) -> None:
    page = parsed(client.get("/s/default/environments").text)

    assert f"/s/default/projects/{SHOP}?environment=prod" in page.links
    assert client.get(f"/s/default/projects/{SHOP}?environment=prod").status_code == 200


def test_several_stores_show_the_time_of_each_copy(rich_url: str) -> None:
    stores = [Store(name, lambda: UnifiedSqlAdapter.from_url(rich_url)) for name in "ab"]
    with served(*stores) as client:
        page = parsed(client.get("/").text)

    assert page.text.count("a copy of the database file") == 2
    assert "2 stores: 6 projects and 6 scanned databases" in page.text
    assert {"/s/a", "/s/b"} <= set(page.links)


def test_a_score_is_shown_for_the_scope_that_was_measured_alone(tmp_path: Path) -> None:
    now = datetime.now(timezone.utc)
    scan = RunMetadata(
        run_id="all", run_at=now, project_name="db", environment="live", extractor="database", command="scan"
    )
    part = replace(scan, run_id="part", command="scan --schema other")
    build = replace(scan, run_id="build", extractor="dbt", command="build")
    measured = QualityRun(
        quality_run_id="q", run_id="all", project_name="db", environment="live", score=87.5,
        started_at=now, finished_at=now,
    )  # fmt: skip
    with UnifiedSqlAdapter.from_url(f"duckdb:///{tmp_path / 'db.duckdb'}") as adapter:
        init_store(adapter)
        for run in (scan, part, build):
            record_run(adapter, Project(run=run, nodes=()))
        write_quality(adapter, Quality(run=measured, tables=()))
        found = {state.run.run_id: state.quality for state in store_overview(adapter).environments}

    assert {run_id: score and score.score for run_id, score in found.items()} == {
        "all": 87.5,
        "part": None,
        "build": None,
    }
