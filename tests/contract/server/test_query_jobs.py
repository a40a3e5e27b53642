"""Queries of users: who may start them, and what their pages show."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from recce_meta import demo_data
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.pool import Pool
from recce_meta.api.data import changed_data
from recce_meta.errors import UsageError
from recce_meta.models.data_diff import DetailRow, Subject, ValueDetail
from recce_meta.repositories.state.audit import list_events
from recce_meta.repositories.state.tokens import TokenScope
from recce_meta.server.access.scopes import Grant, Permissions
from recce_meta.server.access.sessions import COOKIE, SECURE_COOKIE, Access
from recce_meta.server.app import create_app
from recce_meta.server.pages.review.grid import grid_of
from recce_meta.server.site.handlers import Parameters
from recce_meta.server.stores import queries
from recce_meta.server.stores.queries import QuerySettings
from recce_meta.server.stores.query_jobs import request_of
from recce_meta.server.stores.stores import Store
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from tests.contract.server.connected_shop import connected
from tests.contract.server.small_store import file_url, record_side

OWN_PAGE = {"sec-fetch-site": "same-origin"}
QUERIES = "/s/default/queries"
FORM = {"kind": "sample", "base": "base", "current": "current", "node": "model.jaffle_shop.orders"}
ENDLESS = {
    "kind": "query",
    "base": "base",
    "current": "current",
    "base_sql": "SELECT 1 AS n",
    "current_sql": "SELECT count(*) AS n FROM range(100000000) a(i) CROSS JOIN range(100000) b(i)",
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URL of the demo with its data."""
    url = file_url(tmp_path_factory.mktemp("queries") / f"{demo_data.DATABASE}.duckdb")
    record_side(url, "base", "current")
    with UnifiedSqlAdapter.from_url(url) as adapter:
        demo_data.load_tables(adapter.execute)
    return url


def client_for(
    url: str, permissions: Permissions, access: Access | None = None, settings: QuerySettings | None = None
) -> tuple[TestClient, Store]:
    """Return a client of a server with *permissions*."""
    store = Store(
        "default",
        lambda: UnifiedSqlAdapter.from_url(url),
        permissions=permissions,
        settings=settings,
    )
    app = create_app({"default": store}, access or Access())
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False), store


@pytest.fixture
def client(url: str) -> Iterator[TestClient]:
    """Yield a client of a server that runs queries."""
    client, store = client_for(url, Permissions(queries=True))
    yield client
    store.close()


def test_without_the_permission_nothing_runs(url: str) -> None:
    client, store = client_for(url, Permissions(writes=True))
    for answer in (
        client.post(QUERIES, data=FORM),
        client.get(QUERIES),
        client.get(f"{QUERIES}/x"),
        client.post(f"{QUERIES}/x/cancel"),
        client.post(f"{QUERIES}/x/save"),
    ):
        assert answer.status_code == 403 and "serve --allow-queries" in answer.text
    assert client.get(f"{QUERIES}/x.json").json()["error"]["code"] == "not_allowed"
    assert store.queries.jobs() == []
    store.close()


def test_a_page_of_another_site_starts_nothing(client: TestClient) -> None:
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        assert client.post(QUERIES, data=FORM, headers=headers).status_code == 403
    assert "No query was started" in client.get(QUERIES).text
    assert client.post(QUERIES, data=FORM, headers={"origin": "http://127.0.0.1"}).status_code == 303


def test_a_token_is_required_and_the_session_is_named(url: str) -> None:
    client, store = client_for(url, Permissions(queries=True), Access("a token of 16 or more"))
    assert client.post(QUERIES, data=FORM).status_code == 303  # to the login page
    assert store.queries.jobs() == []

    client.post("/login", data={"token": "a token of 16 or more"})
    address = client.post(QUERIES, data=FORM, headers=OWN_PAGE).headers["location"]

    (job,) = store.queries.jobs()
    assert address == f"{QUERIES}/{job.id}"
    assert job.started_by[0].startswith("testclient, session ")
    store.close()


def test_the_log_names_the_token_or_the_session_that_is_valid(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "recce_meta.server.stores.queries")
    grants = {"rm_1": Grant("token ci", frozenset([TokenScope.QUERY]), has_token=True)}
    client, store = client_for(url, Permissions(queries=True), Access(find_token=grants.get))
    forged = {"cookie": f"{COOKIE}=forged; {SECURE_COOKIE}=forged", **OWN_PAGE}

    with closing(store):
        by_token = client.post(QUERIES, data=FORM, headers={"authorization": "Bearer rm_1"}).headers
        client.post(f"{by_token['location']}/cancel", headers={"authorization": "Bearer rm_1"})
        client.post(QUERIES, data={**FORM, "limit": "2"}, headers=forged)
        started = [job.started_by for job in store.queries.jobs()]

    assert started == [["testclient"], ["testclient, token ci"]]
    assert "started by testclient, token ci: sample of model.jaffle_shop.orders" in caplog.text
    assert "started by testclient: sample of model.jaffle_shop.orders" in caplog.text


def test_cancel_of_one_of_two_users_leaves_the_query_to_the_other(url: str) -> None:
    first, store = client_for(url, Permissions(queries=True), Access("a token of 16 or more"))
    second = TestClient(first.app, base_url="http://127.0.0.1", follow_redirects=False)
    with closing(store):
        for client in (first, second):
            client.headers.update(OWN_PAGE)
            client.post("/login", data={"token": "a token of 16 or more"})
        address = first.post(QUERIES, data=ENDLESS).headers["location"]
        assert second.post(QUERIES, data=ENDLESS).headers["location"] == address
        (job,) = store.queries.jobs()
        users = list(job.started_by)

        assert first.post(f"{address}/cancel").headers["location"] == QUERIES
        assert (job.reason, job.started_by) == (None, users[1:])
        assert second.post(f"{address}/cancel").headers["location"] == address
        assert job.reason == f"cancelled by {users[1]}"


def test_a_user_does_not_cancel_the_query_of_another_one(url: str) -> None:
    grants = {name: Grant(f"token {name}", has_token=True) for name in ("rm_own", "rm_other")}
    client, store = client_for(url, Permissions(queries=True), Access(find_token=grants.get))
    own, other = ({"authorization": f"Bearer {name}"} for name in grants)
    with closing(store):
        address = client.post(QUERIES, data=ENDLESS, headers=own).headers["location"]
        (job,) = store.queries.jobs()

        refused = client.post(f"{address}/cancel", headers=other)
        assert refused.status_code == 403 and "Another user started this query" in refused.text
        assert (job.reason, job.started_by) == (None, ["testclient, token rm_own"])
        assert client.post(f"{address}/cancel").status_code == 303  # the only user without a token


def test_a_second_click_does_not_save_a_result_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client, store = client_for(url, Permissions(queries=True, writes=True))
    saved = []

    def save(*given: object, **_: object) -> None:
        saved.append(given)
        if len(saved) == 1:
            raise UsageError("The first click fails")
        if len(saved) == 2:  # the third click comes while the second one writes
            assert client.post(f"{address}/save").headers["location"] == address

    monkeypatch.setattr(queries, "save_data_diffs", save)
    with closing(store):
        address = client.post(QUERIES, data={**FORM, "kind": "row_count"}).headers["location"]
        while client.get(f"{address}.json").json()["state"] in ("queued", "running"):
            time.sleep(0.02)
        clicks = [client.post(f"{address}/save").status_code for _ in range(3)]

        assert (clicks, len(saved)) == ([400, 303, 303], 2)
        assert client.get(f"{address}.json").json()["saved_at"]


@pytest.mark.extensive
def test_a_page_in_the_background_keeps_its_query_until_it_is_closed(url: str) -> None:
    client, store = client_for(url, Permissions(queries=True))
    with closing(store):
        address = client.post(QUERIES, data=ENDLESS).headers["location"]
        (job,) = store.queries.jobs()

        def seconds_after(page: str, state: str) -> float:
            answer = client.post(f"{address}/lease", data={"page": page, "state": state})
            assert answer.status_code == 200, answer.text
            return round(job.lease - time.monotonic(), -1)

        assert seconds_after("a", "hidden") == 150
        assert seconds_after("a", "open") == 30
        assert [seconds_after(page, "hidden") for page in "ab"] == [150, 150]
        assert seconds_after("a", "closed") == 150  # of b
        assert seconds_after("b", "closed") == 30  # of the request for it
        assert seconds_after("b", "hidden") == 30  # a late message of a closed page
        assert [seconds_after(str(page), "hidden") for page in range(200)][-1] == 150
        assert len(job.leases) < 110
        for form in ({"page": "a", "state": "gone"}, {"page": "a b", "state": "open"}, {"state": "open"}):
            assert client.post(f"{address}/lease", data=form).status_code == 400
        assert not job.state.is_over


@pytest.mark.extensive
def test_the_page_of_a_job_and_the_list(client: TestClient) -> None:
    address = client.post(QUERIES, data={**FORM, "limit": "3"}).headers["location"]
    while client.get(f"{address}.json").json()["state"] in ("queued", "running"):
        time.sleep(0.02)

    asked = client.get(address).headers["location"]
    assert "kind=sample&limit=3" in asked and "node=model.jaffle_shop.orders" in asked
    page = client.get(asked).text
    assert "Sample rows of orders is done" in page and "order_id" in page
    assert "Sample rows of orders" not in client.get(asked.replace("limit=3", "limit=4")).text
    assert "http-equiv" not in page and 'hx-trigger="every' not in page
    assert "bytes not reported by duckdb" in page and "Run again" in page
    listed = client.get(f"{QUERIES}?sort=-asked_at").text
    assert "Sample rows of orders" in listed and address in listed
    assert client.get(f"{QUERIES}/nothing").status_code == 404


def test_rows_that_differ_have_pages_an_order_a_filter_and_files(client: TestClient) -> None:
    form = {"kind": "detail", "base": "base", "current": "current", "node": "model.jaffle_shop.orders"}
    address = client.post(QUERIES, data=form).headers["location"]
    while client.get(f"{address}.json").json()["state"] in ("queued", "running"):
        time.sleep(0.02)

    asked = client.get(address).headers["location"]
    first = client.get(asked).text
    assert "76 rows" in first and "Page 1" not in first
    head = first[first.index('<div class="grid">') :]
    # The column that differs is the first after the key.
    assert head.index(">order_id<") < head.index(">amount<") < head.index(">status<")
    assert head.index(">45<") < head.index(">847<")
    largest = client.get(f"{asked}&sort=size").text
    head = largest[largest.index('<div class="grid">') :]
    assert head.index(">847<") < head.index(">45<") and "62.75" in head
    found = client.get(f"{asked}&find=returned+62.75").text
    assert "of 76 rows" in found and ">45<" not in found
    place = asked.replace("tab=data&", "").partition("?")
    files = place[0] + "/rows.{}?" + place[2]
    rows = client.get(files.format("json")).json()
    assert len(rows) == 76 and {row["row_status"] for row in rows} == {"changed"}
    listed = client.get(files.format("csv") + "&find=returned+62.75").text.splitlines()
    assert listed[0].startswith("row_status,order_id,") and 1 < len(listed) < 76
    assert client.get(f"{asked}&sort=sise").status_code == 400
    assert client.get(f"{asked}&page=x").status_code == 400
    gone = files.format("csv").replace("orders", "customers")
    assert client.get(gone).status_code == 404


def test_a_page_of_rows_has_few_cells_and_one_sided_rows_are_the_largest() -> None:
    def row(key: int, base: Any, current: Any) -> DetailRow:
        return DetailRow(status="changed", key=(key,), base=base, current=current)

    rows = [row(key, (1, "a"), (1 + key % 7, "a")) for key in range(250)]
    rows[3] = DetailRow(status="added", key=(3,), current=(1, "a"))
    rows[5] = row(5, (float("nan"), None), (10**400, "b"))
    result = ValueDetail(
        subject=Subject(name="t"),
        key=("id",),
        key_source="",
        columns=("n", "s"),
        rows=tuple(rows),
        limit=1000,
    )
    pages = [grid_of(Parameters([("page", str(page)), ("sort", "size")]), [result]) for page in (1, 3, 9)]
    assert [len(page.part.rows) for page in pages if page] == [100, 50, 0]
    assert pages[0] and pages[0].pages == 3 and pages[0].part.rows[0].key == (3,)
    assert [one.key for page in pages[:1] if page for one in page.rows[1:3]] == [(6,), (13,)]
    assert grid_of(Parameters(), []) is None


@pytest.mark.parametrize("may_write", [True, pytest.param(False, marks=pytest.mark.extensive)])
def test_all_nodes_are_compared_as_one_job_and_saved_once(url: str, may_write: bool) -> None:
    client, store = client_for(url, Permissions(queries=True, writes=may_write))
    form = {"kind": "data", "base": "base", "current": "current"}

    def times() -> int:
        with UnifiedSqlAdapter.from_url(url) as adapter:
            sql = f'SELECT count(DISTINCT taken_at) FROM "{DEFAULT_SCHEMA}".data_diff_history'
            return int(adapter.answer(sql)[0][0])

    before = times()
    with closing(store):
        address = client.post(QUERIES, data=form).headers["location"]
        review = client.get(address).headers["location"]
        assert 'id="all"' in client.get(review).text and client.get(f"{review}/all").status_code == 200
        while (job := client.get(f"{address}.json").json())["state"] in ("queued", "running"):
            time.sleep(0.02)

        page = client.get(review).text
        assert job["state"] == "done" and bool(job["saved_at"]) is may_write
        assert {"row_count_diff", "value_diff"} <= {one["type"] for one in job["result"]}
        assert ("not saved, so the verdict" in page) is not may_write
        assert times() == before + may_write


def test_a_comparison_of_all_nodes_that_is_stopped_has_what_is_done(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, store = client_for(url, Permissions(queries=True, writes=True))
    compared = changed_data.limited_value_job

    def stopping(*given: Any) -> Any:
        (job,) = store.queries.jobs()
        store.queries.cancel(job, "stopped")
        return compared(*given)

    monkeypatch.setattr(changed_data, "limited_value_job", stopping)
    with closing(store):
        form = {"kind": "data", "base": "base", "current": "current"}
        address = client.post(QUERIES, data=form).headers["location"]
        while (job := client.get(f"{address}.json").json())["state"] in ("queued", "running"):
            time.sleep(0.02)
        assert job["saved_at"] and {one["type"] for one in job["result"]} == {"row_count_diff", "schema_diff"}
        assert "stopped" in client.get(address, follow_redirects=True).text


def test_a_query_that_failed_stays_in_its_editor_with_the_line(client: TestClient) -> None:
    sql = "select order_id,\n  sum(amout) as total\nfrom {{ ref('orders') }} group by 1"
    form = {"kind": "query", "base": "base", "current": "current", "current_sql": sql}
    address = client.post(QUERIES, data=form).headers["location"]
    while (job := client.get(f"{address}.json").json())["state"] in ("queued", "running"):
        time.sleep(0.02)

    page = client.get(address, follow_redirects=True).text
    assert job["message"].endswith("in line 2 of the query: sum(amout) as total")
    assert job["hint"].startswith("check the spelling of the column")
    assert "sum(amout) as total\nfrom {{ ref(&#39;orders&#39;) }}" in page and 'id="query"' in page
    assert "<mark><b>2</b>    sum(amout) as total</mark>" in page


def test_the_editor_marks_the_line_at_fault_of_a_template(client: TestClient) -> None:
    address = client.get("/s/default/diff/base/current").headers["location"]

    page = client.get(address, params={"panel": "query", "sql": "select 1\nfrom {{ ref('ordrs') }}"})

    assert page.status_code == 400
    assert "<mark><b>2</b>  from {{ ref(&#39;ordrs&#39;) }}</mark>" in page.text


@pytest.mark.cases(5)
@pytest.mark.cases(8)
@pytest.mark.parametrize(
    "change",
    [
        {"kind": "drop"},
        {"kind": ""},
        {"base": ""},
        {"base": "path:/etc"},
        {"node": ""},
        {"node": "model.jaffle_shop.nothing"},
        {"limit": "0"},
        {"limit": "1001"},
        {"k": "one"},
        {"kind": "query"},
        {"kind": "row_count", "where": "true"},
        {"kind": "row_count", "column": "a"},
        {"kind": "profile", "key": "a"},
    ],
)
def test_an_invalid_form_is_refused(client: TestClient, change: dict[str, str]) -> None:
    answer = client.post(QUERIES, data={**FORM, **change})
    assert answer.status_code in (400, 404) and "<h1>" in answer.text


@pytest.mark.parametrize("page", ["", "/preview"])
def test_an_unknown_field_is_refused(client: TestClient, page: str) -> None:
    answer = client.post(QUERIES + page, data={**FORM, "wher": "id > 1"})
    assert answer.status_code == 400 and "Unknown field &#39;wher&#39;" in answer.text


def test_names_with_commas_are_in_quotes() -> None:
    request = request_of({**FORM, "column": 'id, "a,b"', "key": "id,id"})
    assert (request.columns, request.key) == (("id", "a,b"), ("id",))
    assert request_of({**FORM, "column": "a,\r\n b\rc"}).columns == ("a", "b c")
    with pytest.raises(UsageError):
        request_of({**FORM, "where": "x" * 200_000})


@pytest.mark.extensive
def test_a_result_has_the_notes_of_its_queries(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    note = "Queries see several moments: figures may differ if tables change during the comparison"
    monkeypatch.setattr(Pool, "sees_one_moment", False)
    client, store = client_for(url, Permissions(queries=True))
    with closing(store):
        address = client.post(QUERIES, data={**FORM, "kind": "row_count"}).headers["location"]
        while not all(job.state.is_over for job in store.queries.jobs()):
            time.sleep(0.01)

        assert note in client.get(address, follow_redirects=True).text
        assert client.get(f"{address}.json").json()["notes"] == [note]


@pytest.mark.extensive
def test_statements_of_all_jobs_together_are_at_most_threads(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, store = client_for(url, Permissions(queries=True), settings=QuerySettings(threads=2))
    lock, crowd = threading.Lock(), threading.Event()
    running: list[str] = []
    peaks: list[int] = []
    execute = Pool.execute

    def counted(pool: Pool, sql: str, *on_policy: Any) -> list[tuple[object, ...]]:
        with lock:
            running.append(sql)
            peaks.append(len(running))
        deadline = time.monotonic() + 10
        while not crowd.is_set() and time.monotonic() < deadline:  # until further statements wait
            asked = sum(one.seconds is None for job in store.queries.jobs() for one in job.statements)
            crowd.set() if asked > 2 else time.sleep(0.01)
        try:
            return execute(pool, sql, *on_policy)
        finally:
            with lock:
                running.remove(sql)

    monkeypatch.setattr(Pool, "execute", counted)
    with closing(store):
        for kind in ("value", "profile", "top_k", "histogram"):
            assert client.post(QUERIES, data={**FORM, "kind": kind}).status_code == 303
        while not all(job.state.is_over for job in store.queries.jobs()):
            time.sleep(0.01)

        assert [job.state.value for job in store.queries.jobs()] == ["done"] * 4
    assert crowd.is_set() and max(peaks) == 2


def test_writers_never_wait_for_a_query(url: str, client: TestClient, tmp_path: Path) -> None:
    address = client.post(QUERIES, data=ENDLESS).headers["location"]
    while not client.get(f"{address}.json").json()["statements"]:
        continue

    with UnifiedSqlAdapter.from_url(url, lock_timeout=0) as adapter:
        adapter.execute("CREATE OR REPLACE TABLE written AS SELECT 1 AS i")

    assert client.get(f"{address}.json").json()["state"] == "running"
    client.post(f"{address}/cancel")


def test_the_audit_has_queries_and_a_page(url: str, tmp_path: Path) -> None:
    """Who started what, with its SQL, before it runs; the page is for administrators."""
    store = Store(
        "default",
        lambda: UnifiedSqlAdapter.from_url(url),
        permissions=Permissions(queries=True),
    )
    sql = {"base_sql": "SELECT 1 AS n", "current_sql": "SELECT 42 AS n"}
    with connected(tmp_path, store) as shop:
        writer = shop.bearer(TokenScope.ADMIN)
        started = shop.client.post(QUERIES, data={**ENDLESS, **sql}, headers=writer)
        refused = shop.client.post(QUERIES, data={**FORM, "node": "model.jaffle_shop.none"}, headers=writer)
        (event,) = list_events(shop.state, action="query")
        listed = shop.client.get("/connections/admin/audit.json", headers=writer).json()
        hidden = shop.client.get("/connections/admin/audit", headers=shop.bearer(TokenScope.WRITE))

    assert (started.status_code, refused.status_code, hidden.status_code) == (303, 404, 403)
    assert (event.actor, event.address, event.object) == ("token admin", "testclient", "default")
    assert event.after is not None and event.after == event.after | sql | {"kind": "query"}
    (row,) = [one for one in listed if one["action"] == "query.run"]
    assert '"SELECT 42 AS n"' in row["change"]
    store.close()
