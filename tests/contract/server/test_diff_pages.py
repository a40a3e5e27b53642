"""Pages of a diff: the same figures as `diff`, for any names and runs."""

from __future__ import annotations

import json
import re
from contextlib import closing
from typing import Any

import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from recce_meta import report
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.browse.diffs import pair_report, suggested_pairs
from recce_meta.api.diff import diff
from recce_meta.report.addresses import Addresses
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.pages.runs.pair import known_pair
from recce_meta.server.stores.stores import Store, prepare_diffs
from recce_meta.store.read import list_runs
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from tests.contract.server.rich_store import HOSTILE, SHOP, hostile_id, page, parsed, run_id

TO = Addresses("default")
ORDERS = f"model.{SHOP}.orders"
MOST = 80
"""Pages of one diff that are asked for."""


@pytest.fixture(scope="session")
def sides(rich_url: str) -> tuple[str, str]:
    """Return the ids of the demo's runs."""
    return run_id(rich_url, "base"), run_id(rich_url, "current")


@pytest.fixture(scope="session")
def hostile_sides(rich_url: str) -> tuple[str, str]:
    """Return the ids of the runs with hostile names."""
    return run_id(rich_url, "<b>env</b>/0", HOSTILE), run_id(rich_url, "<b>env</b>/1", HOSTILE)


def document(rich_url: str, sides: tuple[str, str]) -> dict[str, Any]:
    """Return what `diff --format json` prints of the two runs."""
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        found = diff(lambda: adapter, *sides)
        return json.loads(report.diff_json(found))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "warehouse", ["client", pytest.param("postgres_client", marks=pytest.mark.extensive)]
)
@pytest.mark.parametrize("pair", ["sides", "hostile_sides"])
def test_the_lists_have_the_changes_of_the_command(
    pair: str, warehouse: str, rich_url: str, request: pytest.FixtureRequest
) -> None:
    client, ids = request.getfixturevalue(warehouse), request.getfixturevalue(pair)
    expected = document(rich_url, ids)
    address = TO.diff(*ids)

    changes = client.get(f"{address}/changes.json").json()
    impacted = client.get(f"{address}/impacted.json").json()

    assert {(row["unique_id"], row["status"], row["category"]) for row in changes} == {
        (one["unique_id"], one["status"], one.get("category"))
        for one in expected["changes"]
        if one["status"] != "unchanged"
    }
    assert {(row["unique_id"], row["distance"], row["origin"], row["fails"]) for row in impacted} == {
        (one["unique_id"], one["distance"], one["origin"], one["fails"]) for one in expected["impacted"]
    }


def test_the_review_has_the_figures_of_the_command(
    client: TestClient, rich_url: str, sides: tuple[str, str]
) -> None:
    told = document(rich_url, sides)
    summary = told["summary"]

    found = page(client, TO.diff(*sides))

    changed = [
        one["resource_type"].endswith("test") for one in told["changes"] if one["status"] != "unchanged"
    ]
    assert f"({changed.count(False)} nodes and {changed.count(True)} tests changed, " in found.text
    assert f"{summary['impacted']} of {summary['downstream']} downstream nodes affected" in found.text
    assert "1 breaking and 2 partial breaking changes" in found.text
    assert found.title.startswith("Breaking PR #42")
    rows = [one["data-node"] for one in found.elements("tr") if "data-node" in one]
    assert rows[:4] == ["payment_mix", "customers", "orders", "newsletter"]  # the most harmful first
    assert len(rows) == len(changed) + summary["impacted"]
    drawn = [one["data-node"] for one in found.elements("a") if "data-node" in one]
    assert set(drawn) <= set(rows) and len(drawn) == changed.count(False) + 2
    assert "Values of customers" in page(client, TO.diff(*sides, panel="checks")).text  # a stored check


def test_the_cell_of_a_node_says_what_is_known_of_its_data(
    client: TestClient, sides: tuple[str, str]
) -> None:
    tables = page(client, TO.diff(*sides)).tables
    cells = {row[0].split()[-1]: row[3:5] for table in tables for row in table if len(row) == 6 and row[0]}

    assert cells["customers"] == ["≠ 37.3%", "= 150"]
    assert cells["exposure"] == ["no rows", ""]


def test_filters_narrow_the_list(client: TestClient, sides: tuple[str, str]) -> None:
    def rows(**view: str) -> set[str]:
        found = page(client, TO.diff(*sides, **view))
        return {one["data-node"] for one in found.elements("tr") if "data-node" in one}

    assert rows(only="breaking") == {"payment_mix"}
    assert rows(only="partial") == {"customers", "orders", "newsletter"}
    assert rows(q="average_order_value customers") == {"customers"}
    assert rows(q="nothing at all") == set()
    assert "did you mean 'breaking'" in page(client, TO.diff(*sides, only="braking"), 400).text
    for name in ("view", "tab", "panel"):
        node = {"node": "orders"} if name == "tab" else {}
        assert f"Invalid {name}" in page(client, TO.diff(*sides, **node, **{name: "x"}), 400).text


@pytest.mark.parametrize(
    "view", [{"node": ORDERS}, {"node": "customers", "tab": "data"}, {"panel": "query"}, {}]
)
def test_the_drawer_alone_is_that_of_the_page(
    client: TestClient, sides: tuple[str, str], view: dict[str, str]
) -> None:
    whole = client.get(TO.diff(*sides, **view)).text
    alone = client.get(TO.of("diff", *sides, "drawer", **view)).text

    assert alone.startswith("<aside") and alone in whole


def test_old_addresses_lead_to_the_review(client: TestClient, sides: tuple[str, str]) -> None:
    for parts, view in (
        (("nodes", ORDERS), {"node": ORDERS}),
        (("changes",), {}),
        (("impacted",), {}),
        (("query",), {"panel": "query"}),
    ):
        answer = client.get(TO.of("diff", *sides, *parts), follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (307, TO.diff(*sides, **view))


@pytest.mark.extensive
@pytest.mark.parametrize("pair", ["sides", "hostile_sides"])
def test_every_link_of_the_pages_of_a_diff_leads_to_a_page(
    pair: str, client: TestClient, request: pytest.FixtureRequest
) -> None:
    ids = request.getfixturevalue(pair)
    start = TO.diff(*ids)
    seen: set[str] = set()
    waiting = [start]
    while waiting and len(seen) < MOST:
        address = waiting.pop(0)
        seen.add(address)
        answer = client.get(address)
        assert answer.status_code in (200, 307), address
        is_page = "text/html" in answer.headers["content-type"]
        assert not is_page or ("<script>alert" not in answer.text and "<img src=x" not in answer.text)
        links = parsed(answer.text).links if is_page else []
        paths = {link.partition("#")[0] for link in links}
        waiting += sorted(
            one
            for one in paths
            if one.startswith((start, TO.of("diff") + "?")) and one not in {*seen, *waiting}
        )
    assert any("node=" in address for address in seen)


def test_a_node_has_its_whole_code_columns_and_data(client: TestClient, sides: tuple[str, str]) -> None:
    code, columns, data = (
        page(client, TO.diff(*sides, node="orders", tab=tab)) for tab in ("code", "columns", "data")
    )

    assert "orders" in [text for _, text in code.headings][1]
    assert "payments.attempted_amount as amount" in code.text
    assert "payments.paid_amount as amount" in code.text
    assert TO.node(sides[0], ORDERS) in code.links and TO.node(sides[1], ORDERS) in code.links
    assert "76 of 900 orders differ" in data.text
    locked = {"view": "graph", "node": "orders", "tab": "columns", "column": "orders.amount"}
    assert TO.diff(*sides, **locked) in columns.links
    path = page(client, TO.diff(*sides, **locked))
    assert TO.impact(sides[1], ORDERS, "amount") in path.links
    assert "SUM(amount)" in path.text and "int_order_payments.paid_amount" in path.text
    drawn = [one["data-node"] for one in path.elements("a") if "onpath" in one.get("class", "")]
    reached = ["customer_segments", "customers", "daily_revenue", "orders", "store_performance"]
    above = [f"model.jaffle_shop.{one}" for one in ("int_order_payments", "stg_payments")]
    assert sorted(drawn) == sorted([*reached, *above, "seed.jaffle_shop.raw_payments"])
    assert any(row[:1] == ["daily_revenue"] for table in columns.tables for row in table)


def test_added_and_removed_nodes_have_their_code_on_one_side(
    client: TestClient, sides: tuple[str, str]
) -> None:
    added = page(client, TO.diff(*sides, node=f"model.{SHOP}.customer_segments"))
    removed = page(client, TO.diff(*sides, node=f"model.{SHOP}.payment_mix"))

    assert {"new"} == {attributes.get("class") for attributes in added.elements("td")} & {"new", "gone"}
    assert {"gone"} == {attributes.get("class") for attributes in removed.elements("td")} & {"new", "gone"}
    assert TO.node(sides[0], f"model.{SHOP}.customer_segments") not in added.links


def test_nodes_that_did_not_change_have_a_page(client: TestClient, sides: tuple[str, str]) -> None:
    affected = page(client, TO.diff(*sides, node=f"model.{SHOP}.daily_revenue"))
    unaffected = page(client, TO.diff(*sides, node=f"model.{SHOP}.stg_stores"))

    assert "It is affected" in affected.text
    assert "No change affects it" in unaffected.text
    missing = page(client, TO.diff(*sides, node="order"), 404)
    assert "Node 'order' not found" in missing.text and "did you mean 'orders'" in missing.text
    assert "payment_mix" in missing.text  # the list stays


def test_hostile_names_are_text(client: TestClient, hostile_sides: tuple[str, str]) -> None:
    found = page(client, TO.diff(*hostile_sides, node=hostile_id(0)))

    assert "<img src=x onerror=alert(1)>" in found.headings[1][1]
    assert all(one["src"].startswith("/static/") for one in found.elements("img"))


def test_selectors_lead_to_ids(client: TestClient, sides: tuple[str, str]) -> None:
    wanted = TO.diff(*sides)
    prefixes = [one[:12] for one in sides]

    for asked, answer in (
        (TO.diff(*prefixes), wanted),
        (TO.diff(*prefixes, node=ORDERS), TO.diff(*sides, node=ORDERS)),
        (
            f"{TO.of('diff', *prefixes, 'nodes', ORDERS)}?column=amount",
            TO.diff(*sides, node=ORDERS, column="amount"),
        ),
        (f"{TO.diff('base', 'current')}?project={SHOP}", wanted),
        (f"{TO.of('diff')}?base=base&current=current&project={SHOP}", wanted),
        (TO.of("diff", base=sides[0], current=prefixes[1]), wanted),
    ):
        found = client.get(asked, follow_redirects=False)
        assert (found.status_code, found.headers.get("location")) == (307, answer)
    assert client.get(f"{TO.diff(*prefixes)}/changes.json").json()


def test_a_pull_request_leads_to_its_newest_pair(client: TestClient, sides: tuple[str, str]) -> None:
    answer = client.get(TO.of("pr", "42"), follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (307, TO.diff(*sides))
    assert "pull request 7" in page(client, TO.of("pr", "7"), 404).text


def test_the_choice_suggests_pairs(client: TestClient, sides: tuple[str, str]) -> None:
    choice = client.get(TO.of("diff"), follow_redirects=False).headers["location"]
    found = page(client, choice)

    assert TO.diff(*sides) in found.links
    assert {one["name"] for one in found.elements("input")} >= {"base", "current"}
    failed = page(client, TO.of("diff", base="nope", current="current"), 404)
    assert "Run 'nope' not found" in failed.text


def test_a_changed_line_has_marks_and_hidden_lines_unfold(client: TestClient, sides: tuple[str, str]) -> None:
    address = TO.diff(*sides, node=ORDERS)
    folded, unfolded = page(client, address), page(client, f"{address}&unfold=all")

    assert "<mark>" in client.get(address).text
    assert f"{address}&unfold=all" in folded.links
    assert "unchanged line" in folded.text and "unchanged line" not in unfolded.text
    assert "did you mean 'all'" in page(client, f"{address}&unfold=al", 400).text


def test_runs_that_cannot_be_compared_have_a_next_step(
    client: TestClient, rich_url: str, sides: tuple[str, str], hostile_sides: tuple[str, str]
) -> None:
    same = page(client, TO.diff(sides[0], sides[0]), 400)
    projects = page(client, TO.diff(sides[0], hostile_sides[1]), 400)
    removed = page(client, TO.diff(sides[0], "pruned"), 404)

    assert "Base and current are the same run" in same.text
    assert "Runs of different projects cannot be compared" in projects.text
    assert all("Next: " in one.text for one in (same, projects, removed))
    scan = run_id(rich_url, "warehouse", "warehouse")
    mixed = page(client, TO.diff(sides[0], scan))
    assert re.search(r"[1-9]\d* findings?", mixed.text)


def test_a_pull_request_leads_to_its_review_in_the_view_that_is_asked(client: TestClient) -> None:
    found = client.get(f"{TO.root}/pr/42?view=graph", follow_redirects=False)

    assert found.status_code in (303, 307) and found.headers["location"].endswith("?view=graph")
    assert client.get(f"{TO.root}/pr/1000").status_code == 404


def test_equal_runs_say_so(client: TestClient, rich_url: str) -> None:
    ids = run_id(rich_url, "prod", place=1), run_id(rich_url, "prod")

    found = page(client, TO.diff(*ids))

    assert found.title.startswith("Build failed") and "Current: build failed, 1 error" in found.text
    assert "No changes" in found.text
    assert "No node changed between these runs" in found.text
    assert client.get(f"{TO.diff(*ids)}/changes.csv").text.count("\n") == 1


def test_the_report_of_a_pair_is_cached_until_the_store_changes(
    rich_url: str, sides: tuple[str, str]
) -> None:
    store = Store("default", lambda: UnifiedSqlAdapter.from_url(rich_url))
    with store.view() as view:
        runs = [view.run(one) for one in sides]
        first = known_pair(view, *runs)
        assert known_pair(view, *runs) is first
        expected = pair_report(view.adapter, view.diff(*runs))
    store.close()
    assert first.report == expected
    kinds = [type(result).__name__ for result in expected.data]
    assert kinds.count("RowCountDiff") == 1
    assert {check.check_name for check in expected.checks} == {"Rows of orders", "Values of customers"}


def test_a_diff_is_computed_once_however_often_the_store_changes(
    rich_url: str, sides: tuple[str, str]
) -> None:
    store = Store("default", lambda: UnifiedSqlAdapter.from_url(rich_url))
    with closing(store):
        prepare_diffs(store)
        with store.view() as view:
            runs = [view.run(one) for one in sides]
            first = view.diff(*runs)
            offered = suggested_pairs(list_runs(view.adapter))
            assert len({one.current.project_name for one in offered}) < len(offered)
            assert all(view.has_diff(one.base, one.current) for one in offered)
            later = view.diff(runs[0], replace(runs[1], build_status="failed"))
        with store.writing() as adapter:
            adapter.execute(f"UPDATE {DEFAULT_SCHEMA}.store SET written_at = now()")
        with store.view() as changed:
            assert changed.version != view.version
            assert changed.diff(*(changed.run(one) for one in sides)) is first
    assert later is not first and later.current.build_status == "failed"


def test_the_api_has_the_data_and_the_verdict_of_the_page(client: TestClient, sides: tuple[str, str]) -> None:
    base, current = sides
    found = client.get(f"/api/stores/default/diff?base={base}&current={current}").json()

    shown = page(client, TO.diff(*sides)).text
    assert found["data"] and found["data_taken_at"] and found["data_not_compared"]
    assert all(sentence in shown for sentence in found["verdict"]["sentences"])


def test_the_start_page_has_the_verdicts_of_diffs_in_memory(rich_url: str) -> None:
    store = Store("default", lambda: UnifiedSqlAdapter.from_url(rich_url))
    with TestClient(create_app({"default": store}, Access()), base_url="http://127.0.0.1") as client:

        def rows() -> dict[str, str]:
            found = re.findall(r'<tr><td data-label="pair"><a href="([^"]+)">.*?</tr>', client.get("/").text)
            cells = re.findall(r'<td data-label="verdict">(.*?)</td>', client.get("/").text)
            return dict(zip(found, (" ".join(parsed(one).text.split()) for one in cells), strict=True))

        before = rows()
        assert before and set(before.values()) == {"not computed yet"}
        address = next(iter(before))
        shown = page(client, address).title
        after = rows()
    assert shown.startswith(after[address].split(" code ")[0]) and " review 0 of " in after[address]
    assert {**after, address: "not computed yet"} == before


@pytest.mark.extensive
def test_markdown_links_lead_to_pages(
    client: TestClient, rich_url: str, hostile_sides: tuple[str, str], sides: tuple[str, str]
) -> None:
    for ids in (sides, hostile_sides):
        with UnifiedSqlAdapter.from_url(rich_url) as adapter:
            runs = [next(run for run in list_runs(adapter) if run.run_id == one) for one in ids]
            found = pair_report(adapter, diff(lambda at=adapter: at, *runs))
        to = Addresses("default", "http://127.0.0.1")
        texts = [
            report.diff_markdown(found.diff, to=to),
            report.pull_request_markdown(found.diff, found.data, to=to),
            report.html_report("Diff", found.diff, found.data, to=to),
        ]
        for text in texts:
            links = re.findall(r'http://127\.0\.0\.1[^)"<\s]*', text)
            assert to.diff(*ids) in links
            assert any("?node=" in link for link in links) or ids == hostile_sides
            assert {client.get(link, follow_redirects=False).status_code for link in links} == {200}
        assert "127.0.0.1" not in report.diff_markdown(found.diff)
