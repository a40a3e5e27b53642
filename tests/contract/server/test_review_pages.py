"""Reviews on the pages: the form, its refusals, and the marks afterwards."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from recce_meta import demo_data
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.public.data import ComparisonOptions, diff_data, run_checks
from recce_meta.api.record import record_project
from recce_meta.api.reviews import list_reviews
from recce_meta.demo_data import DATABASE, load_tables
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.report.addresses import Addresses
from recce_meta.server.access.scopes import READ_ONLY, Permissions
from recce_meta.server.stores import stores
from recce_meta.server.stores.stores import Store
from recce_meta.store.read import list_runs
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from tests.contract.server.rich_store import parsed
from tests.contract.server.small_store import LOCAL, client_of, copy_demo, file_url, record_side

pytestmark = pytest.mark.core("duckdb")

TO = Addresses("default")
WRITES = Permissions(writes=True)
SAVED = ComparisonOptions(save=True)
ORDERS = "model.jaffle_shop.orders"
HOSTILE = "x\"'><script>alert(1)</script>\u202e"
CHECKS = "checks: [{name: 'Rows of <orders>', type: row_count_diff, params: {node_names: [orders]}}]"


@pytest.fixture(scope="module")
def whole_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A DuckDB file with both sides of the demo, and a check."""
    folder = tmp_path_factory.mktemp("reviewed")
    url = file_url(folder / f"{DATABASE}.duckdb")
    _record(url, DEFAULT_SCHEMA, folder)
    return url


@pytest.fixture
def reviewed_file(whole_file: str, tmp_path: Path) -> str:
    """A copy of `whole_file`, which the test may write to."""
    file = tmp_path / f"{DATABASE}.duckdb"
    file.write_bytes(Path(whole_file.removeprefix("duckdb:///")).read_bytes())
    return file_url(file)


def _record(url: str, schema: str, folder: Path) -> None:
    record_side(url, "base", "current", schema=schema)
    (folder / "checks.yml").write_text(CHECKS, encoding="utf-8")
    with UnifiedSqlAdapter.from_url(url) as adapter:
        if url.startswith("duckdb"):
            load_tables(adapter.execute)
            run_checks(adapter.at(schema), folder / "checks.yml", "base", "current", options=SAVED)


@pytest.fixture(params=["duckdb", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """URL and schema of a store that the test may write to."""
    if request.param == "duckdb":
        yield request.getfixturevalue("reviewed_file"), DEFAULT_SCHEMA
        return
    url, schema = request.getfixturevalue("postgres_url"), f"reviews_{uuid4().hex[:12]}"
    _record(url, schema, tmp_path)
    try:
        yield url, schema
    finally:
        with UnifiedSqlAdapter.from_url(url) as adapter:
            adapter.execute(f'DROP SCHEMA "{schema}" CASCADE')


def client_at(place: tuple[str, str], permissions: Permissions = WRITES) -> TestClient:
    url, schema = place
    return client_of(
        Store(
            "default",
            lambda: UnifiedSqlAdapter.from_url(url, may_create=False).at(schema),
            permissions=permissions,
        )
    )


def runs_at(place: tuple[str, str]) -> tuple[str, str]:
    with UnifiedSqlAdapter.from_url(place[0]) as adapter:
        ids = {run.environment: run.run_id for run in list_runs(adapter.at(place[1]))}
    return ids["base"], ids["current"]


def marks_at(place: tuple[str, str]) -> list[Any]:
    with UnifiedSqlAdapter.from_url(place[0]) as adapter:
        return list_reviews(adapter.at(place[1]))


@pytest.mark.extensive
def test_a_mark_is_stored_and_shown_at_once(place: tuple[str, str]) -> None:
    base, current = runs_at(place)
    with client_at(place) as client:
        page = client.get(TO.diff(base, current))
        assert "0 of 6 approved" in page.text
        form = {"base": base, "current": current, "node": ORDERS, "status": "approved"}
        hostile = {"comment": f"fine {HOSTILE}", "reviewer": f"Ann {HOSTILE}"}

        answer = client.post(TO.reviews(), data={**form, **hostile})

        assert answer.status_code == 303, answer.text
        assert answer.headers["location"] == TO.diff(base, current, node=ORDERS)
        shown = client.get(answer.headers["location"])
        assert "1 of 6 approved" in shown.text
        changes = client.get(TO.of("diff", base, current, "changes.json")).json()
        assert [one["unique_id"] for one in changes if f"Ann {HOSTILE}" in one["review"]] == [ORDERS]
        for address in (
            answer.headers["location"],
            TO.diff(base, current, node="orders", tab="notes"),
            TO.reviews(),
        ):
            text = client.get(address).text
            assert f"Ann {HOSTILE[:-1]}" in parsed(text).text
            assert "<script>alert" not in text and "\u202e" not in text
        graph = TO.diff_graph(base, current)
        drawn = {node["id"]: node.get("review") for node in client.get(f"{graph}.json").json()["nodes"]}
        listed = {row["unique_id"]: row["review"] for row in client.get(f"{graph}/nodes.json").json()}
        assert drawn == listed
        assert {one: review for one, review in drawn.items() if review} == {
            ORDERS: f"approved by {hostile['reviewer']}"
        }
        rows = client.get(TO.reviews() + ".json").json()
        assert [(row["reviewer"], row["comment"], row["stands"]) for row in rows] == [
            (hostile["reviewer"], hostile["comment"], True)
        ]

        client.post(TO.reviews(), data={**form, **hostile, "status": "withdrawn"})
        again = parsed(client.get(TO.diff(base, current)).text).text
        assert "0 of 6 approved" in again and "approved by" not in again
        assert "approved by" not in client.get(f"{graph}.json").text
        assert [row["stands"] for row in client.get(TO.reviews() + ".json").json()] == [False, False]


def test_search_finds_code_texts_and_macros_and_says_where(place: tuple[str, str]) -> None:
    with client_at(place, READ_ONLY) as client:
        for text, found in (
            ("Paid_Amount", {("int_order_payments", "code"), ("orders", "code")}),
            ("finance", {("daily_revenue", "tag")}),
            ("cents_to_dollars", {("cents_to_dollars", "name"), ("stg_payments", "code")}),
            ("paid_amount%", set()),
        ):
            page = parsed(client.get(TO.search(text)).text)
            assert {(row[0], row[2]) for table in page.tables for row in table[1:] if len(row) > 2} == found
            hits = client.get(TO.search(text).replace("/s/default", "/api/stores/default")).json()["items"]
            assert {(hit["name"], hit.get("place")) for hit in hits} == found
        # A node that its name finds is not listed again.
        names = [hit["name"] for hit in client.get("/api/stores/default/search?q=orders").json()["items"]]
        assert names.count("stg_orders") == 1


def later_commit(place: tuple[str, str]) -> str:
    """Record the next commit of the pull request, and return the id of its run."""
    with UnifiedSqlAdapter.from_url(place[0]) as adapter:
        git = GitState(sha="f" * 40, branch="count-payments-once", dirty=False, pull_request="42")
        project = extract_project(demo_data.artifacts("current"), environment="later", git=git)
        later = str(uuid4())
        record_project(adapter, replace(project, run=replace(project.run, run_id=later)))
    return later


def compared(client: TestClient, base: str, current: str, sql: str, **more: str) -> tuple[str, str]:
    """Compare a query of both runs, and return the address of its answer, and the id of its job."""
    form = {"kind": "query", "base": base, "current": current, "current_sql": sql, **more}
    answer = client.post(TO.queries(), data=form)
    assert answer.status_code == 303, answer.text
    deadline = time.monotonic() + 60
    while True:
        (job, *_) = client.get(f"{TO.queries()}.json").json()
        if job["state"] == "done" or time.monotonic() > deadline:
            assert job["state"] == "done", job
            return answer.headers["location"], job["id"]
        time.sleep(0.05)


@pytest.mark.extensive
def test_a_query_becomes_a_check_that_later_commits_ask_again(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "COPY_PAUSE", 0.0)
    place = (file_url(tmp_path / f"{DATABASE}.duckdb"), DEFAULT_SCHEMA)
    copy_demo(tmp_path_factory, tmp_path)
    base, current = runs_at(place)
    by_status = "select status, sum(amount) as amount\nfrom {{ ref('orders') }} group by 1"
    with client_at(place, Permissions(queries=True)) as client:
        address, _ = compared(client, base, current, by_status)
        page = client.get(address, follow_redirects=True).text
        assert "status" in page and "Add as check" not in page
    with client_at(place, Permissions(queries=True, writes=True)) as client:
        _, narrowed = compared(client, base, current, by_status, where="amount > 0")
        form = {"base": base, "current": current, "sentence": "Amounts fall."}
        refused = client.post(TO.of("checklist"), data={**form, "job": narrowed})
        assert (refused.status_code, "No check can be proposed" in refused.text) == (400, True)
        address, job = compared(client, base, current, by_status)
        assert "Add as check" in client.get(address, follow_redirects=True).text
        assert client.post(TO.of("checklist"), data={**form, "base": current, "job": job}).status_code == 400
        panel = client.post(TO.of("checklist"), data={**form, "job": job}, follow_redirects=True).text
        assert "1 passed" in panel and "Amounts fall." in panel

        later = later_commit(place)
        again = {"base": base, "current": later}
        panel = parsed(client.get(TO.diff(base, later, panel="checks")).text).text
        assert "none yet" in panel and "Compare first: Query select status" in panel
        assert "compare the queries" in client.post(TO.of("checklist", "again"), data=again).text
        # The relations are those of the later run: its template names them.
        compared(client, base, later, by_status, key="status")
        panel = client.post(TO.of("checklist", "again"), data=again, follow_redirects=True).text
        assert "1 passed" in panel and "Compare first" not in panel
    found = re.search(r'<pre class="code" tabindex="0">(checks:.*?)</pre>', panel, re.DOTALL)
    assert found is not None
    (tmp_path / "checks.yml").write_text(unescape(found[1]), encoding="utf-8")
    with UnifiedSqlAdapter.from_url(place[0]) as adapter:
        (check,) = run_checks(adapter, tmp_path / "checks.yml", base, later).checks
    assert (check.status, check.type, check.description) == ("passed", "query_diff", "Amounts fall.")


def test_a_check_is_added_from_a_result_and_survives_commits(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "COPY_PAUSE", 1e6)
    place = (file_url(tmp_path / f"{DATABASE}.duckdb"), DEFAULT_SCHEMA)
    copy_demo(tmp_path_factory, tmp_path)
    with UnifiedSqlAdapter.from_url(place[0]) as adapter:
        diff_data(adapter, "base", "current", options=SAVED)
    base, current = runs_at(place)
    form = {"base": base, "current": current, "node": ORDERS, "sentence": f"Amount: falls. {HOSTILE}"}
    with client_at(place, READ_ONLY) as client:
        assert "Add as check" not in client.get(TO.diff(base, current, node="orders", tab="data")).text
        assert client.post(TO.of("checklist"), data=form).status_code == 403
    with client_at(place) as client:
        offered = parsed(client.get(TO.diff(base, current, node="orders", tab="data")).text).text
        assert "Add as check" in offered and "amount: 8.5%" in offered
        answer = client.post(TO.of("checklist"), data=form)
        assert answer.headers["location"] == TO.diff(base, current, node=ORDERS, tab="data")
        assert "Is a check" in client.get(answer.headers["location"]).text
        panel = client.get(TO.diff(base, current, panel="checks")).text
        assert "1 passed" in panel and "<script>alert" not in panel and "amount: 8.5%" in panel
        refused = client.post(TO.of("checklist"), data={**form, "node": "model.jaffle_shop.payment_mix"})
        assert (refused.status_code, "No check can be proposed" in refused.text) == (400, True)

        # The next commit of the pull request: nothing is judged before its data are compared.
        later = later_commit(place)
        # It is found although the file was copied a moment ago; the later copies do not pause.
        monkeypatch.setattr(stores, "COPY_PAUSE", 0.0)
        panel = parsed(client.get(TO.diff(base, later, panel="checks")).text).text
        assert "none yet" in panel and "1 check of earlier commits" in panel
        again = {"base": base, "current": later}
        assert "have no such results" in client.post(TO.of("checklist", "again"), data=again).text
        with UnifiedSqlAdapter.from_url(place[0]) as adapter:
            diff_data(adapter, base, later, options=SAVED)
        answer = client.post(TO.of("checklist", "again"), data=again)
        assert answer.headers["location"] == TO.diff(base, later, panel="checks")
        panel = client.get(answer.headers["location"]).text
        assert "1 passed" in panel and "earlier commits" not in panel

        # A removed check leaves the verdict of this commit and of the next, and can be added again.
        gone = {"base": base, "current": later, "check": "Values of orders"}
        panel = client.post(TO.of("checklist", "remove"), data=gone, follow_redirects=True).text
        assert "none yet" in panel and "Remove from the checklist" not in panel
        assert client.post(TO.of("checklist", "remove"), data=gone).status_code == 400
        assert client.post(TO.of("checklist"), data={**form, "current": later}).status_code == 303
        rows = {**form, "current": later, "type": "row_count_diff"}
        assert client.post(TO.of("checklist"), data=rows).status_code == 303
        panel = client.get(TO.diff(base, later, panel="checks")).text
        assert "2 passed" in panel and "row_count_change: 0" in panel
        profile = {**form, "type": "profile_diff"}
        assert "No check can be proposed" in client.post(TO.of("checklist"), data=profile).text
    # What the panel exports is a file that `check run` reads, and that passes.
    found = re.search(r'<pre class="code" tabindex="0">(checks:.*?)</pre>', panel, re.DOTALL)
    assert found is not None
    (tmp_path / "checks.yml").write_text(unescape(found[1]), encoding="utf-8")
    with UnifiedSqlAdapter.from_url(place[0]) as adapter:
        report = run_checks(adapter, tmp_path / "checks.yml", base, later)
    assert [check.name for check in report.checks] == [
        "Rows of orders",
        "Values of orders",
    ] and report.is_passed


@pytest.mark.extensive
def test_a_check_is_reviewed_on_its_page_unless_it_has_a_newer_result(reviewed_file: str) -> None:
    place = (reviewed_file, DEFAULT_SCHEMA)
    with client_at(place) as client:
        address = TO.check("Rows of <orders>")
        fields = {
            one["name"]: one.get("value", "")
            for one in parsed(client.get(address).text).elements("input")
            if one.get("type") == "hidden" and one["name"] != "size"
        }
        assert set(fields) == {"base", "current", "check", "fingerprint"}
        late = client.post(TO.reviews(), data={**fields, "reviewer": "Bob", "fingerprint": "0" * 32})
        assert (late.status_code, "changed since it was looked at" in late.text) == (400, True)

        answer = client.post(TO.reviews(), data={**fields, "reviewer": "Bob", "status": "seen"})

        assert answer.headers["location"] == address
        assert "seen by Bob" in client.get(address).text
        assert "seen by Bob" in client.get(TO.checks()).text
        base, current = runs_at(place)
        assert "seen by Bob" in client.get(TO.diff(base, current, panel="checks")).text
    assert [mark.check_name for mark in marks_at(place)] == ["Rows of <orders>"]


def test_without_permission_there_is_no_form_and_no_write(reviewed_file: str) -> None:
    place = (reviewed_file, DEFAULT_SCHEMA)
    base, current = runs_at(place)
    before = marks_at(place)
    with client_at(place, READ_ONLY) as client:
        for address in (TO.diff(base, current), TO.diff(base, current, node=ORDERS)):
            assert 'name="reviewer"' not in client.get(address).text
        form = {"base": base, "current": current, "node": ORDERS, "reviewer": "Ann"}
        answer = client.post(TO.reviews(), data=form)
        assert (answer.status_code, "serve --allow-writes" in answer.text) == (403, True)
        assert "serve --allow-writes" in client.get(TO.reviews()).text
    assert marks_at(place) == before


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": LOCAL}, 303),
    ],
)
def test_only_pages_of_this_server_may_write(
    reviewed_file: str, headers: dict[str, str], status: int
) -> None:
    place = (reviewed_file, DEFAULT_SCHEMA)
    base, current = runs_at(place)
    before = len(marks_at(place))
    with client_at(place) as client:
        form = {"base": base, "current": current, "node": ORDERS, "reviewer": "Eve"}
        assert client.post(TO.reviews(), data=form, headers=headers).status_code == status
    assert len(marks_at(place)) - before == (status == 303)


@pytest.mark.cases(4)
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"reviewer": "x" * 101}, "longer than 100"),
        ({"reviewer": ""}, "name of the reviewer is missing"),
        ({"comment": "x" * 2001}, "more than 2,000"),
        ({"status": "loved"}, "loved"),
        ({"node": "nope"}, "not found"),
        ({"node": ""}, "of a node or of a check"),
        ({"current": ""}, "names no run"),
    ],
)
def test_an_invalid_form_is_a_page_with_the_reason(
    reviewed_file: str, given: dict[str, str], message: str
) -> None:
    place = (reviewed_file, DEFAULT_SCHEMA)
    base, current = runs_at(place)
    before = marks_at(place)
    form = {"base": base, "current": current, "node": ORDERS, "reviewer": "Ann", **given}
    with client_at(place) as client:
        answer = client.post(TO.reviews(), data=form)
    assert answer.status_code in (400, 404)
    assert message in parsed(answer.text).text
    assert marks_at(place) == before
