"""Graphs of the rich store, on DuckDB and PostgreSQL: every edge is stored, and no name breaks a view."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.browse.graph import diff_graph, run_graph
from recce_meta.api.browse.graph_columns import PAGE, column_path, diff_columns, graph_columns
from recce_meta.api.browse.graph_query import GraphQuery
from recce_meta.api.diff import diff
from recce_meta.api.run_reader import StoredRunReader
from recce_meta.errors import SelectorError
from recce_meta.models.graph_view import GraphView
from recce_meta.store.read import list_runs
from recce_meta.store.select import resolve_run
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from tests.contract.server.conftest import POSTGRES_SCHEMA
from tests.contract.server.rich_store import FAILED_RUN, HOSTILE, SHOP, SPELLINGS, hostile_id
from tests.contract.server.test_graph import check, compare_paths, stored_edges

pytestmark = pytest.mark.core("duckdb")

Stored = tuple[UnifiedSqlAdapter, str]


@pytest.fixture(params=["duckdb", "postgres"])
def stored(request: pytest.FixtureRequest) -> Iterator[Stored]:
    """The rich store, open, and its schema."""
    if request.param == "duckdb":
        url, schema = request.getfixturevalue("rich_url"), DEFAULT_SCHEMA
    else:
        request.getfixturevalue("postgres_client")
        url, schema = request.getfixturevalue("postgres_url"), POSTGRES_SCHEMA
    with UnifiedSqlAdapter.from_url(url) as adapter:
        yield adapter, schema


def reader_of(stored: Stored, selector: str, project: str = SHOP) -> StoredRunReader:
    adapter, schema = stored
    return StoredRunReader(adapter.at(schema), resolve_run(adapter.at(schema), selector, project=project))


def test_every_edge_of_every_run_is_that_of_the_store(stored: Stored) -> None:
    adapter, schema = stored
    latest = {run.project_name: run for run in reversed(list_runs(adapter.at(schema)))}
    assert len(latest) == 5
    for run in latest.values():
        reader = StoredRunReader(adapter.at(schema), run)
        edges = stored_edges(reader)
        check(run_graph(reader, GraphQuery()), edges, reader)
        for unique_id in [one for one in sorted(reader.names) if not one.startswith("test.")][:3]:
            view = run_graph(reader, GraphQuery(node=unique_id, up=2))
            check(view, edges, reader)
            assert view.focus == (unique_id,)


@pytest.mark.extensive
def test_hostile_names_are_in_views_as_they_are(stored: Stored) -> None:
    reader = reader_of(stored, "run 1<i>/../%2F", HOSTILE)
    view = run_graph(reader, GraphQuery(node=hostile_id(3), expand=(f"{hostile_id(4)}:down",)))
    assert {node.id for node in view.nodes} == {hostile_id(number) for number in (2, 3, 4, 5)}
    assert all(node.owner == HOSTILE and node.path.startswith("models/") for node in view.nodes)
    assert msgspec.json.decode(msgspec.json.encode(view), type=GraphView) == view
    found = [column for page in (1, 2) for column in graph_columns(reader, hostile_id(3), page=page).columns]
    assert [column.name for column in found] == ["id", *SPELLINGS]
    (only,) = graph_columns(reader, hostile_id(3), "onERROR").columns
    assert only.name == SPELLINGS[0]
    for name in ("id", *SPELLINGS):
        path = column_path(reader, hostile_id(3), name)
        assert (path.columns[0].node, path.columns[0].column) == (hostile_id(3), name)


def test_the_diff_of_the_demo_opens_at_what_changed(stored: Stored) -> None:
    base, current = (reader_of(stored, side) for side in ("base", "current"))
    changes = diff(lambda: base.adapter, base.run, current.run)
    view = diff_graph(changes, (base, current), GraphQuery(), link=lambda one: f"/{one}")

    nodes = {node.name: node for node in view.nodes}
    assert view.nodes[0].words == "removed, breaking"
    assert (nodes["payment_mix"].status, nodes["payment_mix"].parents) == ("removed", 1)
    assert nodes["customers"].words == "modified, partial breaking"
    assert nodes["daily_revenue"].words.startswith("impacted: ")
    assert nodes["customers"].href == "/model.jaffle_shop.customers"
    assert nodes["orders"].tests == "5 tests passed"
    assert set(view.focus) == {node.id for node in view.nodes if node.status != "impacted"}
    amount = diff_columns(changes, base, current, "model.jaffle_shop.orders").columns[0]
    assert (amount.name, amount.status, amount.about) == ("amount", "modified", "other values")
    removed = diff_columns(changes, base, current, "model.jaffle_shop.payment_mix")
    assert removed.total and not removed.note
    reached = diff_columns(changes, base, current, "daily_revenue").columns
    assert [column.status for column in reached] == ["impacted", *[""] * (len(reached) - 1)]


@pytest.mark.extensive
def test_the_paths_of_the_demo_are_those_of_the_impact(stored: Stored) -> None:
    reader = reader_of(stored, "current")
    nodes = [f"model.jaffle_shop.{name}" for name in ("orders", "stg_payments")]
    assert compare_paths(reader, nodes) > 15
    path = column_path(reader, "customers", "LIFETIME_VALUE", link=lambda node, name: f"{node}/{name}")
    asked = path.columns[0]
    assert (asked.column, asked.kind, asked.side, asked.type) == (
        "lifetime_value", "aggregated", "", "DECIMAL(18,2)",
    )  # fmt: skip
    assert asked.expression.startswith("CAST(COALESCE(")
    assert {one.usage for one in path.rows} == {"filter", "join", "group"}
    cut = column_path(reader, "customers", "lifetime_value", most=3)
    assert cut.is_cut and cut.notes and len(cut.columns) <= 6
    with pytest.raises(SelectorError):
        column_path(reader, "customers", "nothing")


def test_columns_come_in_pages(stored: Stored) -> None:
    reader = reader_of(stored, "current")
    every = graph_columns(reader, "orders")
    last = graph_columns(reader, "orders", page=99)
    assert (every.total, every.pages, len(every.columns)) == (11, 2, PAGE)
    assert (last.page, len(last.columns)) == (2, 11 - PAGE)
    assert graph_columns(reader, "orders", "order").columns[0].name == "order_id"


def test_a_node_shows_its_failed_tests(stored: Stored) -> None:
    view = run_graph(reader_of(stored, FAILED_RUN), GraphQuery(node="customers"))
    (node,) = [one for one in view.nodes if one.name == "customers"]
    assert (node.tests_tone, node.tests.endswith("failed")) == ("failed", True)
