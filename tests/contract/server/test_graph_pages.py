"""Lineage graphs on pages: the edges of the store, selectors, filters, links, and any name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.browse.graph_opening import opening_of
from recce_meta.api.export import load_export
from recce_meta.api.run_reader import StoredRunReader
from recce_meta.models import NodeMetadata, RunMetadata
from recce_meta.models.graph_view import ADDED, REMOVED
from recce_meta.report.addresses import Addresses, with_query
from recce_meta.server.stores.stores import graph_of
from recce_meta.store.read import list_runs
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from recce_meta.store.write import record_run
from tests.contract.server.rich_store import FAILED_RUN, HOSTILE, SHOP, SPELLINGS, hostile_id, parsed
from tests.contract.server.small_store import client_of, file_url, store_at
from tests.contract.server.test_graph import project

TO = Addresses("default")
ORDERS = f"model.{SHOP}.orders"


@pytest.fixture(scope="module")
def runs(rich_url: str) -> dict[str, str]:
    """Return the ids of the demo's runs by environment; those of the hostile runs are `hostile 0` and `1`."""
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        found = {run.environment: run.run_id for run in reversed(list_runs(adapter, project=SHOP))}
        hostile = {run.environment[-1]: run.run_id for run in list_runs(adapter, project=HOSTILE)}
    return found | {f"hostile {place}": run_id for place, run_id in hostile.items()}


@pytest.fixture(params=["client", pytest.param("postgres_client", marks=pytest.mark.extensive)])
def either(request: pytest.FixtureRequest) -> TestClient:
    """Return a client of the store in DuckDB, and then of its copy in PostgreSQL."""
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def graph(client: TestClient, address: str, **view: object) -> dict[str, Any]:
    """Return the graph at *address*."""
    answer = client.get(with_query(f"{address}.json", **view))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()  # type: ignore[no-any-return]


def by_id(adapter: UnifiedSqlAdapter) -> dict[str, RunMetadata]:
    return {run.run_id: run for run in list_runs(adapter)}


def ids(view: dict[str, Any]) -> set[str]:
    return {node["id"] for node in view["nodes"]}


def edges(view: dict[str, Any]) -> set[tuple[str, str]]:
    names = [node["id"] for node in view["nodes"]]
    return {(names[parent], names[child]) for parent, child, *_ in view["edges"]}


def stored_edges(rich_url: str, run_id: str) -> set[tuple[str, str]]:
    """Return the edges of a run in the view `lineage`."""
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        rows = adapter.answer(f"SELECT run_id, parent_id, node_id FROM {DEFAULT_SCHEMA}.lineage")
        return {(str(parent), str(node)) for run, parent, node in rows if run == run_id}


@pytest.mark.extensive
@pytest.mark.parametrize("run", ["base", "current", "hostile 1"])
def test_the_whole_graph_has_every_edge_of_the_store(
    run: str, either: TestClient, rich_url: str, runs: dict[str, str]
) -> None:
    types = ("model", "seed", "exposure", "test", "unit_test")
    known = types if not run.startswith("hostile") else ("model", "test")
    found = graph(either, TO.graph(runs[run]), type=known)

    expected = stored_edges(rich_url, runs[run])
    assert edges(found) == expected != set()
    assert len(found["edges"]) == len(expected)
    table = either.get(f"{with_query(TO.graph(runs[run]) + '/edges.json', type=known)}").json()
    assert {(row["parent_id"], row["child_id"]) for row in table} == expected


def test_a_diff_draws_the_edges_of_both_runs_and_says_which_are_new(
    either: TestClient, rich_url: str, runs: dict[str, str]
) -> None:
    base, current = (stored_edges(rich_url, runs[side]) for side in ("base", "current"))

    found = graph(either, TO.diff_graph(runs["base"], runs["current"]))

    shown = ids(found)
    names = [node["id"] for node in found["nodes"]]
    drawn = {(names[parent], names[child]): flags for parent, child, flags, *_ in found["edges"]}
    between = {edge for edge in base | current if shown.issuperset(edge)}
    assert {edge for edge, flags in drawn.items() if flags in (0, ADDED, REMOVED)} == between
    assert {edge for edge, flags in drawn.items() if flags & ADDED} == between - base
    assert {edge for edge, flags in drawn.items() if flags & REMOVED} == between - current
    assert between - base


@pytest.mark.extensive
def test_a_diff_opens_at_what_changed_and_what_that_affects(either: TestClient, runs: dict[str, str]) -> None:
    address = TO.diff(runs["base"], runs["current"])
    changed = {row["unique_id"]: row for row in either.get(f"{address}/changes.json").json()}
    impacted = {row["unique_id"] for row in either.get(f"{address}/impacted.json").json()}

    found = graph(either, TO.diff_graph(runs["base"], runs["current"]))

    tests = {one for one in {*changed, *impacted} if one.startswith(("test.", "unit_test."))}
    assert ids(found) == {*changed, *impacted} - tests
    states = {node["id"]: node["status"] for node in found["nodes"]}
    assert states == {
        one: changed[one]["status"] if one in changed else "impacted" for one in {*changed, *impacted} - tests
    }
    table = either.get(f"{TO.diff_graph(runs['base'], runs['current'])}/nodes.json").json()
    assert table[0]["name"] == "payment_mix" and table[0]["change"] == "removed, breaking"
    assert [row["change"].startswith("impacted") for row in table] == sorted(
        row["change"].startswith("impacted") for row in table
    )


def test_a_node_opens_with_its_neighbours_and_counts_the_hidden_ones(
    either: TestClient, rich_url: str, runs: dict[str, str]
) -> None:
    stored = {edge for edge in stored_edges(rich_url, runs["current"]) if "test." not in edge[1]}

    found = graph(either, TO.graph(runs["current"]), node=ORDERS)
    wider = graph(either, TO.graph(runs["current"]), node=ORDERS, expand=(f"model.{SHOP}.customers:down",))

    near = {ORDERS} | {end for edge in stored if ORDERS in edge for end in edge}
    assert ids(found) == near
    for view in (found, wider):
        shown = ids(view)
        for node in view["nodes"]:
            own = node["id"]
            assert node.get("parents", 0) == len([p for p, c in stored if c == own and p not in shown]), own
            assert node.get("children", 0) == len([c for p, c in stored if p == own and c not in shown]), own
    readers = {child for parent, child in stored if parent == f"model.{SHOP}.customers"}
    assert ids(wider) == near | readers > near


@pytest.mark.cases(3)
@pytest.mark.parametrize("selection", ["+orders", "tag:mart", "path:models/staging", "orders+1 customers"])
def test_selectors_name_the_nodes_that_export_names(
    selection: str, either: TestClient, rich_url: str, runs: dict[str, str]
) -> None:
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        listed = load_export(adapter, runs["current"], select=selection.split()).project.nodes

    found = graph(either, TO.graph(runs["current"]), select=selection)

    expected = {node.unique_id for node in listed if node.resource_type not in ("test", "unit_test")}
    assert ids(found) == expected != set()


def test_filters_hide_nodes_and_lines_run_through_them(client: TestClient, runs: dict[str, str]) -> None:
    address = TO.graph(runs["current"])

    models = graph(client, address, type=("model",))
    several = graph(client, address, type=("model", "exposure"))
    tagged = graph(client, address, tag=("finance",))
    folder = graph(client, address, path=("models/staging",))
    excluded = graph(client, address, exclude="resource_type:seed")
    few = graph(client, address, most=3)

    assert {node["type"] for node in models["nodes"]} == {"model"}
    assert {node["type"] for node in several["nodes"]} == {"model", "exposure"}
    assert all("finance" in node["tags"] for node in tagged["nodes"]) and tagged["nodes"]
    assert all(node["path"].startswith("models/staging/") for node in folder["nodes"]) and folder["nodes"]
    assert {node["type"] for node in excluded["nodes"]} == {"model", "exposure"}
    assert len(few["nodes"]) == 3 and few["is_cut"] and few["notes"]
    without = graph(client, address, exclude="orders")
    customers = {(one, two) for one, two in edges(without) if two == f"model.{SHOP}.customers"}
    assert (f"model.{SHOP}.stg_orders", f"model.{SHOP}.customers") in customers  # through orders


def test_the_form_holds_the_view_and_works_without_a_script(client: TestClient, runs: dict[str, str]) -> None:
    address = TO.graph(runs["current"])
    view = {"node": "orders", "up": 2, "tag": ("mart", "finance"), "hubs": "hide"}
    asked = with_query(address, **view, at="1,2,1", open=ORDERS)

    answer = client.get(asked)
    page = parsed(answer.text)

    fields = [(one["name"], one.get("value", "")) for one in page.elements("input") if "name" in one]
    assert ("node", "orders") in fields and ("up", "2") in fields
    assert [value for name, value in fields if name == "tag" and value] == ["mart", "finance"]
    wider = with_query(address, expand=(f"{ORDERS}:up", f"{ORDERS}:down"), most=40)
    inputs = parsed(client.get(wider).text).elements("input")
    hidden = [(one["name"], one["value"]) for one in inputs if one.get("type") == "hidden"]
    assert hidden == [("expand", f"{ORDERS}:up"), ("expand", f"{ORDERS}:down"), ("most", "40")]
    assert any(one.get("name") == "hubs" and "checked" in one for one in page.elements("input"))
    without = with_query(address, node="orders", up=2, tag=("finance",), hubs="hide")
    assert without in page.links  # the chip of a tag removes it
    expand = with_query(address, **view, expand=f"{ORDERS}:up")
    assert expand in page.links
    assert client.get(expand).status_code == 200
    assert len(answer.content) < 200_000
    (holder,) = [one for one in page.elements("div") if one.get("class") == "graph"]
    assert holder["data-graph"] == f"{address}.json"
    scripts = [one["src"].partition("?")[0] for one in page.elements("script")]
    assert "/static/graph.js" in scripts
    assert "/static/graph.js" not in client.get(TO.run(runs["current"])).text


def test_the_script_and_its_style_are_served(client: TestClient) -> None:
    for name in ("graph.js", "graph_page.js", "graph.css"):
        kind = "text/css" if name.endswith(".css") else "text/javascript"
        answer = client.get(f"/static/{name}")
        assert answer.status_code == 200 and answer.headers["content-type"].startswith(kind)


@pytest.mark.cases(3)
@pytest.mark.parametrize(
    ("view", "status", "words"),
    [
        ({"node": "order"}, 404, "orders"),
        ({"select": "nosuch:x"}, 404, "nosuch"),
        ({"up": "many"}, 400, "up"),
        ({"hubs": "show"}, 404, "hide"),
        ({"expand": "x"}, 400, "ID:up"),
        ({"type": "modell"}, 404, "model"),
    ],
)
def test_a_wrong_view_names_the_next_step_above_its_form(
    view: dict[str, str], status: int, words: str, client: TestClient, runs: dict[str, str]
) -> None:
    for address in (TO.graph(runs["current"]), TO.diff_graph(runs["base"], runs["current"])):
        page = client.get(with_query(address, **view), follow_redirects=True)
        data = client.get(with_query(f"{address}.json", **view))

        assert (page.status_code, data.status_code) == (status, status)
        fields = parsed(page.text).elements("form")[1:]
        trouble = page.text.partition('class="trouble"')[2].partition("</div>")[0]
        assert words in trouble and fields, trouble
        assert words in str(data.json()["error"])


def test_data_without_a_parameter_say_which(client: TestClient, runs: dict[str, str]) -> None:
    address = TO.graph(runs["current"])
    for path, words in (
        ("/columns.json", "node"),
        (f"/path.json?node={ORDERS}", "column"),
        (f"/path.json?node={ORDERS}&column=nope", "nope"),
        ("/columns.json?node=nope", "nope"),
        (f"/columns.json?node={ORDERS}&page=x", "page"),
    ):
        answer = client.get(address + path)
        assert answer.status_code in (400, 404)
        assert words in answer.json()["error"]["message"]


@pytest.mark.extensive
def test_columns_and_paths_are_those_of_the_column_pages(either: TestClient, runs: dict[str, str]) -> None:
    for address in (TO.graph(runs["current"]), TO.diff_graph(runs["base"], runs["current"])):
        listed = either.get(f"{TO.node(runs['current'], ORDERS, 'columns')}.json").json()
        columns = [
            one["name"]
            for page in (1, 2)
            for one in either.get(with_query(f"{address}/columns.json", node=ORDERS, page=page)).json()[
                "columns"
            ]
        ]
        searched = either.get(with_query(f"{address}/columns.json", node=ORDERS, q="amount")).json()
        path = either.get(with_query(f"{address}/path.json", node=ORDERS, column="amount")).json()

        assert sorted(columns) == sorted(row["name"] for row in listed)
        assert all("amount" in one["name"] for one in searched["columns"]) and searched["total"]
        up = {(one["name"], one["column"]) for one in path["columns"] if one.get("side") == "up"}
        assert ("stg_payments", "amount") in up
        linked = [one["href"] for one in path["columns"] if one.get("href")]
        assert linked and all(either.get(one).status_code == 200 for one in linked)


def test_pages_link_the_graph(client: TestClient, runs: dict[str, str]) -> None:
    run, sides = runs["current"], (runs["base"], runs["current"])
    locked = {"column": "amount", "of": ORDERS}
    for address, link in (
        (TO.run(run), TO.graph(run)),
        (TO.node(run, ORDERS), TO.node(run, ORDERS, "lineage")),
        (TO.column(run, ORDERS, "amount"), TO.graph(run, node=ORDERS, **locked)),
        (TO.impact(run, ORDERS, "amount"), TO.graph(run, node=ORDERS, up=0, down=3, **locked)),
        (TO.diff(*sides), TO.diff(*sides, view="graph")),
    ):
        page = parsed(client.get(address).text)
        assert [one["href"] for one in page.elements("a") if one.get("data-go") == "l"] == [link], address
        assert client.get(link).status_code == 200


@pytest.mark.extensive
def test_selectors_of_runs_lead_to_ids_and_keep_the_view(client: TestClient, runs: dict[str, str]) -> None:
    for asked, wanted in (
        (TO.graph(runs["current"][:12], tag=("a", "b")), TO.graph(runs["current"], tag=("a", "b"))),
        (
            TO.diff_graph("base", "current", project=SHOP, node="orders", tag=("a", "b"), at="1 2"),
            with_query(
                TO.diff(runs["base"], runs["current"]),
                view="graph",
                node="orders",
                tag=("a", "b"),
                around="orders",
            ),
        ),
        (
            TO.node(runs["current"], "orders", "lineage", tag=("a", "b")),
            TO.node(runs["current"], ORDERS, "lineage", tag=("a", "b")),
        ),
    ):
        found = client.get(asked, follow_redirects=False)
        assert (found.status_code, found.headers.get("location")) == (307, wanted)


@pytest.mark.cases(2)
@pytest.mark.parametrize("spelling", range(len(SPELLINGS)))
def test_a_hostile_name_is_a_node_like_any_other(
    spelling: int, client: TestClient, runs: dict[str, str]
) -> None:
    run, unique_id = runs["hostile 1"], hostile_id(spelling)

    found = graph(client, TO.graph(run), node=unique_id)
    page = client.get(TO.node(run, unique_id, "lineage"))
    expanded = graph(client, TO.graph(run), node=unique_id, expand=(f"{unique_id}:up", f"{unique_id}:down"))

    near = {hostile_id(one) for one in (spelling - 1, spelling, spelling + 1) if 0 <= one < len(SPELLINGS)}
    assert ids(found) == ids(expanded) == near
    assert page.status_code == 200
    assert "<script>alert" not in page.text and "<img src=x" not in page.text
    by_id = {node["id"]: node for node in found["nodes"]}
    assert client.get(by_id[unique_id]["href"]).status_code == 200
    for link in parsed(page.text).links:
        if "expand=" in link:
            assert client.get(link).status_code == 200, link


def test_hostile_filters_are_kept_as_they_are(client: TestClient, runs: dict[str, str]) -> None:
    tag = "<i>tag"
    address = TO.graph(runs["hostile 1"], tag=(tag,), owner=(HOSTILE,), select="tag:<i>tag")

    page = client.get(address)

    assert page.status_code == 200, page.text[-2000:]
    kept = [one["value"] for one in parsed(page.text).elements("input") if one.get("type") == "hidden"]
    assert {tag, HOSTILE} <= set(kept)
    assert "<i>tag" not in page.text


def rows(view: dict[str, Any]) -> dict[str, int]:
    return {node["id"]: node["y"] for node in view["nodes"]}


VIEWS = [{"node": "m30", "up": 2, "down": 3}, {"type": "model"}, {"select": "+m60+"}]


@pytest.mark.cases(2)
@pytest.mark.parametrize("view", VIEWS, ids=str)
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0)], ids=["forwards", "backwards"])
def test_positions_stay_from_run_to_run(
    view: dict[str, Any], order: tuple[int, ...], random_store: str
) -> None:
    with client_of(store_at(random_store)) as client:
        drawn = {number: rows(graph(client, TO.graph(f"run-{number}"), **view)) for number in order}
        expanded = rows(graph(client, TO.graph("run-2"), **view, expand=("model.shop.m02:down",)))
        diff = rows(graph(client, TO.diff_graph("run-1", "run-2"), **view))

    pairs = [(drawn[0], drawn[1]), (drawn[1], drawn[2]), (drawn[2], drawn[3]), (drawn[2], expanded)]
    pairs += [] if "type" in view else [(drawn[1], diff)]
    for former, latter in pairs:
        common = former.keys() & latter.keys()
        assert len(common) > 3
        assert {one: latter[one] for one in common} == {one: former[one] for one in common}


@pytest.fixture(scope="module")
def random_store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of a store with runs of a random project: two add a model each, and the last edits one."""
    url = file_url(tmp_path_factory.mktemp("random") / "store.duckdb")
    with UnifiedSqlAdapter.from_url(url) as adapter:
        for number in range(4):
            made = project(0, f"run-{number}")
            added = [
                NodeMetadata(
                    unique_id=f"model.shop.a{one}",
                    name=f"a{one}",
                    resource_type="model",
                    raw_code="select 3" if number == 3 else "select 1",
                    parents=(parent,),
                )
                for one, parent in enumerate(("model.shop.m30", "model.shop.m33")[:number])
            ]
            run = replace(made.run, run_at=made.run.run_at + timedelta(days=number))
            nodes = tuple(sorted((*made.nodes, *added), key=lambda node: node.unique_id))
            record_run(adapter, replace(made, run=run, nodes=nodes))
    return url


def large(count: int, tests: int = 0) -> dict[str, NodeMetadata]:
    """Return models and tests without edges."""
    models = [
        NodeMetadata(unique_id=f"model.p.m{i:03}", name=f"m{i}", resource_type="model") for i in range(count)
    ]
    found = models + [
        NodeMetadata(unique_id=f"test.p.t{i}", name=f"t{i}", resource_type="test") for i in range(tests)
    ]
    return {node.unique_id: node for node in found}


def test_a_large_run_opens_at_what_is_worth_a_look(rich_url: str, runs: dict[str, str]) -> None:
    names = large(200)
    with UnifiedSqlAdapter.from_url(rich_url) as adapter:
        failed, current = by_id(adapter)[FAILED_RUN], by_id(adapter)[runs["current"]]
        whole = opening_of(adapter, current, graph_of(large(60, tests=300), []))
        ends = opening_of(adapter, current, graph_of(names, []))
        own = {one.unique_id: one for one in StoredRunReader(adapter, failed).names.values()}
        edges = StoredRunReader(adapter, failed).edges
        broken = opening_of(adapter, failed, graph_of({**names, **own}, edges))

    assert len(whole.ids) == 60 and not whole.reason
    assert len(ends.ids) == 20 and "no other node reads" in ends.reason
    assert "failed" in broken.reason or "changed" in broken.reason
    assert set(broken.focus) <= set(own) and set(broken.focus) < set(broken.ids) and len(broken.ids) <= 60
