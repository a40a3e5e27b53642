"""What the views of column lineage answer, on every backend."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from recce_meta.graph import build_lineage_graph
from recce_meta.models import NodeMetadata, Project
from recce_meta.models.lineage import (
    ColumnEdge,
    ColumnGraph,
    ColumnOutput,
    ColumnSource,
    ColumnUse,
    Kind,
    NodeColumns,
    Usage,
)
from recce_meta.sql_lineage.impact import COLUMNS, ROWS, ColumnRef, downstream, walk
from recce_meta.store.columns import column_children, columns_of
from recce_meta.store.read import run_by_id
from recce_meta.store.select import load_run
from recce_meta.store.session import open_store
from recce_meta.store.sql_files import views

NAMES = {
    "column_lineage": (
        "run_id environment node_id column_name parent_id parent_column kind expression confidence tier"
    ),
    "column_usage": "run_id environment node_id parent_id parent_column usage confidence tier",
    "column_analysis": "run_id environment node_id tier reason column_count",
    "column_impact": (
        "run_id environment node_id column_name impacted_id impacted_column reach distance confidence"
    ),
    "latest_column_impact": (
        "run_id project_name environment node_id column_name impacted_id impacted_column reach distance"
        " confidence"
    ),
}


@pytest.mark.parametrize("view", NAMES)
def test_a_view_of_columns_has_these_columns_in_this_order(store: Any, view: str) -> None:
    assert store.columns(view) == NAMES[view].split()


def test_column_lineage_shows_each_run_as_it_was_and_none_of_one_recorded_without(store: Any) -> None:
    rows = store.rows(
        "SELECT run_id, column_name, parent_column, kind, expression, confidence, tier"
        " FROM {s}.column_lineage WHERE node_id = 'model.shop.report' ORDER BY run_id, column_name"
    )
    one = ("one", None, "constant", "1", None, "silver")
    total = ("total", "amount", "aggregated", "SUM(amount)", 0.9, "silver")
    assert rows == [
        ("base-1", *one),
        ("base-1", *total),
        ("base-2", *one),
        ("base-2", *total),
        ("base-3", "total", "AMOUNT", *total[2:]),
    ]
    assert store.rows("SELECT run_id FROM {s}.runs WHERE column_graph_id IS NULL") == [("current-1",)]


def test_column_usage_shows_what_decides_over_rows(store: Any) -> None:
    rows = store.rows(
        "SELECT environment, node_id, parent_id, parent_column, usage, confidence"
        " FROM {s}.column_usage WHERE run_id = 'base-3' AND usage <> 'referenced' ORDER BY node_id"
    )
    assert rows == [
        ("base", "model.shop.report", "model.shop.orders", "id", "group", 0.9),
        ("base", "model.shop.stg_orders", "source.shop.raw.orders", "amount", "filter", 1.0),
        ("base", "test.shop.long_broken", "model.shop.stg_orders", "amount", "filter", 1.0),
        ("base", "test.shop.unique_orders", "model.shop.orders", "id", "filter", 1.0),
    ]


def test_column_usage_has_the_columns_that_a_node_fails_without(store: Any) -> None:
    rows = store.rows(
        "SELECT node_id, parent_id, parent_column, confidence"
        " FROM {s}.column_usage WHERE run_id = 'base-3' AND usage = 'referenced'"
    )
    assert sorted(rows) == [
        ("model.shop.orders", "model.shop.stg_orders", "amount", 1.0),
        ("model.shop.report", "model.shop.orders", "AMOUNT", 0.9),
        ("model.shop.report", "model.shop.orders", "id", 0.9),
        ("model.shop.stg_orders", "source.shop.raw.orders", "amount", 1.0),
        ("model.shop.stg_orders", "source.shop.raw.orders", "code", 0.9),
    ]


def test_column_analysis_counts_columns_and_says_why_there_are_none(store: Any) -> None:
    rows = store.rows(
        "SELECT node_id, tier, reason, column_count FROM {s}.column_analysis WHERE run_id = 'base-1'"
    )
    assert sorted(rows) == [
        ("model.shop.legacy", "gold", "the SQL cannot be parsed", 0),
        ("model.shop.orders", "gold", None, 3),
        ("model.shop.report", "silver", None, 2),
        ("model.shop.stg_orders", "gold", None, 3),
        ("source.shop.raw.orders", "gold", None, 3),
        ("test.shop.long_broken", "gold", None, 0),
        ("test.shop.unique_orders", "gold", None, 0),
    ]


@pytest.mark.parametrize("run_id", ["base-1", "base-3"])
def test_column_impact_is_what_a_walk_over_the_same_run_finds(store: Any, run_id: str) -> None:
    assert seen(store, run_id) == walked(store, run_id)
    assert len(seen(store, run_id)) > 40


def test_latest_column_impact_is_the_column_impact_of_each_latest_run(store: Any) -> None:
    named = NAMES["column_impact"].replace(" ", ", ")
    latest = store.rows(f"SELECT {named} FROM {{s}}.latest_column_impact")
    runs = store.rows("SELECT run_id FROM {s}.latest_runs")
    expected = [
        row
        for (run_id,) in runs
        for row in store.rows(f"SELECT {named} FROM {{s}}.column_impact WHERE run_id = '{run_id}'")
    ]
    assert Counter(map(repr, latest)) == Counter(map(repr, expected))
    assert len(latest) > 40


def test_both_views_of_column_impact_have_one_text_on_duckdb() -> None:
    texts = {file.name: file.text.partition("CREATE OR REPLACE VIEW ")[2] for file in views("duckdb")}
    whole = texts["column_impact"].replace("column_impact AS", "latest_column_impact AS", 1)
    whole = whole.replace("  run.run_id,\n", "  run.run_id,\n  run.project_name,\n", 1)
    assert texts["latest_column_impact"] == whole.replace("store_runs AS run", "latest_runs AS run", 1)


def test_column_impact_ends_in_cycles_and_starts_in_ephemeral_models(
    empty_store: Any, make_run: Callable[..., Project], make_model: Callable[..., NodeMetadata]
) -> None:
    nodes = [
        make_model("a"),
        make_model("inlined", "a", materialized="ephemeral"),
        make_model("b", "a", "inlined", "c"),
        make_model("c", "b"),
        make_model("growing", "c"),
        make_model("opaque", "growing"),
        make_model("last", "opaque"),
    ]
    a, b, c, growing = (f"model.shop.{name}" for name in ("a", "b", "c", "growing"))
    columns = {
        a: node(x=[]),
        "model.shop.inlined": node(x=[ColumnSource(a, "x")]),
        b: node(
            x=[ColumnSource(a, "x", 0.5), ColumnSource(c, "y", 0.8)], uses=[ColumnUse(Usage.JOIN, a, "x")]
        ),
        c: node(y=[ColumnSource(b, "x", 0.9)]),
        growing: node(
            y=[ColumnSource(c, "y"), ColumnSource(growing, "y")],
            z=[ColumnSource(growing, "y", 0.7)],
            uses=[ColumnUse(Usage.FILTER, growing, "z")],
        ),
        "model.shop.opaque": NodeColumns(reason="a Python model"),
        "model.shop.last": node(q=[ColumnSource("model.shop.opaque", "*", 0.5)]),
    }
    graph = ColumnGraph(
        lineage_ids={unique_id: unique_id for unique_id in columns},
        analyses=columns,
    )
    empty_store.record(make_run("only", timedelta(), "sha", nodes), lambda known: graph)

    rows = seen(empty_store, "only")

    assert rows == walked(empty_store, "only")
    assert {row[1:] for row in rows if row[0] == ("model.shop.inlined", "x")} == {
        (("model.shop.b", None), "unknown", 1, 0.5),
        (("model.shop.c", None), "unknown", 2, 0.5),
        (("model.shop.growing", None), "unknown", 3, 0.5),
        (("model.shop.opaque", None), "unknown", 4, 0.5),
        (("model.shop.last", None), "unknown", 5, 0.5),
    }


@pytest.mark.beyond_emulators
def test_column_impact_follows_a_field_with_its_struct(
    empty_store: Any, make_run: Callable[..., Project], make_model: Callable[..., NodeMetadata]
) -> None:
    a, b = "model.shop.a", "model.shop.b"
    struct = NodeColumns(outputs=tuple(ColumnOutput(name, Kind.SOURCE) for name in ("st", "st.x", "s")))
    columns = {a: struct, b: node(y=[ColumnSource(a, "st")], z=[ColumnSource(a, "s")])}
    graph = ColumnGraph(lineage_ids={one: one for one in columns}, analyses=columns)
    nodes = [make_model("a"), make_model("b", "a")]
    empty_store.record(make_run("fields", timedelta(), "sha", nodes), lambda known: graph)

    rows = seen(empty_store, "fields")

    assert {row[1:] for row in rows if row[0] == (a, "st.x")} == {((b, "y"), "columns", 1, 1.0)}
    assert rows == walked(empty_store, "fields")


@pytest.mark.beyond_emulators
@pytest.mark.cases(2)
@pytest.mark.parametrize("seed", range(3))
def test_column_impact_of_random_projects_is_what_a_walk_finds(
    empty_store: Any, make_run: Callable[..., Project], make_model: Callable[..., NodeMetadata], seed: int
) -> None:
    nodes, columns = random_project(make_model, Random(seed))
    graph = ColumnGraph(lineage_ids={one: one for one in columns}, analyses=columns)
    empty_store.record(make_run("only", timedelta(), "sha", nodes), lambda known: graph)

    rows = seen(empty_store, "only")

    assert rows == walked(empty_store, "only")
    assert len(rows) > 20
    start = min(row[0] for row in rows if row[0][1])
    one = f"run_id = 'only' AND node_id = '{start[0]}' AND column_name = '{start[1]}'"
    found = empty_store.rows(f"SELECT * FROM {{s}}.column_impact WHERE {one}")
    assert {(row[4], row[5], *row[6:]) for row in found} == {
        (*row[1], *row[2:]) for row in rows if row[0] == start
    }


def random_project(
    make_model: Callable[..., NodeMetadata], chance: Random
) -> tuple[list[NodeMetadata], dict[str, NodeColumns]]:
    """Models that read each other in circles too, with stars, structs, filters, and nodes without columns."""
    names = [f"m{i}" for i in range(7)]
    ids = [f"model.shop.{name}" for name in names]
    fields = ("a", "a.b", "rows", "A", ".b", "*")
    nodes, columns = [], {}
    for name, unique_id in zip(names, ids, strict=True):
        parents = chance.sample([other for other in names if other != name], chance.randint(0, 3))
        kind = chance.choice(("view", "view", "ephemeral"))
        nodes.append(make_model(name, *parents, materialized=kind))
        read = [
            ColumnSource(f"model.shop.{parent}", chance.choice(fields), chance.choice((0.4, 0.7, 1.0)))
            for parent in parents
            for _ in range(2)
        ]
        outputs = {field: chance.sample(read, min(len(read), 2)) for field in chance.sample(fields, 3)}
        uses = [ColumnUse(Usage.FILTER, one.parent, one.column, one.confidence) for one in read[:1]]
        is_known = chance.random() < 0.8
        columns[unique_id] = node(uses=uses, **outputs) if is_known else NodeColumns(reason="a Python model")
    return nodes, columns


def node(uses: Any = (), **outputs: Any) -> NodeColumns:
    made = (ColumnOutput(name, Kind.DERIVED, "…", tuple(sources)) for name, sources in outputs.items())
    return NodeColumns(outputs=tuple(made), uses=tuple(uses))


def seen(store: Any, run_id: str) -> set[Any]:
    """The rows of the view: start, end, reach, distance and confidence."""
    rows = store.rows(f"SELECT * FROM {{s}}.column_impact WHERE run_id = '{run_id}'")
    return {((row[2], row[3]), (row[4], row[5]), *row[6:]) for row in rows}


def walked(store: Any, run_id: str) -> set[Any]:
    """The same, found by `recce-meta impact`'s own walk from each place that anything is read from."""
    nodes = load_run(store.adapter.at(store.schema), run_id).nodes
    graph = build_lineage_graph(nodes)
    ephemeral = {node.unique_id for node in nodes if node.materialized == "ephemeral"}
    with open_store(store.adapter.at(store.schema)) as session:
        run = run_by_id(session, run_id)
        assert run is not None
        columns = columns_of(session, run)
        ids = [node.unique_id for node in nodes] + ["model.shop.legacy"]
        edges: list[ColumnEdge] = column_children(session, run, ids)
    known = {unique_id for unique_id, found in columns.items() if found.reason is None}
    starts = {(unique_id, name) for unique_id, found in columns.items() for name in found.names}
    untraced = ephemeral - {edge.parent_id for edge in edges}
    starts |= {(edge.parent_id, edge.parent_column) for edge in edges}
    found = set()
    for unique_id, name in {*starts, *((node.unique_id, None) for node in nodes)}:
        steps = downstream(edges, graph, known, untraced & {unique_id})
        start = ColumnRef(unique_id, ROWS if name is None else COLUMNS, name)
        reached = walk([start], steps)
        for place, distance in reached.distances.items():
            if distance:
                confidence = reached.confidences[place]
                found.add(
                    ((unique_id, name), (place.unique_id, place.column), place.reach, distance, confidence)
                )
    return found
