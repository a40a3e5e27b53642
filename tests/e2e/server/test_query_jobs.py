"""Data diffs that users of the pages start: results like the commands', statements that end, and refusals."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.data.requests import RequestRules
from recce_meta.quality.masking import privacy_of
from recce_meta.server.access.scopes import Permissions
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.stores import queries
from recce_meta.server.stores.queries import QuerySettings
from recce_meta.server.stores.stores import Store

pytestmark = pytest.mark.extensive

ROOT = "/s/default/queries"
ENDLESS = {
    "duckdb": "SELECT a.i AS id, b.i AS v FROM range(100000000) a(i) CROSS JOIN range(100000) b(i)",
    "postgres": "SELECT 1 AS id, 2 AS v WHERE pg_sleep(120) IS NOT NULL",
}


class Pages:
    """Client of a server of the store of a shop."""

    def __init__(self, shop: Any, client: TestClient, store: Store) -> None:
        self.shop, self.client, self.store = shop, client, store

    def start(self, kind: str, node: str | None = "orders", **fields: str) -> str:
        """Start a data diff, and return its address."""
        form = {"kind": kind, "base": "base", "current": "current", **fields}
        if node is not None:
            form["node"] = f"model.shop.{node}"
        answer = self.client.post(ROOT, data=form)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def page(self, address: str) -> str:
        """Return the review that the address of a job leads to."""
        return self.client.get(address, follow_redirects=True).text

    def job(self, address: str) -> dict[str, Any]:
        """Return the JSON of the job at *address*."""
        answer = self.client.get(f"{address}.json")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ended(self, address: str, seconds: float = 60) -> dict[str, Any]:
        """Return the job at *address* once it has ended."""
        found: dict[str, Any] = {}

        def is_over() -> bool:
            found.update(self.job(address))
            return found["state"] not in ("queued", "running")

        wait_until(is_over, seconds)
        return found

    def answer(self, kind: str, node: str | None = "orders", **fields: str) -> dict[str, Any]:
        """Return the ended job of a data diff."""
        return self.ended(self.start(kind, node, **fields))


def wait_until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until *is_so* returns True."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "the time is over"
        time.sleep(0.05)


def active(shop: Any) -> int:
    """Return the number of statements that PostgreSQL runs on the relations of *shop*."""
    if shop.warehouse != "postgres":
        return 0
    import psycopg

    with psycopg.connect(shop.url, autocommit=True) as server:
        found = server.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state = 'active'"
            " AND leader_pid IS NULL AND (query LIKE %s OR query LIKE %s)",
            [f'%FROM%"{schema}"%' for schema in (shop.base, shop.current)],
        ).fetchone()
    assert found is not None
    return int(found[0])


@pytest.fixture
def served(shop: Any) -> Iterator[Callable[..., Pages]]:
    """A function that serves the store of the shop in this process."""
    stores: list[Store] = []

    def serve(settings: QuerySettings | None = None, *, writes: bool = True) -> Pages:
        schema = shop.cli.variables["RECCE_META_SCHEMA"]
        store = Store(
            "default",
            lambda: UnifiedSqlAdapter.from_url(shop.url, may_create=False).at(schema),
            permissions=Permissions(queries=True, writes=writes),
            settings=settings,
        )
        stores.append(store)
        client = TestClient(
            create_app({"default": store}, Access()), base_url="http://127.0.0.1", follow_redirects=False
        )
        return Pages(shop, client, store)

    yield serve
    for store in stores:
        store.close()


def fill(shop: Any) -> None:
    """Build orders with a key, and events without one."""
    rows = "SELECT i AS id, {0} AS v, 'é' || CAST(i % 3 AS varchar) AS kind FROM {1}"
    numbers = "range(50) t(i)" if shop.warehouse == "duckdb" else "generate_series(0, 49) t(i)"
    changed = "CASE WHEN i = 7 THEN 0 ELSE i * 2 END"
    shop.build("orders", rows.format("i * 2", numbers), rows.format(changed, numbers))
    if shop.warehouse == "postgres":
        shop.sql("ANALYZE {base}.orders", "ANALYZE {current}.orders")
    shop.write("orders", key="id", orders={"sql": "select 2"})
    shop.record()


def endless(shop: Any, *names: str) -> None:
    """Make views that no statement reaches the end of."""
    for name in names:
        for side in ("base", "current"):
            shop.sql(f"CREATE VIEW {{{side}}}.{name} AS {ENDLESS[shop.warehouse]}")
    shop.write(*names, key="id")
    shop.record()


def test_results_are_those_of_the_commands(shop: Any, served: Callable[..., Pages]) -> None:
    fill(shop)
    pages = served()
    sql = "select kind, count(*) as n, sum(v) as s from {{ ref('orders') }} group by kind"
    narrow, narrowed = {"column": "v", "where": "id > 5"}, ("-c", "v", "--where", "id > 5")
    cases: list[tuple[str, dict[str, str], tuple[str, ...]]] = [
        ("row_count", {}, ("row-count", "orders")),
        ("value", {}, ("value", "orders")),
        ("value", {"key": "id", **narrow}, ("value", "orders", "-k", "id", *narrowed)),
        ("detail", {"column": "v"}, ("value", "orders", "--detail", "-c", "v")),
        ("profile", {}, ("profile", "orders")),
        ("top_k", {"column": "kind", "k": "2"}, ("top-k", "orders", "-c", "kind", "--k", "2")),
        ("histogram", {"column": "v", "bins": "5"}, ("histogram", "orders", "-c", "v", "--bins", "5")),
        ("query", {"current_sql": sql, "key": "kind"}, ("query-diff", sql, "-k", "kind")),
    ]
    for kind, fields, command in cases:
        job = pages.answer(kind, None if kind == "query" else "orders", **fields)
        ran = shop.cli(*command, "--format", "json")

        assert (job["state"], ran.code) == ("done", 0), (kind, job["message"], ran.err)
        assert job["result"] == json.loads(ran.out)["results"][0], kind
        assert (job["size"] is None) == (kind == "query")
    assert all(statement["seconds"] is not None for statement in job["statements"])
    expected = "bytes not reported by duckdb" if shop.warehouse == "duckdb" else "base has"
    assert pages.answer("row_count")["size"].startswith(expected)


def test_a_sample_has_the_same_keys_of_both_sides(shop: Any, served: Callable[..., Pages]) -> None:
    fill(shop)
    pages = served()

    found = pages.answer("sample", limit="10")["result"]
    other = pages.answer("sample", limit="10", key="kind", column="v", where="id < 2")["result"]

    assert [row["key"] for row in found["rows"]] == [[i] for i in range(10)]
    assert [row["base"] == row["current"] for row in found["rows"]] == [i != 7 for i in range(10)]
    assert [i for i, row in enumerate(found["rows"]) if row["differs"][0]] == [7]
    assert found["is_cut"] and found["columns"] == ["v", "kind"]
    assert [row["key"] for row in other["rows"]] == [["é0"], ["é1"]]


def test_signs_of_a_sample_are_in_a_column_of_their_own(shop: Any, served: Callable[..., Pages]) -> None:
    shop.build("amounts", "SELECT 1 AS id, 146.0 AS v", "SELECT 1 AS id, 147.0 AS v")
    shop.write("amounts", key="id")
    shop.record()
    pages = served()

    address = pages.start("sample", "amounts")
    pages.ended(address)

    (table,) = re.findall(r'<table class="sample">.*?</table>', pages.page(address), re.S)
    cells = [re.sub("<.*?>", "", cell) for cell in re.findall(r"<td.*?</td>", table, re.S)]
    assert cells == ["≠", "1", "146.0", "≠", "1", "147.0"]


def test_a_sample_without_a_key_compares_nothing(shop: Any, served: Callable[..., Pages]) -> None:
    shop.build("events", "SELECT 1 AS n", "SELECT 2 AS n")
    shop.write("events")
    shop.record()
    pages = served()

    address = pages.start("sample", "events")
    job = pages.ended(address)

    assert [(row["base"], row["current"]) for row in job["result"]["rows"]] == [([1], None), (None, [2])]
    assert job["result"]["key"] == [] and "not comparable" in job["result"]["notes"][0]
    page = pages.page(address)
    assert "not comparable" in page and "Save to the store" not in page
    assert pages.client.post(f"{address}/save").status_code == 404


class TestStopping:
    def test_cancel_leaves_no_statement(self, shop: Any, served: Callable[..., Pages]) -> None:
        endless(shop, "slow")
        pages = served(QuerySettings(threads=2))
        address = pages.start("value", "slow")
        wait_until(lambda: any(one["seconds"] is None for one in pages.job(address)["statements"]))
        if shop.warehouse == "postgres":
            wait_until(lambda: active(shop) > 0)

        assert "is running" in pages.page(address)
        answer = pages.client.post(f"{address}/cancel")

        assert (answer.status_code, answer.headers["location"]) == (303, address)
        job = pages.ended(address)
        assert job["state"] == "cancelled" and job["message"].startswith("cancelled by testclient")
        assert active(shop) == 0
        page = pages.page(address)
        assert "was cancelled" in page and 'hx-trigger="every' not in page
        quick = pages.answer("query", None, current_sql="select 1 as one")
        assert quick["state"] == "done", quick["message"]

    def test_a_closed_page_cancels(
        self, shop: Any, served: Callable[..., Pages], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queries, "HEARTBEAT_SECONDS", 1.0)
        endless(shop, "slow")
        pages = served()
        address = pages.start("value", "slow")
        for _ in range(8):  # a page that is open keeps the job
            time.sleep(0.25)
            assert pages.job(address)["state"] == "running"

        (job,) = pages.store.queries.jobs()  # without a look at its page
        wait_until(lambda: job.state.is_over)

        assert job.state.value == "cancelled" and job.message is not None
        assert job.message.startswith("its page was closed")
        assert active(shop) == 0

    def test_the_end_of_the_server_cancels_all(self, shop: Any, served: Callable[..., Pages]) -> None:
        endless(shop, "slow", "slower")
        pages = served(QuerySettings(threads=1))
        addresses = [pages.start("value", name) for name in ("slow", "slower")]
        wait_until(lambda: any(one["seconds"] is None for one in pages.job(addresses[0])["statements"]))

        pages.store.close()

        assert [job.state.value for job in pages.store.queries.jobs()] == ["cancelled"] * 2
        assert active(shop) == 0

    def test_the_queue_is_short_and_the_same_question_joins_it(
        self, shop: Any, served: Callable[..., Pages], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(queries, "MOST_WAITING", 1)
        endless(shop, "slow")
        pages = served(QuerySettings(threads=1))
        first = pages.start("value", "slow")

        assert pages.start("value", "slow") == first
        waits = pages.start("profile", "slow")
        assert pages.job(waits)["progress"] == "waits for its turn"
        refused = pages.client.post(
            ROOT, data={"kind": "row_count", "base": "base", "current": "current", "node": "model.shop.slow"}
        )
        assert refused.status_code == 503 and "1 queries wait already" in refused.text
        pages.client.post(f"{waits}/cancel")
        assert pages.job(waits)["state"] == "cancelled" and pages.job(waits)["statements"] == []
        listed = pages.client.get(f"{ROOT}.json?sort=kind").json()
        assert [row["state"] for row in listed] == ["cancelled", "running"]


REFUSED = {
    "both": ("SELECT 1; SELECT 2", "DELETE FROM x", "SELECT 1 AS a INTO y", "COPY (SELECT 1) TO '/tmp/x'"),
    "duckdb": (
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        'SELECT * FROM "/etc/passwd"',
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM read_parquet('s3://a/b')",
        "ATTACH 'x.duckdb'",
        "INSTALL httpfs",
        "PRAGMA version",
        "SELECT * FROM duckdb_settings()",
        "FROM pg_settings",
        "SELECT * FROM query('SELECT 1')",
        "SELECT * FROM query('FROM pg_' || 'settings')",
        "SELECT * FROM query_table('pg_settings')",
        "SELECT * FROM query_table('pragma_' || 'database_list')",
        "SELECT * FROM 'pg_settings'",
        "FROM json_execute_serialized_sql(json_serialize_sql('FROM pg_' || 'settings'))",
        "FROM duckdb_settings\u200b()",
        "FROM query\u200b('FROM pg_' || 'settings')",
    ),
    "postgres": (
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT \"pg_read_file\"('/etc/passwd')",
        "SELECT U&\"pg\\005fread_file\"('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT * FROM dblink('', 'SELECT 1')",
        "SELECT pg_terminate_backend(1)",
        "SELECT set_config('transaction_read_only', 'off', true)",
        "TABLE pg_shadow",
        "SELECT U&\"pg!005fread_file\" UESCAPE '!' ('/etc/passwd')",
        "SELECT query_to_xml('SELECT 1', true, true, '')",
        "SELECT table_to_xml('pg_' || 'settings', true, false, '')",
        "SELECT table_to_xml_and_xmlschema('pg_stat_activity', true, false, '')",
        "SELECT schema_to_xml('information_schema', true, false, '')",
        "SELECT database_to_xml(true, false, '')",
        "SELECT database_to_xmlschema(true, false, '')",
        "SELECT cursor_to_xml('c', 1, true, false, '')",
        "SET default_transaction_read_only = off",
        "COPY x FROM PROGRAM 'id'",
        "SELECT * FROM x FOR UPDATE",
    ),
}
"""Statements of users that must not run."""


def test_sql_of_users_only_reads_the_database(shop: Any, served: Callable[..., Pages]) -> None:
    shop.build("orders", "SELECT 1 AS id", "SELECT 1 AS id")
    shop.write("orders", key="id")
    shop.record()
    if shop.warehouse == "postgres":
        shop.sql(
            "CREATE FUNCTION {current}.writes() RETURNS int LANGUAGE sql AS"
            " 'CREATE TABLE public.written_by_a_query (i int); SELECT 1'"
        )
    pages = served()
    addresses = {
        sql: pages.start("query", None, current_sql=sql, base_sql="SELECT 1 AS a")
        for sql in (*REFUSED["both"], *REFUSED[shop.warehouse])
    }
    alone = REFUSED[shop.warehouse][0]
    addresses["on base"] = pages.start("query", None, current_sql="SELECT 1 AS a", base_sql=alone)
    addresses["on current"] = pages.start("query", None, current_sql=alone, base_sql="SELECT 1 AS a")
    addresses["env_var"] = pages.start("query", None, current_sql="select '{{ env_var('HOME') }}' as home")
    for where in ("id IN (SELECT 1); DELETE FROM x", "id IN (DELETE FROM x RETURNING 1)"):
        addresses[where] = pages.start("value", where=where)
    for call in ("id + length(current_setting('port'))", "lower(kind || getenv('HOME'))"):
        addresses[call] = pages.start("top_k", column=call)
    for sql, address in addresses.items():
        job = pages.ended(address)
        assert (job["state"], job["result"]) == ("failed", None), sql
        assert "root:" not in json.dumps(job), sql
    if shop.warehouse == "postgres":  # a function of the user's, which the read-only transaction refuses
        writing = f'SELECT "{shop.current}".writes() AS a'
        job = pages.answer("query", None, current_sql=writing, base_sql="SELECT 1 AS a")
        assert job["state"] == "failed" and "read-only transaction" in job["message"]


def test_strings_of_users_end_where_the_check_reads_their_end(postgres_url: str) -> None:
    url = f"{postgres_url}?options=-c%20standard_conforming_strings%3Doff"
    with UnifiedSqlAdapter.from_url(url) as adapter, adapter.guarded() as guarded:
        assert guarded.answer("SHOW standard_conforming_strings") == [("on",)]


def test_results_can_be_saved_and_are_in_the_diff(shop: Any, served: Callable[..., Pages]) -> None:
    fill(shop)
    pages = served()
    address = pages.start("value")
    assert "1 differs" not in pages.client.get("/s/default/diff/base/current").text
    base, current = (pages.ended(address)[side] for side in ("base", "current"))

    assert "Save to the store" in pages.page(address)
    for _ in range(2):  # a second click saves nothing more
        assert pages.client.post(f"{address}/save").status_code == 303

    with UnifiedSqlAdapter.from_url(shop.url) as adapter:
        schema = shop.cli.variables["RECCE_META_SCHEMA"]
        assert adapter.answer(f'SELECT count(*) FROM "{schema}".data_diff_history') == [(1,)]
    page = pages.client.get(f"/s/default/diff/{base}/{current}?node=model.shop.orders&tab=data").text
    assert "1 of 50 orders differs" in page and "No data diff of this node" not in page
    assert "Saved" in pages.page(address)


def test_permissions_and_privacy(shop: Any, served: Callable[..., Pages]) -> None:
    fill(shop)
    private = served(
        QuerySettings(rules=RequestRules(privacy=privacy_of(no_values=False, private=("kind",))))
    )
    withheld = served(
        QuerySettings(rules=RequestRules(privacy=privacy_of(no_values=True, private=()))), writes=False
    )

    sample = private.answer("sample", limit="3")
    assert [row["base"] for row in sample["result"]["rows"]] == [[0, "***"], [2, "***"], [4, "***"]]
    assert all(one["sql"] is None for one in sample["statements"])
    by_sql = (("query", {"current_sql": "select kind as x from t"}), ("value", {"where": "kind = 'a'"}))
    for kind, fields in by_sql:
        form = {"kind": kind, "base": "base", "current": "current", "node": "model.shop.orders", **fields}
        answer = private.client.post(ROOT, data=form)
        assert answer.status_code == 400 and "private values" in answer.text
    refused = private.answer("top_k", column="upper(kind)")
    assert refused["state"] == "failed" and "private values" in refused["message"]
    form = {"kind": "top_k", "base": "base", "current": "current", "node": "model.shop.orders"}
    assert withheld.client.post(ROOT, data=form).status_code == 400
    address = withheld.start("value")
    assert "é" not in json.dumps(withheld.ended(address), ensure_ascii=False)
    assert withheld.client.post(f"{address}/save").status_code == 403
    assert "Save to the store" not in withheld.page(address)
