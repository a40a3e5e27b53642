"""Search for nodes and columns by name: order, words, characters that are no wildcards, and limits."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from recce_meta.api.browse.search import SearchIndex, SearchResult, search
from recce_meta.models import RunMetadata

RUN = RunMetadata(
    run_id="r1",
    run_at=datetime(2026, 11, 1, tzinfo=timezone.utc),
    project_name="shop",
    environment="prod",
    extractor="dbt",
    graph_id="g1",
)
ROWS = [
    (
        "model.shop.orders",
        "orders",
        "model",
        None,
        '[{"name": "id"}, {"name": "Status"}, {"name": "50%_off"}]',
    ),
    ("model.shop.stg_orders", "stg_orders", "model", None, '[{"name": "order_status"}, {"name": "id"}]'),
    ("model.shop.reorders", "reorders", "model", "2", '[{"name": "statusless"}, {"name": "a\\"b"}]'),
    ("model.shop.orders_daily", "orders_daily", "model", None, "[]"),
    ("test.shop.orders_unique", "orders_unique", "test", None, "[]"),
    ("relation.raw.we<b>ird", "we<b>ird", "table", None, '[{"name": "Ünïcode"}]'),
]


def find(text: str, **options: Any) -> SearchResult:
    """Search the rows."""
    index = SearchIndex()
    index.add(ROWS)
    options = {"kinds": ("node", "column"), **options}
    return search(None, text, runs=[RUN], index_of=lambda run: index, **options)  # type: ignore[arg-type]


def names(text: str, **options: Any) -> list[str]:
    """Return the hits as `node` or `node.column`."""
    return [hit.name + (f".{hit.column}" if hit.column else "") for hit in find(text, **options).hits]


def test_exact_matches_are_first_then_prefixes_then_words_then_the_rest() -> None:
    assert names("orders", kinds=["node"]) == [
        "orders", "orders_daily", "orders_unique", "stg_orders", "reorders.v2",
    ]  # fmt: skip


def test_nodes_are_before_columns() -> None:
    assert names("STATUS") == ["orders.Status", "reorders.v2.statusless", "stg_orders.order_status"]
    assert names("id") == ["orders.id", "stg_orders.id"]
    assert names("order")[-2:] == ["reorders.v2", "stg_orders.order_status"]


@pytest.mark.parametrize("text", ["orders.status", "status orders", "  Orders   STATUS "])
def test_words_may_be_in_the_node_and_in_the_column(text: str) -> None:
    assert names(text)[0] == "orders.Status"
    assert set(names(text)) == {"orders.Status", "stg_orders.order_status", "reorders.v2.statusless"}


def test_a_unique_id_finds_its_node() -> None:
    assert names("model.shop.orders", kinds=["node"])[0] == "orders"
    assert names("relation.raw.we<b>ird") == ["raw.we<b>ird"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("%", ["orders.50%_off"]), ('"', ['reorders.v2.a"b']), ("ünïcode", None), ("\\", [])],
)
def test_no_character_is_a_wildcard(text: str, expected: list[str] | None) -> None:
    assert names(text) == (["raw.we<b>ird.Ünïcode"] if expected is None else expected)


def test_more_matches_than_the_limit_are_counted_and_cut() -> None:
    found = find("orders", kinds=["node"], limit=2)
    assert [hit.name for hit in found.hits] == ["orders", "orders_daily"]
    assert found.truncated and found.nodes == 5 and found.columns == 0


@pytest.mark.parametrize("text", ["", "   ", "...", "absent"])
def test_nothing_is_found_for_no_words_and_for_unknown_ones(text: str) -> None:
    found = find(text)
    assert (found.hits, found.truncated, found.nodes, found.columns) == ((), False, 0, 0)


def test_a_result_is_a_table_of_its_hits() -> None:
    assert [row["column"] for row in find("id", kinds=["column"]).to_dicts()] == ["id", "id"]
