"""Pages of nodes, columns and search, on DuckDB and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models.stored import NodeStatistics
from recce_meta.report.addresses import Addresses
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.stores.stores import Store
from recce_meta.store.session import StoreSession
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from recce_meta.store.write import record_run
from tests.contract.server import node_shop as shop
from tests.contract.server.rich_store import SPELLINGS, ParsedPage, hostile_id, parsed

pytestmark = pytest.mark.core("duckdb")

TO = Addresses("default")
HOSTILE_RUN = "run 1<i>/../%2F"


@pytest.fixture(scope="module", params=["duckdb", "postgres"])
def shop_client(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """Yield a client of a server of `node_shop`."""
    schema = DEFAULT_SCHEMA if request.param == "duckdb" else f"node_shop_{uuid4().hex[:12]}"
    folder: Path = tmp_path_factory.mktemp("nodes")
    url = (
        f"duckdb:///{folder}/db.duckdb"
        if request.param == "duckdb"
        else request.getfixturevalue("postgres_url")
    )
    with UnifiedSqlAdapter.from_url(url) as adapter:
        shop.record(adapter, schema)
    store = Store("default", lambda: UnifiedSqlAdapter.from_url(url).at(schema))
    try:
        with TestClient(create_app({"default": store}, Access()), base_url="http://127.0.0.1") as client:
            yield client
    finally:
        if request.param == "postgres":
            with UnifiedSqlAdapter.from_url(url) as adapter:
                adapter.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


def page_of(client: TestClient, address: str) -> ParsedPage:
    """Return the page at *address*."""
    answer = client.get(address, follow_redirects=False)
    assert answer.status_code == 200, answer.text
    return parsed(answer.text)


def node_page(client: TestClient, unique_id: str, *parts: str, run: str = "run-2") -> ParsedPage:
    """Return a page of a node."""
    return page_of(client, TO.node(run, unique_id, *parts))


def rows_of(client: TestClient, address: str) -> list[dict[str, object]]:
    """Return the rows of a list."""
    answer = client.get(f"{address}.json")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()
    return found


def test_the_first_screen_of_a_node_says_what_it_is(shop_client: TestClient) -> None:
    page = node_page(shop_client, shop.ORDERS)

    assert page.title == "orders"
    for said in (
        "table model", '"db"."prod"."orders"', "mart", "finance", "Ann", "2 columns", "1 of 2 tests failed",
        "1 parent", "3 children", "300 rows", "Result in this run: success in 3.00 s",
        "Last change: modified 2026-11-03 08:00 UTC (columns)", "Paid orders.\n<b>One row</b> per order.",
    ):  # fmt: skip
        assert said in page.text, said
    assert page.text.count("<b>One row</b>") == 1


def test_a_run_that_did_not_measure_a_node_shows_the_last_result_and_what_changed_since(
    tmp_path: Path,
) -> None:
    url = f"duckdb:///{tmp_path}/db.duckdb"
    with UnifiedSqlAdapter.from_url(url) as adapter:
        for number in range(4):
            # The filter of `orders` changes in run 1; run 2 measures nothing; run 3 counts what run 0 built.
            found = shop.project(min(number, 1))
            at = shop.START + timedelta(days=number)
            run = replace(found.run, run_id=f"run-{number}", run_at=at, command="build")
            counted = NodeStatistics(unique_id=shop.ORDERS, row_count=100, counted_at=at)
            results = found.results[2:] if number == 1 else found.results if number == 0 else ()
            taken = [] if number in (1, 2) else [counted]
            record_run(adapter, replace(found, run=run, results=results), statistics=taken)
    store = Store("default", lambda: UnifiedSqlAdapter.from_url(url))
    with TestClient(create_app({"default": store}, Access()), base_url="http://127.0.0.1") as client:
        page, counting = (node_page(client, shop.ORDERS, run=one) for one in ("run-2", "run-3"))
        tests = {row["name"]: row for row in rows_of(client, TO.node("run-2", shop.ORDERS, "tests"))}

    since = "2026-11-01 08:00 UTC, its code changed since then"
    for said in (
        f"Last result, {since}: success in 1.00 s.",
        f"rows {since}",
        "of 2 tests failed, 2 in earlier runs, 1 outdated",
    ):
        assert said in page.text, said
    assert f"rows of the build of {since}" in counting.text
    failed, passed = tests["unique_orders_id"], tests["orders_are_paid"]
    assert (failed["status"], failed["run_id"], failed["since"]) == ("fail", "run-0", "orders changed")
    assert (passed["status"], passed["run_id"], passed["since"]) == ("pass", "run-1", None)


def test_results_of_code_that_variables_may_have_changed_are_not_called_those_of_this_code(
    tmp_path: Path,
) -> None:
    url = f"duckdb:///{tmp_path}/db.duckdb"
    with UnifiedSqlAdapter.from_url(url) as adapter:
        for number in range(2):
            # Run 1 compiles and runs nothing.
            found = shop.project(0)
            nodes = [
                replace(one, raw_code="select {{ var('x') }}", compiled_code=None if number else "select 1")
                if one.unique_id == shop.ORDERS
                else one
                for one in found.nodes
            ]
            at = shop.START + timedelta(days=number)
            run = replace(found.run, run_id=f"run-{number}", run_at=at, command="build")
            results = () if number else found.results
            record_run(adapter, replace(found, run=run, nodes=tuple(nodes), results=results))
    store = Store("default", lambda: UnifiedSqlAdapter.from_url(url))
    with TestClient(create_app({"default": store}, Access()), base_url="http://127.0.0.1") as client:
        page = node_page(client, shop.ORDERS, run="run-1")

    assert "Last result, 2026-11-01 08:00 UTC, its SQL may have changed since then: success" in page.text
    assert "2 in earlier runs, 2 perhaps outdated" in page.text


def test_the_first_run_proves_no_node_unchanged(shop_client: TestClient) -> None:
    first = node_page(shop_client, shop.RAW, run="run-0")
    later = node_page(shop_client, shop.RAW)

    assert "This is the first run of prod: changes are known from the next one on." in first.text
    assert "Unchanged" not in first.text
    assert "Unchanged in all stored runs of prod up to this run." in later.text


def test_a_name_leads_to_the_address_of_its_only_node(shop_client: TestClient) -> None:
    for tab in ((), ("code",), ("columns", "amount")):
        answer = shop_client.get(TO.node("run-2", "orders", *tab), follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (307, TO.node("run-2", shop.ORDERS, *tab))


@pytest.mark.parametrize(("name", "said"), [("ordrs", "orders"), ("twice", "2 nodes"), ("<b>", "not found")])
def test_an_unknown_or_ambiguous_name_is_not_found(shop_client: TestClient, name: str, said: str) -> None:
    answer = shop_client.get(TO.node("run-2", name))
    assert answer.status_code == 404
    assert said in answer.text and "<b>" not in answer.text


def test_columns_have_tests_origin_and_readers(shop_client: TestClient) -> None:
    columns = {row["name"]: row for row in rows_of(shop_client, TO.node("run-2", shop.ORDERS, "columns"))}

    assert columns["id"]["tests"] == "unique"
    assert (columns["amount"]["type"], columns["amount"]["origin"]) == ("DECIMAL(10,2)", "stg_orders.amount")
    staged = {row["name"]: row for row in rows_of(shop_client, TO.node("run-2", shop.STAGED, "columns"))}
    assert (staged["amount"]["readers"], staged["state"]["readers"], staged["state"]["row_readers"]) == (
        1,
        0,
        1,
    )
    page = node_page(shop_client, shop.ORDERS, "columns")
    assert TO.column("run-2", shop.ORDERS, "amount") in page.links


def test_readers_with_unknown_columns_are_named_and_not_left_out(shop_client: TestClient) -> None:
    column = page_of(shop_client, TO.column("run-2", shop.ORDERS, "amount"))
    columns = node_page(shop_client, shop.ORDERS, "columns")

    for page, start in ((column, "It is unknown which columns "), (columns, "Not counted as readers, ")):
        assert "predicted" in page.text.partition(start)[2][:120]


def test_a_column_comes_from_columns_step_by_step(shop_client: TestClient) -> None:
    page = page_of(shop_client, TO.column("run-2", shop.ORDERS, "AMOUNT"))

    assert page.title == "orders.amount"
    places = [page.text.index(said) for said in ("this column", "1 step before", "2 steps before")]
    assert places == sorted(places)
    assert "cents / 100" in page.text
    assert [row[:2] for row in page.tables[0][1:]] == [
        ["filter", "stg_orders.amount"],
        ["filter", "stg_orders.state"],
    ]
    assert "retyped" in page.text and "INTEGER" in page.text
    assert TO.impact("run-2", shop.ORDERS, "amount") in page.links


def test_a_column_names_its_readers_and_what_they_read_it_for(shop_client: TestClient) -> None:
    address = "/".join((TO.column("run-2", shop.STAGED, "state"), "readers"))
    assert [(row["node"], row["effect"], row["kind"]) for row in rows_of(shop_client, address)] == [
        ("orders", "rows", "filters")
    ]


def test_an_unknown_column_is_not_found_and_suggests_others(shop_client: TestClient) -> None:
    answer = shop_client.get(TO.column("run-2", shop.ORDERS, "amont"))
    assert answer.status_code == 404
    assert "amount" in answer.text


def test_code_is_compared_with_an_earlier_version(shop_client: TestClient) -> None:
    versions = rows_of(shop_client, TO.node("run-2", shop.ORDERS, "code", "versions"))
    assert [row["run_id"] for row in versions] == ["run-1", "run-0"]
    page = page_of(shop_client, TO.node("run-2", shop.ORDERS, "code", against="run-0"))
    classes = [attributes.get("class") for _, attributes in page.tags]
    assert classes.count("line-added") == classes.count("line-removed") == 2
    assert "amount > 0" in page.text and "amount > 10" in page.text
    assert "Both runs have the same code" in page_of(
        shop_client, TO.node("run-2", shop.ORDERS, "code", against="run-1")
    ).text  # fmt: skip
    absent = page_of(shop_client, TO.node("run-2", shop.HIDDEN, "code", against="run-0"))
    assert "That run does not have this node." in absent.text


def test_a_comparison_with_an_unknown_run_is_not_found(shop_client: TestClient) -> None:
    assert shop_client.get(TO.node("run-2", shop.ORDERS, "code", against="nope")).status_code == 404


def test_lineage_lists_parents_and_children(shop_client: TestClient) -> None:
    parents = rows_of(shop_client, TO.node("run-2", shop.ORDERS, "parents"))
    children = rows_of(shop_client, TO.node("run-2", shop.ORDERS, "children"))

    assert [(row["name"], row["materialized"]) for row in parents] == [("stg_orders", "table")]
    assert [row["name"] for row in children] == ["predicted", "unknown", "board"]
    assert "2 tests" in node_page(shop_client, shop.ORDERS, "lineage").text


def test_history_has_changes_with_diffs_results_and_row_counts(shop_client: TestClient) -> None:
    changes = rows_of(shop_client, TO.node("run-2", shop.ORDERS, "changes"))
    assert [(row["run_id"], row["parts"]) for row in changes] == [
        ("run-2", "columns"), ("run-1", "code and compiled SQL"),
    ]  # fmt: skip
    results = rows_of(shop_client, TO.node("run-2", shop.ORDERS, "results"))
    assert [(row["run_id"], row["row_count"]) for row in results] == [
        ("run-2", 300), ("run-1", 200), ("run-0", 100),
    ]  # fmt: skip
    page = node_page(shop_client, shop.ORDERS, "history")
    assert any(link.startswith(TO.of("diff", "run-1", "run-2")) for link in page.links)
    assert "Rows from 2026-11-01 08:00 UTC to 2026-11-03 08:00 UTC" in str(page.tags)


def test_quality_shows_no_value_of_a_private_column(shop_client: TestClient) -> None:
    page = node_page(shop_client, shop.ORDERS, "quality")

    assert "values withheld: the column is private" in page.text
    assert "1 to 7" in page.text
    assert "NULL in amount from" in str(page.tags)
    rows = {
        row["name"]: row for row in rows_of(shop_client, TO.node("run-2", shop.ORDERS, "quality", "columns"))
    }
    assert (rows["id"]["values"], rows["amount"]["null_share"]) == ("withheld", 0.2)
    private = page_of(shop_client, TO.column("run-2", shop.ORDERS, "id"))
    assert "withheld" in private.text


@pytest.mark.parametrize(
    ("unique_id", "tab", "said"),
    [
        (shop.HIDDEN, (), "dbt inlines this model"),
        (shop.PREDICTED, ("code",), "def model"),
        (shop.PREDICTED, ("columns",), "unknown"),
        (shop.UNKNOWN, ("columns",), "id"),
        (shop.UNKNOWN, ("quality",), "never measured"),
        (shop.BOARD, (), "Bob"),
        (shop.BOARD, ("lineage",), "orders"),
        (shop.UNIQUE, (), "Result in this run: fail: Got 3 results"),
        (shop.UNIQUE, ("code",), "select id"),
        (shop.RAW, (), "source"),
        (shop.RAW, ("code",), "no source code"),
        (shop.RAW, ("history",), "0 changes"),
    ],
)
def test_every_kind_of_node_has_its_pages(
    shop_client: TestClient, unique_id: str, tab: tuple[str, ...], said: str
) -> None:
    assert said in node_page(shop_client, unique_id, *tab).text


def test_a_page_of_a_node_takes_few_statements(
    shop_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    node_page(shop_client, shop.STAGED)
    asked: list[str] = []
    query = StoreSession.query

    def counted(session: StoreSession, name: str, **binds: object) -> list[tuple[object, ...]]:
        asked.append(name)
        return query(session, name, **binds)

    monkeypatch.setattr(StoreSession, "query", counted)
    for tab in ((), ("columns",), ("code",), ("history",), ("columns", "id")):
        asked.clear()
        node_page(shop_client, shop.STAGED, *tab, run="run-1")
        node_page(shop_client, shop.RAW, *tab, run="run-1")
        assert len(asked) <= 24, asked


def test_search_finds_nodes_before_columns(shop_client: TestClient) -> None:
    page = page_of(shop_client, TO.search("orders"))
    nodes, *_ = page.tables
    assert nodes[1][0] == "orders"
    page = page_of(shop_client, TO.search("orders.amount"))
    assert page.tables[0][1][:2] == ["amount", "orders"]
    assert TO.column("run-2", shop.ORDERS, "amount") in page.links
    assert "shop prod" in page.text


@pytest.mark.parametrize("text", ["%", "_%_", "zzz", "'; --", "\\", "🦆" * 100])
def test_search_has_no_wildcards(shop_client: TestClient, text: str) -> None:
    assert "No node and no column matches" in page_of(shop_client, TO.search(text)).text


def test_search_without_words_explains_itself(shop_client: TestClient) -> None:
    assert "Enter a part of a name" in page_of(shop_client, TO.search()).text


def test_search_of_another_run(shop_client: TestClient) -> None:
    assert "hidden" in page_of(shop_client, TO.of("search", q="hidden")).tables[0][1][0]
    assert "No node and no column" in page_of(shop_client, TO.of("search", q="hidden", run="run-0")).text


def test_a_scanned_table_shows_its_constraints_and_keys(client: TestClient) -> None:
    page = page_of(client, TO.node("scan-3", "relation.public.orders"))
    headings = [text for _, text in page.headings]
    assert {"Constraints", "Facts"} <= set(headings) and "Tests" not in headings


def foreign(page: ParsedPage) -> list[str]:
    """Return elements and attributes that only a name of a store can have brought."""
    found = [tag for tag, attributes in page.tags if "onerror" in attributes or "style" in attributes]
    return found + [tag for tag, _ in page.tags if tag in ("textarea", "i", "style", "iframe")]


@pytest.mark.extensive
def test_hostile_names_are_text(client: TestClient) -> None:
    for index, spelling in enumerate(SPELLINGS):
        for tab in ((), ("columns",), ("code",), ("lineage",), ("history",), ("quality",)):
            page = node_page(client, hostile_id(index), *tab, run=HOSTILE_RUN)
            assert not foreign(page)
        page = page_of(client, TO.column(HOSTILE_RUN, hostile_id(0), spelling))
        assert not foreign(page)


def test_hostile_names_are_found(client: TestClient) -> None:
    page = page_of(client, TO.of("search", q=SPELLINGS[7], run=HOSTILE_RUN))
    assert TO.node(HOSTILE_RUN, hostile_id(7)) in page.links
