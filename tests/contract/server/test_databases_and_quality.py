"""Pages of a live database that was scanned and measured twice: they say what scan and quality report."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.public.databases import MeasureOptions, measure_quality
from recce_meta.api.quality import quality_history
from recce_meta.api.record import record_run
from recce_meta.api.scan import ScanOptions, scan
from recce_meta.errors import WarehouseError
from recce_meta.extractors.database import ScanScope
from recce_meta.models import Project
from recce_meta.models.catalog import relation_id
from recce_meta.models.change import ScanReport
from recce_meta.models.run import FAILED
from recce_meta.quality.compare import QualityResult
from recce_meta.report.addresses import Addresses
from recce_meta.report.quality import score_text
from recce_meta.report.quality_history import history_table
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.connections import update_connection
from recce_meta.repositories.state.database import open_state
from recce_meta.repositories.state.jobs import finish_job
from recce_meta.repositories.state.requests import Caller, NewConnection, NewDatabase
from recce_meta.repositories.state.types import QUALITY, JobFigures, JobOutcome, JobStatus
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.pages.nodes.relation import relation_values
from recce_meta.server.site.handlers import Parameters, Request
from recce_meta.server.site.rendering import environment
from recce_meta.server.stores.stores import Store
from recce_meta.store.query import cookbook_query
from recce_meta.store.select import load_nodes_from_warehouse, resolve_run
from tests.support.scanned_shop import scans

pytestmark = pytest.mark.core("duckdb")

PROJECT = 'live <b>shop</b>/"x"'
ODD = "we<b>ird/数据 'x'"
COLUMN = "a.b/<i>c"
TO = Addresses("default")
SECRET = "kim@example.com"

BEFORE = (
    "CREATE TABLE {s}.customer (id INTEGER PRIMARY KEY, email VARCHAR(40), word VARCHAR(20))",
    'CREATE TABLE {s}."{odd}" (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES {s}.customer (id), '
    '"{column}" INTEGER, CHECK (id > 0))',
    "CREATE TABLE {s}.indexed (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES {s}.customer (id))",
    "CREATE INDEX by_customer ON {s}.indexed (customer_id)",
    "CREATE TABLE {s}.audit (note VARCHAR(20))",
    "CREATE TABLE {s}.leaving (id INTEGER)",
    "COMMENT ON TABLE {s}.audit IS 'who <script>alert(1)</script> did it'",
    "INSERT INTO {s}.customer VALUES (1, '{secret}', 'a'), (2, 'lee@example.com', 'a'), (3, NULL, 'b')",
    'INSERT INTO {s}."{odd}" VALUES (1, 1, 5), (2, 1, 6), (3, 2, 7), (4, 2, 8)',
    "INSERT INTO {s}.audit VALUES ('x'), ('y')",
)
BETWEEN = (
    "ALTER TABLE {s}.audit ADD COLUMN done DATE",
    "INSERT INTO {s}.audit SELECT note, NULL FROM {s}.audit",
    'UPDATE {s}."{odd}" SET "{column}" = NULL WHERE id < 3',
    "UPDATE {s}.customer SET word = 'c' WHERE id = 1",
    "CREATE TABLE {s}.arriving (id INTEGER)",
    "INSERT INTO {s}.arriving VALUES (1)",
)
RULES = f"""
tables:
  - name: {json.dumps(ODD, ensure_ascii=False)}
    metrics:
      - {{name: wrong, sql: sum(no_such_column)}}
    columns:
      - name: {json.dumps(COLUMN)}
        expect: {{null_share: "<= 10%"}}
"""


@dataclass
class Live:
    """A database that was scanned and measured twice, and its server."""

    client: TestClient
    adapter: UnifiedSqlAdapter
    store: Store
    store_schema: str
    data: str
    scans: list[ScanReport]
    measured: list[QualityResult]

    def text(self, address: str, status: int = 200) -> str:
        answer = self.client.get(address, follow_redirects=False)
        assert answer.status_code == status, answer.text[-2000:]
        return answer.text

    def rows(self, address: str) -> list[dict[str, Any]]:
        found = json.loads(self.text(address.replace("?", ".json?") if "?" in address else f"{address}.json"))
        assert isinstance(found, list)
        return found

    def id(self, table: str) -> str:
        return relation_id(self.data, table)


def _fill(adapter: UnifiedSqlAdapter, data: str, statements: tuple[str, ...]) -> None:
    quoted = adapter.quote_identifier(data)
    for statement in statements:
        adapter.execute(statement.format(s=quoted, odd=ODD, column=COLUMN, secret=SECRET))
    for name in ("audit", "customer", "indexed", ODD) if adapter.warehouse.name == "postgres" else ():
        adapter.execute(f"ANALYZE {quoted}.{adapter.quote_identifier(name)}")  # the estimates of the catalog


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Yield a server of a store in the database that it describes."""
    folder: Path = tmp_path_factory.mktemp("live")
    url = f"duckdb:///{folder / 'live.duckdb'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    name = uuid4().hex[:8]
    data, kept = f'Shop.{name} "数据"', f"store_{name}"
    rules = folder / "quality.yml"
    rules.write_text(RULES, encoding="utf-8")
    scope = ScanScope(schemas=(data,))
    scans, measured = [], []
    with UnifiedSqlAdapter.from_url(url) as adapter:
        adapter.execute(f"CREATE SCHEMA {adapter.quote_identifier(data)}")
        try:
            for statements, gone in ((BEFORE, None), (BETWEEN, "leaving")):
                _fill(adapter, data, statements)
                scans.append(scan(adapter.at(kept), scope=scope, options=ScanOptions(project=PROJECT)))
                if gone:  # after the scan: it cannot be measured
                    adapter.execute(f"DROP TABLE {adapter.quote_identifier(data)}.{gone}")
                measured.append(
                    measure_quality(adapter.at(kept), project=PROJECT, options=MeasureOptions(rules=rules))
                )
            store = Store("default", lambda: UnifiedSqlAdapter.from_url(url).at(kept))
            with TestClient(create_app({"default": store}, Access()), base_url="http://127.0.0.1") as client:
                yield Live(client, adapter, store, kept, data, scans, measured)
        finally:
            if request.param == "postgres":
                for schema in (data, kept):
                    adapter.execute(f"DROP SCHEMA IF EXISTS {adapter.quote_identifier(schema)} CASCADE")


def test_the_list_of_databases_has_the_latest_scan_and_its_changes(live: Live) -> None:
    (row,) = live.rows(TO.of("databases"))

    latest = live.scans[1]
    assert latest.diff is not None
    assert (row["project_name"], row["environment"]) == (PROJECT, "current")
    assert (row["schema_count"], row["table_count"]) == (latest.counts.schemas, latest.counts.tables)
    assert row["changes"] == len(latest.diff.changed)
    assert unescape(live.text(TO.of("databases"))).count(PROJECT) >= 1


def test_connected_databases_are_listed_with_scan_score_issues_and_next_run(
    live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the store has them; one that was never scanned, or whose store is elsewhere, claims nothing.

    Issues are those of the last job, if it has made the latest measurement.
    """
    state = open_state(f"sqlite:///{tmp_path / 'state.db'}", {})
    service = RepositoryService(state, environ={})
    for name, store, project in (
        ("live", "default", PROJECT),
        ("new", "default", None),
        ("far", "elsewhere", PROJECT),
        ("foreign", "default", PROJECT),
    ):
        own = NewDatabase(url_env="SHOP_URL", project=project)
        request = NewConnection(repo_url="", name=name, database=own, store=store, environment="current")
        asyncio.run(service.add(request, caller=Caller(name="ann", is_admin=True), is_tested=False))
    soon = datetime(2026, 12, 1, tzinfo=timezone.utc)
    # The last has the project of the first, and was never scanned.
    update_connection(state, service.get("live").id, next_check_at=soon, last_extraction_at=soon)
    job = service.jobs_of("live").extract(caller=Caller(name="ann"), branch=QUALITY).job_id
    finish_job(state, job, JobStatus.SUCCESS, JobOutcome(figures=JobFigures(issues=77)))
    app = create_app({"default": live.store}, Access(), service)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        found = {row["name"]: row for row in client.get("/connections/databases.json").json()}
        page = unescape(client.get("/connections/databases").text)
        pages = [client.get(address).status_code for address in re.findall(r'href="(/s/default[^"]*)"', page)]
        linked = 'href="/connections/databases"' in client.get("/connections").text
        latest = live.measured[1].quality.run.quality_run_id
        monkeypatch.setattr("recce_meta.server.pages.connections.databases.run_id_of_job", {job: latest}.get)
        by_job = {row["name"]: row["issues"] for row in client.get("/connections/databases.json").json()}
    state.close()

    quality, diff = live.measured[1].quality, live.scans[1].diff
    assert diff is not None
    metrics = [one for table in quality.tables for part in (table, *table.columns) for one in part.metrics]
    broken = sum(one.holds is False or one.reason is not None for one in metrics)
    unmeasured = sum(table.reason is not None for table in quality.tables)
    assert broken and unmeasured
    own = found["live"]
    assert own["score"] == pytest.approx(quality.run.score) and own["changes"] == len(diff.changed)
    assert by_job["live"] == 77
    assert (own["issues"], own["objects"]) == (broken + unmeasured, live.scans[1].run.node_count)
    assert own["next_check_at"].startswith("2026-12-01")
    for name in ("new", "far", "foreign"):
        assert [found[name][field] for field in ("scanned_at", "changes", "score", "issues")] == [None] * 4
    assert "This server does not open the store elsewhere" in page
    assert linked and set(pages) == {200}


def test_a_database_page_leads_to_changes_keys_and_the_diff_of_both_scans(live: Live) -> None:
    page = live.text(TO.database(PROJECT))

    first, second = (report.run.run_id for report in live.scans)
    assert TO.diff(first, second) in page
    assert "differ" in page and "<b>shop</b>" not in page and "<script>alert" not in page
    for section in ("schemas", "changes", "size", "grown", "unindexed", "keyless"):
        assert f'id="{section}"' in page
    assert 'class="line-chart"' in page  # rows over two scans
    assert len(page.encode()) < 200_000


def test_the_changes_are_those_that_the_scan_reported(live: Live) -> None:
    diff = live.scans[1].diff
    assert diff is not None

    rows = live.rows(TO.database(PROJECT, "changes"))

    assert {row["object"] for row in rows} == {
        change.unique_id.removeprefix("relation.") for change in diff.changed
    }
    by_object = {row["object"]: row for row in rows}
    audit = by_object[live.id("audit").removeprefix("relation.")]
    assert (audit["status"], audit["columns"]) == ("modified", "added done")


def test_keys_and_tables_are_those_of_the_cookbook(live: Live) -> None:
    keys = live.rows(TO.database(PROJECT, "foreign-keys"))
    unindexed = cookbook_query("foreign_keys_without_index", live.adapter.warehouse, live.store_schema)
    keyless = cookbook_query("tables_without_primary_key", live.adapter.warehouse, live.store_schema)

    assert {row["relation"] for row in keys if not row["is_indexed"]} == {
        str(row[1]).removeprefix("relation.") for row in live.adapter.answer(unindexed)
    }
    assert {row["relation"] for row in keys} == {
        live.id(name).removeprefix("relation.") for name in (ODD, "indexed")
    }
    tables = live.rows(TO.database(PROJECT, "tables", has_primary_key="false"))
    assert sorted(row["name"] for row in tables) == sorted(
        str(row[2]) for row in live.adapter.answer(keyless)
    )
    (index,) = live.rows(TO.database(PROJECT, "indexes"))
    assert index["index_name"] == "by_customer"


def test_tables_have_sizes_and_their_growth(live: Live) -> None:
    rows = {row["name"]: row for row in live.rows(TO.database(PROJECT, "tables"))}

    assert (rows["audit"]["row_estimate"], rows["audit"]["row_delta"]) == (4, 2)
    assert rows["arriving"]["row_delta"] is None
    answer = live.text(TO.database(PROJECT, "tables").replace("/tables", "/tables.csv"))
    assert len(list(csv.DictReader(io.StringIO(answer)))) == len(rows)
    assert "audit" in live.text(TO.database(PROJECT)).partition('id="grown"')[2]
    assert [row["row_estimate"] for row in live.rows(TO.database(PROJECT, "sizes"))] == [
        sum(row["row_estimate"] or 0 for row in rows.values()),
        9,
    ]


def test_sums_without_some_tables_say_at_least(live: Live) -> None:
    """PostgreSQL has no estimate of a table before it is analyzed."""
    estimates = [
        row["row_estimate"] for row in live.rows(TO.database(PROJECT, "tables", resource_type="table"))
    ]
    is_partial = None in estimates
    said = f">{'at least ' if is_partial else ''}{sum(one or 0 for one in estimates):,}<"

    assert is_partial is (live.adapter.warehouse.name == "postgres")
    for address in (TO.of("databases"), TO.database(PROJECT, "schemas")):
        assert said in live.text(address)


@pytest.mark.parametrize("spelling", ["{id}", "{label}", "{schema}.{name}"])
def test_a_table_has_a_stable_address_that_leads_to_its_node(live: Live, spelling: str) -> None:
    unique_id = live.id(ODD)
    name = spelling.format(
        id=unique_id, label=unique_id.removeprefix("relation."), schema=live.data, name=ODD
    )

    answer = live.client.get(TO.database(PROJECT, "tables", name), follow_redirects=False)

    assert answer.headers["location"] == TO.node(live.scans[1].run.run_id, unique_id)


def test_a_schema_lists_its_tables(live: Live) -> None:
    page = unescape(live.text(TO.database(PROJECT, "schemas", live.data)))

    assert TO.node(live.scans[1].run.run_id, live.id(ODD)) in page and "6</b> tables" in page
    assert "<script>alert" not in live.text(TO.database(PROJECT, "schemas", live.data))


@pytest.mark.parametrize(
    "parts", [("no such",), (PROJECT, "schemas", "no such"), (PROJECT, "tables", "no such")]
)
def test_an_unknown_name_is_not_found(live: Live, parts: tuple[str, ...]) -> None:
    assert "no such" in live.text(TO.database(*parts), 404)
    live.text(TO.database(PROJECT, environment="no such"), 404)
    live.text(TO.quality(PROJECT, "no such"), 404)
    live.text(TO.quality(PROJECT, live.id("audit"), "columns", "no such"), 404)


def test_a_relation_has_its_keys_both_ways_and_its_constraints(live: Live) -> None:
    run = resolve_run(live.adapter.at(live.store_schema), live.scans[1].run.run_id)
    nodes = {
        node.unique_id: node
        for node in load_nodes_from_warehouse(live.adapter.at(live.store_schema), run.run_id)
    }
    template = environment().from_string(
        '{% from "relation.html" import relation with context %}{{ relation(values) }}'
    )
    pages = {}
    with live.store.view() as view:
        request = Request(view, "/", {}, Parameters())
        for name in ("customer", ODD, "audit"):
            values = relation_values(request, run, nodes[live.id(name)])
            pages[name] = template.render(values=values)
        assert relation_values(request, run, replace(nodes[live.id("audit")], resource_type="model")) == {}

    assert pages["customer"].count(TO.node(run.run_id, live.id(ODD))) == 1
    assert "is referred to by" in pages["customer"] and "primary key" in pages["customer"]
    assert TO.node(run.run_id, live.id("customer")) in pages[ODD] and "check" in pages[ODD]
    assert "<b>ird" not in "".join(pages.values())
    assert "No foreign key" in pages["audit"] and 'class="line-chart"' in pages["audit"]
    assert "style=" not in "".join(pages.values())


def test_scores_are_those_of_the_measurement_worst_first(live: Live) -> None:
    tables = {table.unique_id: table for table in live.measured[1].quality.tables}

    rows = live.rows(TO.quality("tables"))

    assert {row["relation"]: row["score"] for row in rows} == {
        table.relation: table.score for table in tables.values()
    }
    assert rows[0]["name"].endswith("leaving") and rows[0]["reason"]
    scores = [row["score"] for row in rows[1:] if row["score"] is not None]
    assert scores == sorted(scores)
    odd = next(row for row in rows if row["relation"] == tables[live.id(ODD)].relation)
    before = next(one for one in live.measured[0].quality.tables if one.unique_id == live.id(ODD))
    assert odd["score_change"] == pytest.approx((odd["score"] or 0) - (before.score or 0))
    assert odd["violations"] == 2  # the share of NULL, and the metric that cannot be measured


def test_the_overview_of_quality_names_conditions_and_tables_not_measured(live: Live) -> None:
    page = live.text(TO.quality())

    assert "1 condition is not met; 1 figure could not be measured" in page and 'class="spark"' in page
    assert 'id="unmeasured"' in page and "not measured" in page
    chosen = live.text(TO.quality(project=PROJECT, environment="current"))
    for shown in (page, chosen):
        assert TO.quality(PROJECT, live.id(ODD), environment="current") in unescape(shown)
    assert live.id("audit") not in live.text(TO.quality(project="another"))
    violations = live.rows(TO.quality("violations"))
    assert {(row["metric_name"], row["status"]) for row in violations} == {
        ("null_share", "not met"),
        ("wrong", "not measured"),
    }
    assert [row["table_count"] for row in live.rows(TO.quality("measurements"))] == [6, 5]


def test_a_table_shows_its_columns_conditions_and_changes(live: Live) -> None:
    page = unescape(live.text(TO.quality(PROJECT, live.id(ODD))))

    table = next(one for one in live.measured[1].quality.tables if one.unique_id == live.id(ODD))
    assert f">{score_text(table.score)}</b>" in page
    assert f"{COLUMN} null_share 0% → 50.0%, distinct_count 4 → 2" in page
    assert "not met" in page and "not measured" in page and "<= 10%" in page
    assert TO.quality(PROJECT, live.id(ODD), "columns", COLUMN, environment="current") in page
    history = live.rows(TO.quality(PROJECT, live.id(ODD), "history"))
    assert [row["score"] for row in history] == [
        next(one.score for one in result.quality.tables if one.unique_id == live.id(ODD))
        for result in reversed(live.measured)
    ]
    assert "could not be measured" in live.text(TO.quality(PROJECT, live.id("leaving")))


def test_values_of_private_columns_are_on_no_page(live: Live) -> None:
    customer = live.id("customer")
    pages = [
        live.text(TO.quality(PROJECT, customer)),
        live.text(TO.quality(PROJECT, customer, "columns")),
        live.text(TO.quality(PROJECT, customer, "columns", "email")),
        live.text(TO.quality(PROJECT, customer, "columns") + ".json"),
    ]

    assert SECRET not in "".join(pages)
    assert "withheld" in pages[1] and "private" in pages[2]


def test_a_column_has_the_figures_of_the_history_of_quality(live: Live) -> None:
    name = next(one.name for one in live.measured[1].quality.tables if one.unique_id == live.id("customer"))
    known = quality_history(live.adapter.at(live.store_schema), f"{name}.word", project=PROJECT)

    page = unescape(live.text(TO.quality(PROJECT, live.id("customer"), "columns", "word")))

    heads, rows = history_table(known)
    cells = [re.sub("<[^>]*>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", page)]
    assert all(cell in cells for row in rows for cell in row)
    assert re.findall(r"<th[^>]*>([^<]*)</th>", page.rpartition('id="history"')[2]) == heads
    assert re.findall(r"<tr><th[^>]*><code>(.)</code></th>", page.partition('id="values"')[2])[:3] == [
        "a",
        "b",
        "c",
    ]
    listed = live.rows(TO.quality(PROJECT, live.id("customer"), "columns", "word", "history"))
    assert [row["distinct_count"] for row in listed] == [3, 2]


def test_a_newer_scan_that_failed_is_said(live: Live) -> None:
    run = replace(live.scans[1].run, run_id=uuid4().hex, status=FAILED, reason="no <b>rights</b>")
    later = replace(run, run_at=run.run_at.replace(year=run.run_at.year + 1), recorded_at=None)
    try:
        record_run(live.adapter.at(live.store_schema), Project(run=later, nodes=()), columns=False)
    except WarehouseError as error:
        pytest.fail(str(error))

    fresh = Store("default", live.store._connect)
    with TestClient(create_app({"default": fresh}, Access()), base_url="http://127.0.0.1") as client:
        page = client.get(TO.database(PROJECT)).text

    assert "no &lt;b&gt;rights" in page and "Next: run recce-meta scan again" in page


@pytest.mark.extensive
def test_tables_without_a_key_are_the_same_on_the_page_and_in_its_list(tmp_path: Path) -> None:
    found = scans(datetime(2026, 11, 1, tzinfo=timezone.utc))[-1]
    fresh = next(node for node in found.nodes if node.name == "fresh")
    part = replace(
        fresh, unique_id=f"{fresh.unique_id}_1", name="part", properties={"partition_of": fresh.unique_id}
    )
    url = f"duckdb:///{tmp_path / 'store.duckdb'}"
    with UnifiedSqlAdapter.from_url(url) as adapter:
        record_run(adapter, replace(found, nodes=(*found.nodes, part)))

    store = Store("default", lambda: UnifiedSqlAdapter.from_url(url))
    with TestClient(create_app({"default": store}, Access()), base_url="http://127.0.0.1") as client:
        page = client.get(TO.database(found.run.project_name)).text.partition('id="keyless"')[2]
        (address,) = [unescape(one) for one in re.findall(r'href="([^"]*is_partition[^"]*)"', page)]
        listed = client.get(address.replace("?", ".json?")).json()

    previewed = re.findall(r'<a href="[^"]*/nodes/[^"]*">([^<]*)</a>', page.partition("</section>")[0])
    assert [row["name"] for row in listed] == previewed == ["fresh"]
