"""Following a change from column to column: how far, by which way, and how surely."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recce_meta.graph import LineageGraph, build_lineage_graph
from recce_meta.models import LineageEdge
from recce_meta.models.lineage import ColumnEdge, Direction, ImpactView, Stop
from recce_meta.sql_lineage.impact import (
    COLUMNS,
    ROWS,
    UNKNOWN,
    ColumnRef,
    Walk,
    downstream,
    impact_view,
    shortest_paths,
    upstream,
    walk,
)


def value(node: str, column: str, parent: str, parent_column: str, sure: float = 1.0) -> ColumnEdge:
    return ColumnEdge(node, column, parent, parent_column, "derived", sure)


def use(node: str, parent: str, column: str, usage: str = "filter", sure: float = 1.0) -> ColumnEdge:
    return ColumnEdge(node, None, parent, column, usage, sure)


def graph_of(edges: Iterable[ColumnEdge], *others: tuple[str, str]) -> LineageGraph:
    pairs = {(edge.node_id, edge.parent_id) for edge in edges} | set(others)
    return build_lineage_graph([], [LineageEdge(child, parent) for child, parent in pairs])


def column(node: str, name: str) -> ColumnRef:
    return ColumnRef(node, COLUMNS, name)


def rows(node: str) -> ColumnRef:
    return ColumnRef(node, ROWS)


SHOP = [
    value("stg", "id", "raw", "id"),
    value("stg", "amount", "raw", "cents"),
    value("orders", "amount", "stg", "amount", 0.9),
    value("customers", "total", "orders", "amount"),
    use("customers", "orders", "id", "group"),
    value("orders", "id", "stg", "id"),
    use("test", "customers", "total"),
]
NODES = frozenset({"raw", "stg", "orders", "customers", "test"})


def changed(*starts: ColumnRef, edges: list[ColumnEdge] = SHOP, depth: int | None = None) -> Walk:
    return walk(starts, downstream(edges, graph_of(edges), NODES), depth)


def test_a_field_that_is_listed_as_a_column_goes_where_its_struct_goes() -> None:
    edges = [
        value("stg", "city", "raw", "address"),
        use("stg", "raw", "home"),
        value("stg", "x", "raw", "addr"),
    ]

    found = changed(column("raw", "address.city.name"), edges=edges)

    assert set(found.distances) == {column("raw", "address.city.name"), column("stg", "city")}
    assert column("stg", "city") not in changed(column("raw", "addr.x"), edges=edges).distances


def test_a_change_goes_into_the_columns_made_from_it_and_no_others() -> None:
    found = changed(column("raw", "cents"))
    assert found.distances == {
        column("raw", "cents"): 0,
        column("stg", "amount"): 1,
        column("orders", "amount"): 2,
        column("customers", "total"): 3,
        rows("test"): 4,
    }
    assert found.confidences[column("stg", "amount")] == 1.0
    assert found.confidences[rows("test")] == 0.9


def test_a_column_that_decides_over_rows_reaches_all_that_reads_the_node() -> None:
    found = changed(column("stg", "id"))
    assert found.distances == {
        column("stg", "id"): 0,
        column("orders", "id"): 1,
        rows("customers"): 2,
        rows("test"): 3,
    }


def test_depth_counts_steps() -> None:
    assert set(changed(column("raw", "cents"), depth=1).distances) == {
        column("raw", "cents"),
        column("stg", "amount"),
    }


def test_a_reader_whose_columns_are_not_known_is_reached_as_unknown_with_all_that_reads_it() -> None:
    edges = [value("stg", "a", "raw", "a"), value("after", "x", "python", "x")]
    graph = graph_of(edges, ("python", "stg"))
    found = walk([column("raw", "a")], downstream(edges, graph, {"raw", "stg", "after"}))
    assert found.distances == {
        column("raw", "a"): 0,
        column("stg", "a"): 1,
        ColumnRef("python", UNKNOWN): 2,
        ColumnRef("after", UNKNOWN): 3,
    }
    assert found.confidences[ColumnRef("after", UNKNOWN)] == 0.5


def test_rows_reach_every_reader_surely_whether_its_columns_are_known_or_not() -> None:
    graph = graph_of([], ("python", "raw"), ("after", "python"))
    found = walk([rows("raw")], downstream([], graph, {"raw"}))
    assert found.distances == {rows("raw"): 0, rows("python"): 1, rows("after"): 2}
    assert set(found.confidences.values()) == {1.0}


def test_readers_of_an_inlined_model_are_unknown_only_where_the_change_begins_there() -> None:
    edges = [value("inlined", "a", "raw", "a"), value("reader", "a", "raw", "a")]
    graph = graph_of(edges, ("reader", "inlined"))
    known = {"raw", "inlined", "reader"}
    begins_there = walk([column("inlined", "a")], downstream(edges, graph, known, {"inlined"}))
    assert set(begins_there.distances) == {column("inlined", "a"), ColumnRef("reader", UNKNOWN)}
    passes = walk([column("raw", "a")], downstream(edges, graph, known))
    assert set(passes.distances) == {column("raw", "a"), column("inlined", "a"), column("reader", "a")}


def test_a_star_over_unknown_columns_carries_each_under_its_own_name() -> None:
    edges = [
        value("stg", "*", "raw", "*"),
        value("orders", "a", "stg", "a"),
        value("orders", "b", "stg", "b"),
    ]
    found = walk([column("raw", "a")], downstream(edges, graph_of(edges), {"raw", "stg", "orders"}))
    assert set(found.distances) == {column("raw", "a"), column("stg", "a"), column("orders", "a")}
    back = walk([column("orders", "b")], upstream(edges, graph_of(edges), {"raw", "stg", "orders"}))
    assert column("raw", "b") in back.distances and column("raw", "a") not in back.distances


def test_the_surest_way_decides_over_the_confidence_and_the_shortest_over_the_distance() -> None:
    edges = [
        value("end", "a", "raw", "a", 0.5),
        value("mid", "a", "raw", "a", 0.9),
        value("end", "a", "mid", "a", 1.0),
    ]
    found = walk([column("raw", "a")], downstream(edges, graph_of(edges), {"raw", "mid", "end"}))
    assert found.distances[column("end", "a")] == 1
    assert shortest_paths(found)[column("end", "a")] == (column("raw", "a"), column("end", "a"))
    assert found.confidences[column("end", "a")] == 0.9


def test_of_two_columns_of_a_node_that_are_as_near_the_first_by_name_is_on_the_way() -> None:
    edges = [value("b", "y", "a", "x"), value("b", "x", "a", "x")]
    told = answer(edges, "a", "x")
    assert told == answer(edges[::-1], "a", "x")
    assert [node.path[-1].column for node in told.nodes] == ["x", "x"]


def test_cycles_end() -> None:
    edges = [value("a", "x", "b", "x"), value("b", "x", "a", "x", 0.9), use("a", "a", "x")]
    found = walk([column("a", "x")], downstream(edges, graph_of(edges), {"a", "b"}))
    assert found.distances == {column("a", "x"): 0, column("b", "x"): 1, rows("a"): 1, rows("b"): 2}
    assert found.confidences[column("a", "x")] == 1.0


def test_upstream_tells_what_a_column_is_made_of_from_what_decides_over_its_rows() -> None:
    found = walk([column("customers", "total")], upstream(SHOP, graph_of(SHOP), NODES))
    assert found.distances == {
        column("customers", "total"): 0,
        rows("customers"): 0,
        column("orders", "amount"): 1,
        ColumnRef("orders", ROWS, "id"): 1,
        rows("orders"): 1,
        column("stg", "amount"): 2,
        ColumnRef("stg", ROWS, "id"): 2,
        rows("stg"): 2,
        column("raw", "cents"): 3,
        ColumnRef("raw", ROWS, "id"): 3,
        rows("raw"): 3,
    }
    assert shortest_paths(found)[column("raw", "cents")] == (
        column("customers", "total"),
        column("orders", "amount"),
        column("stg", "amount"),
        column("raw", "cents"),
    )


names = st.sampled_from("abcdef")
columns = st.sampled_from("xyz")
column_edges = st.lists(
    st.builds(
        ColumnEdge,
        names,
        st.one_of(columns, st.none()),
        names,
        columns,
        st.just("derived"),
        st.sampled_from([1.0, 0.9, 0.5]),
    ),
    max_size=14,
)


@given(column_edges, names, columns)
@settings(max_examples=60)
def test_upstream_of_a_column_are_those_whose_change_reaches_it(
    edges: list[ColumnEdge], node: str, name: str
) -> None:
    graph, known = graph_of(edges), frozenset("abcdef")
    back = walk([column(node, name)], upstream(edges, graph, known))
    made_of = {(p.unique_id, p.column) for p in back.distances if p.column is not None}
    steps = downstream(edges, graph, known)
    for other in known:
        for its_column in "xyz":
            reached = walk([column(other, its_column)], steps).distances
            touches = column(node, name) in reached or rows(node) in reached
            assert touches == ((other, its_column) in made_of)


@given(column_edges, names, columns, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_distances_and_confidences_are_those_of_all_ways_tried_one_by_one(
    edges: list[ColumnEdge], node: str, name: str, chance: random.Random
) -> None:
    start, graph = column(node, name), graph_of(edges)
    found = walk([start], downstream(edges, graph, frozenset("abcdef")))
    distances, surest = {start: 0}, {start: 1.0}
    for _ in range(len(edges) * 4 + 1):  # Bellman and Ford: as often as there are steps on any way
        for step in found.steps:
            further = distances.get(step.origin, 10**6) + 1
            distances[step.target] = min(further, distances.get(step.target, 10**6))
            sure = min(surest.get(step.origin, 0.0), step.confidence)
            surest[step.target] = max(sure, surest.get(step.target, 0.0))
    assert found.distances == distances
    assert found.confidences == surest
    shuffled = chance.sample(edges, len(edges))
    assert answer(shuffled, node, name) == answer(edges, node, name)


def answer(edges: list[ColumnEdge], node: str, name: str) -> ImpactView:
    """All that is told of a column, in both directions."""
    graph, known, starts = graph_of(edges), frozenset("abcde"), [column(node, name)]
    walks = {
        Direction.UPSTREAM: walk(starts, upstream(edges, graph, known)),
        Direction.DOWNSTREAM: walk(starts, downstream(edges, graph, known)),
    }
    return impact_view(Stop(node, name), Direction.BOTH, walks, {})


@pytest.mark.parametrize("length", [3_000])
def test_long_chains_are_no_recursion(length: int) -> None:
    edges = [value(f"n{i + 1}", "x", f"n{i}", "x") for i in range(length)]
    found = walk([column("n0", "x")], downstream(edges, graph_of(edges), {e.node_id for e in edges} | {"n0"}))
    assert len(shortest_paths(found)[column(f"n{length}", "x")]) == length + 1
