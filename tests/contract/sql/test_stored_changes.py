"""Stored changes between graphs, and their impacts: the views give the same rows with and without them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.models import NodeMetadata, Project
from recce_meta.store import graphs
from recce_meta.store.graphs import fill_changes
from recce_meta.store.prune import Retention, prune, remove_runs
from recce_meta.store.select import load_run

VIEWS = ("node_changes", "column_changes", "lineage_changes", "impacted_nodes")


@pytest.fixture
def stores_changes(own_store: Any) -> bool:
    """Whether the warehouse stores changes: the tables of the others stay empty."""
    return bool(own_store.adapter.warehouse.stores_changes)


def rows_of_views(store: Any) -> dict[str, list[str]]:
    return {view: sorted(map(str, store.rows(f"SELECT * FROM {{s}}.{view}"))) for view in VIEWS}


TABLES = ("graph_steps", "graph_changes", "graph_impacts")


def counts(store: Any) -> tuple[int, int, int]:
    """How many pairs of graphs, and how many of their changes and impacts, are stored."""
    steps, rows, impacts = (
        int(store.rows(f"SELECT COUNT(*) FROM {{s}}.store_{table}")[0][0]) for table in TABLES
    )
    return steps, rows, impacts


def forget(store: Any) -> None:
    """Leave the store as a version that stored no changes left it."""
    for table in TABLES:
        change(store, f"DELETE FROM {{s}}.store_{table} WHERE TRUE")


def change(store: Any, statement: str) -> None:
    quoted = store.adapter.quote_identifier(store.adapter.warehouse.folded(store.schema))
    store.adapter.execute(statement.format(s=quoted))


def test_stored_and_computed_changes_are_the_same(
    own_store: Any, scan_too: Any, stores_changes: bool
) -> None:
    scan_too(own_store)
    stored, recorded = rows_of_views(own_store), counts(own_store)
    assert all(recorded) == any(recorded) == stores_changes
    forget(own_store)
    assert rows_of_views(own_store) == stored
    assert all(stored.values())
    assert fill_changes(own_store.adapter.at(own_store.schema)) == recorded[0]
    assert counts(own_store) == recorded
    assert rows_of_views(own_store) == stored


def test_impacts_are_the_same_stored_computed_and_where_they_are_too_many(
    empty_store: Any,
    make_run: Callable[..., Project],
    make_model: Callable[..., NodeMetadata],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not empty_store.adapter.warehouse.stores_changes:
        pytest.skip("this warehouse's views compute all impacts")
    whole = {"a": (), "b": "a", "c": "b", "d": "c a", "e": "d", "f": ()}
    histories: list[tuple[dict[str, Any], str, dict[str, str]]] = [
        (whole, "", {}),
        (whole, "a c", {}),  # edits
        ({**whole, "e": "f", "b": "a d"}, "a e", {}),  # rewired, into a cycle
        ({"d": "c a", "e": "d"}, "", {}),  # removed, with readers that stay and that go
        (whole, "", {}),  # restored
        (whole, "", {"schema_name": "new"}),  # moved
        ({"f": ()}, "", {}),  # removed in a chain that is longer than what stays
    ]
    for number, (graph, edited, place) in enumerate(histories):
        nodes = [
            make_model(
                name, *"".join(parents).split(), code_hash=str(number) if name in edited else "", **place
            )
            for name, parents in graph.items()
        ]
        empty_store.record(make_run(f"run-{number}", timedelta(days=9 - number), "sha", nodes))

    def impacts() -> list[str]:
        return sorted(map(str, empty_store.rows("SELECT * FROM {s}.impacted_nodes")))

    stored = impacts()
    reached = empty_store.rows(
        "SELECT changed_id, unique_id, distance FROM {s}.impacted_nodes WHERE run_id = 'run-6'"
    )
    assert {*reached} >= {
        ("model.shop.a", "model.shop.b", 1),
        ("model.shop.a", "model.shop.c", 2),
        ("model.shop.a", "model.shop.e", 2),
        ("model.shop.b", "model.shop.e", 3),
    }
    assert len({row.split(",")[0] for row in stored}) == 5
    change(empty_store, "UPDATE {s}.store_graph_steps SET impacts_id = NULL WHERE TRUE")
    change(empty_store, "DELETE FROM {s}.store_graph_impacts WHERE TRUE")
    assert impacts() == stored
    with monkeypatch.context() as limited:
        limited.setattr(graphs, "MOST_IMPACTS", 5)
        fill_changes(empty_store.adapter.at(empty_store.schema))
    of_steps = empty_store.rows("SELECT impacts_id FROM {s}.store_graph_steps")
    assert {bool(impacts_id) for (impacts_id,) in of_steps} == {True, False}
    assert fill_changes(empty_store.adapter.at(empty_store.schema)) == 0
    assert impacts() == stored
    remove_runs(
        empty_store.adapter.at(empty_store.schema), lambda run: run.run_id == "run-3", environment="base"
    )
    assert len({row.split(",")[0] for row in impacts()}) == 4
    assert fill_changes(empty_store.adapter.at(empty_store.schema)) == 0


def test_an_interrupted_fill_continues_where_it_stopped(
    own_store: Any, stores_changes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not stores_changes:
        pytest.skip("this warehouse's views compute all changes")
    recorded, expected = counts(own_store), rows_of_views(own_store)
    forget(own_store)
    monkeypatch.setattr(graphs, "STEPS_AT_ONCE", 1)
    asked = iter((1, 0))  # as if the process had ended after the first transaction
    whole = graphs.store_changes
    with monkeypatch.context() as killed:
        killed.setattr(graphs, "store_changes", lambda *given: next(asked) and whole(*given))
        fill_changes(own_store.adapter.at(own_store.schema))
    assert counts(own_store)[0] == 1
    assert rows_of_views(own_store) == expected
    assert fill_changes(own_store.adapter.at(own_store.schema)) == recorded[0] - 1
    assert counts(own_store) == recorded
    assert rows_of_views(own_store) == expected


def test_runs_that_repeat_a_graph_share_its_stored_changes(own_store: Any, stores_changes: bool) -> None:
    last = load_run(own_store.adapter.at(own_store.schema), "base-3")
    before = load_run(own_store.adapter.at(own_store.schema), "base-2")
    for number, project in enumerate((before, last, before, last), start=1):
        run = replace(
            project.run, run_id=f"again-{number}", run_at=last.run.run_at + timedelta(minutes=number)
        )
        own_store.record(replace(project, run=run))
        if number == 2:
            shared = counts(own_store)
    assert counts(own_store) == shared
    assert (shared[0] > 0) == stores_changes
    again, first = (
        own_store.rows(
            "SELECT unique_id, status, version_id, previous_version_id FROM {s}.node_changes"
            f" WHERE run_id = '{run_id}' ORDER BY unique_id"
        )
        for run_id in ("again-4", "base-3")
    )
    assert again == first
    assert again


def test_pruning_removes_the_changes_of_graphs_that_go(own_store: Any) -> None:
    prune(own_store.adapter.at(own_store.schema), Retention(keep_last=1))
    assert counts(own_store) == (0, 0, 0)
    assert own_store.rows("SELECT * FROM {s}.node_changes") == []
