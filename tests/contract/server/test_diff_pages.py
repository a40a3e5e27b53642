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
from recce_meta.api.browse.diffs import pair_report
from recce_meta.api.diff import diff
from recce_meta.report.addresses import Addresses
from recce_meta.server.pages.runs import diff as pages_of_diff
from recce_meta.server.pages.runs.diff import known_pair
from recce_meta.server.stores.stores import Store, prepare_diffs
from recce_meta.store.read import list_runs
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from tests.contract.server.rich_store import HOSTILE, SHOP, ParsedPage, hostile_id, parsed

TO = Addresses("default")
ORDERS = f"model.{SHOP}.orders"


def run_id(rich_url: str, environment: str, project: str = SHOP, place: int = 0) -> str:
    """Return the id of a run of *environment*: the latest, or the one at *place*."""
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        return list_runs(adapter, project=project, environment=environment)[place].run_id


@pytest.fixture(scope="session")
def sides(rich_url: str) -> tuple[str, str]:
    """Return the ids of the demo's runs."""
    return run_id(rich_url, "base"), run_id(rich_url, "current")


@pytest.fixture(scope="session")
def hostile_sides(rich_url: str) -> tuple[str, str]:
    """Return the ids of the runs with hostile names."""
    return run_id(rich_url, "<b>env</b>/0", HOSTILE), run_id(rich_url, "<b>env</b>/1", HOSTILE)


def page(client: TestClient, address: str, status: int = 200) -> ParsedPage:
    answer = client.get(address)
    assert answer.status_code == status, answer.text
    assert len(answer.content) < 200_000
    assert " style=" not in answer.text
    return parsed(answer.text)


def document(rich_url: str, sides: tuple[str, str]) -> dict[str, Any]:
    """Return what `diff --format json` prints of the two runs."""
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        found = diff(lambda: adapter, *sides, schema=DEFAULT_SCHEMA)
        return json.loads(report.diff_json(found))  # type: ignore[no-any-return]


@pytest.mark.parametrize("warehouse", ["client", "postgres_client"])
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


def test_the_report_has_the_figures_of_the_command(
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
    assert "Values of customers" in found.text  # a stored check
    assert "rows matched by customer_id" in found.text  # a stored data diff
    assert "paid_amount" in found.text and "unchanged lines" in found.text  # code
    nodes = [cell[0] for cell in found.tables[0][1:]]
    assert nodes[0].endswith("payment_mix")  # breaking first


def test_every_node_with_a_section_is_linked_from_the_table(
    client: TestClient, sides: tuple[str, str]
) -> None:
    found = page(client, TO.diff(*sides))

    anchors = [link[1:] for link in found.links if link.startswith("#")]
    assert f"node-{ORDERS}" in anchors
    assert set(anchors) <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))


def test_a_drawing_that_is_too_large_is_replaced_by_a_sentence(
    client: TestClient, sides: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sentence = (
        "The drawing is too large for this page; the graph page and recce-meta diff --format html show it."
    )
    # No other test opens the page of this pair, whose answer is cached.
    sides = sides[1], sides[0]
    monkeypatch.setattr(pages_of_diff, "DRAWING_CHARACTERS", 100)

    found = page(client, TO.diff(*sides))

    assert sentence in found.text and "lineage" in found.ids
    assert TO.diff_graph(*sides) in found.links


@pytest.mark.extensive
@pytest.mark.parametrize("pair", ["sides", "hostile_sides"])
def test_every_link_of_the_pages_of_a_diff_leads_to_a_page(
    pair: str, client: TestClient, request: pytest.FixtureRequest
) -> None:
    ids = request.getfixturevalue(pair)
    start = TO.diff(*ids)
    seen: set[str] = set()
    waiting = [start, TO.of("diff")]
    while waiting:
        address = waiting.pop()
        seen.add(address)
        answer = client.get(address)
        assert answer.status_code in (200, 307), address
        is_page = "text/html" in answer.headers["content-type"]
        assert not is_page or ("<script>alert" not in answer.text and "<img src=x" not in answer.text)
        links = parsed(answer.text).links if is_page else []
        paths = {link.partition("#")[0].partition("?")[0] for link in links}
        waiting += sorted(
            one for one in paths if one.startswith((start, TO.of("diff") + "?")) and one not in seen
        )
    assert any("/nodes/" in address for address in seen)


def test_a_node_has_its_whole_code_columns_and_data(client: TestClient, sides: tuple[str, str]) -> None:
    found = page(client, TO.diff_node(*sides, ORDERS))

    assert found.title == "orders"
    assert "payments.attempted_amount as amount" in found.text
    assert "payments.paid_amount as amount" in found.text
    assert "76 of 900 rows changed" in found.text
    assert TO.impact(sides[1], ORDERS, "amount") in found.links
    assert TO.node(sides[0], ORDERS) in found.links and TO.node(sides[1], ORDERS) in found.links
    assert any(row[:1] == ["daily_revenue"] for table in found.tables for row in table)


def test_added_and_removed_nodes_have_their_code_on_one_side(
    client: TestClient, sides: tuple[str, str]
) -> None:
    added = page(client, TO.diff_node(*sides, f"model.{SHOP}.customer_segments"))
    removed = page(client, TO.diff_node(*sides, f"model.{SHOP}.payment_mix"))

    assert {"new"} == {attributes["class"] for attributes in added.elements("td")} & {"new", "gone"}
    assert {"gone"} == {attributes["class"] for attributes in removed.elements("td")} & {"new", "gone"}
    assert TO.node(sides[0], f"model.{SHOP}.customer_segments") not in added.links


def test_nodes_that_did_not_change_have_a_page(client: TestClient, sides: tuple[str, str]) -> None:
    affected = page(client, TO.diff_node(*sides, f"model.{SHOP}.daily_revenue"))
    unaffected = page(client, TO.diff_node(*sides, f"model.{SHOP}.stg_stores"))

    assert "It is affected" in affected.text
    assert "No change affects it" in unaffected.text
    assert "Neither run has the node" in page(client, TO.diff_node(*sides, "model.x.gone"), 404).text


def test_hostile_names_are_text(client: TestClient, hostile_sides: tuple[str, str]) -> None:
    found = page(client, TO.diff_node(*hostile_sides, hostile_id(0)))

    assert found.title == "<img src=x onerror=alert(1)>"
    assert all(one["src"].startswith("/static/") for one in found.elements("img"))


def test_selectors_lead_to_ids(client: TestClient, sides: tuple[str, str]) -> None:
    wanted = TO.diff(*sides)
    prefixes = [one[:12] for one in sides]

    for asked, answer in (
        (TO.diff(*prefixes), wanted),
        (TO.diff_node(*prefixes, ORDERS), TO.diff_node(*sides, ORDERS)),
        (f"{TO.diff_node(*prefixes, ORDERS)}?column=amount", f"{TO.diff_node(*sides, ORDERS)}?column=amount"),
        (f"{TO.diff('base', 'current')}?project={SHOP}", wanted),
        (f"{TO.of('diff')}?base=base&current=current&project={SHOP}", wanted),
        (TO.of("diff", base=sides[0], current=prefixes[1]), wanted),
    ):
        found = client.get(asked, follow_redirects=False)
        assert (found.status_code, found.headers.get("location")) == (307, answer)
    assert client.get(f"{TO.diff(*prefixes)}/changes.json").json()


def test_the_choice_suggests_pairs(client: TestClient, sides: tuple[str, str]) -> None:
    found = page(client, TO.of("diff"))

    assert TO.diff(*sides) in found.links
    assert {one["name"] for one in found.elements("input")} >= {"base", "current"}
    failed = page(client, TO.of("diff", base="nope", current="current"), 404)
    assert "Run 'nope' not found. Choose another run" in failed.text


def test_a_changed_line_has_marks_and_hidden_lines_unfold(client: TestClient, sides: tuple[str, str]) -> None:
    address = TO.diff_node(*sides, ORDERS)
    folded, unfolded = page(client, address), page(client, f"{address}?unfold=all")

    assert "<mark>" in client.get(address).text
    assert f"{address}?unfold=all#code" in folded.links
    assert "unchanged line" in folded.text and "unchanged line" not in unfolded.text
    assert "unfold=all shows all lines" in page(client, f"{address}?unfold=al", 400).text


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
    assert "Notes" in [text for _, text in mixed.headings]


def test_equal_runs_say_so(client: TestClient, rich_url: str) -> None:
    ids = run_id(rich_url, "prod", place=1), run_id(rich_url, "prod")

    found = page(client, TO.diff(*ids))

    assert found.title.startswith("Current: build failed, 1 error")
    assert "No changes" in found.text
    assert "No node changed between these runs" in found.text
    assert client.get(f"{TO.diff(*ids)}/changes.csv").text.count("\n") == 1


def test_the_report_of_a_pair_is_cached_until_the_store_changes(
    rich_url: str, sides: tuple[str, str]
) -> None:
    store = Store("default", lambda: UnifiedSqlAdapter.from_url(rich_url), DEFAULT_SCHEMA)
    with store.view() as view:
        runs = [view.run(one) for one in sides]
        first = known_pair(view, *runs)
        assert known_pair(view, *runs) is first
        expected = pair_report(view.adapter, *runs, view.diff(*runs))
    store.close()
    assert first.report == expected
    kinds = [type(result).__name__ for result in expected.data]
    assert kinds.count("RowCountDiff") == 1
    assert {check.check_name for check in expected.checks} == {"Rows of orders", "Values of customers"}


def test_a_diff_is_computed_once_however_often_the_store_changes(
    rich_url: str, sides: tuple[str, str]
) -> None:
    store = Store("default", lambda: UnifiedSqlAdapter.from_url(rich_url), DEFAULT_SCHEMA)
    with closing(store):
        prepare_diffs(store)
        with store.view() as view:
            runs = [view.run(one) for one in sides]
            first = view.diff(*runs)
            later = view.diff(runs[0], replace(runs[1], build_status="failed"))
        with store.writing() as adapter:
            adapter.execute(f"UPDATE {DEFAULT_SCHEMA}.store SET written_at = now()")
        with store.view() as changed:
            assert changed.version != view.version
            assert changed.diff(*(changed.run(one) for one in sides)) is first
    assert later is not first and later.current.build_status == "failed"


def test_markdown_links_lead_to_pages(
    client: TestClient, rich_url: str, hostile_sides: tuple[str, str], sides: tuple[str, str]
) -> None:
    for ids in (sides, hostile_sides):
        with UnifiedSqlAdapter.from_url(rich_url) as adapter:
            runs = [next(run for run in list_runs(adapter) if run.run_id == one) for one in ids]
            found = pair_report(adapter, *runs, diff(lambda at=adapter: at, *runs))
        to = Addresses("default", "http://127.0.0.1")
        texts = [
            report.diff_markdown(found.diff, to=to),
            report.pull_request_markdown(found.diff, found.data, to=to),
            report.html_report("Diff", found.diff, found.data, to=to),
        ]
        for text in texts:
            links = re.findall(r'http://127\.0\.0\.1[^)"<\s]*', text)
            assert to.diff(*ids) in links
            assert any("/nodes/" in link for link in links) or ids == hostile_sides
            assert {client.get(link, follow_redirects=False).status_code for link in links} == {200}
        assert "127.0.0.1" not in report.diff_markdown(found.diff)
