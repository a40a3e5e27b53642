"""Changes between graphs that are stored: the views give the same rows with them and without them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.store import graphs
from recce_meta.store.graphs import fill_changes
from recce_meta.store.prune import prune
from recce_meta.store.select import load_run

VIEWS = ("node_changes", "column_changes", "lineage_changes", "impacted_nodes")


@pytest.fixture
def stores_changes(own_store: Any) -> bool:
    """Whether the warehouse stores changes: the tables of the others stay empty."""
    return bool(own_store.adapter.warehouse.stores_changes)


def rows_of_views(store: Any) -> dict[str, list[str]]:
    return {view: sorted(map(str, store.rows(f"SELECT * FROM {{s}}.{view}"))) for view in VIEWS}


def counts(store: Any) -> tuple[int, int]:
    """How many pairs of graphs, and how many of their changes, are stored."""
    ((steps,),), ((rows,),) = (
        store.rows(f"SELECT COUNT(*) FROM {{s}}.store_{table}") for table in ("graph_steps", "graph_changes")
    )
    return int(steps), int(rows)


def forget(store: Any) -> None:
    """Leave the store as a version that stored no changes left it."""
    for table in ("graph_steps", "graph_changes"):
        quoted = store.adapter.quote_identifier(store.adapter.warehouse.folded(store.schema))
        store.adapter.execute(f"DELETE FROM {quoted}.store_{table} WHERE TRUE")


def test_stored_and_computed_changes_are_the_same(
    own_store: Any, scan_too: Any, stores_changes: bool
) -> None:
    scan_too(own_store)
    stored, recorded = rows_of_views(own_store), counts(own_store)
    assert (recorded[0] > 0, recorded[1] > 0) == (stores_changes, stores_changes)
    forget(own_store)
    assert rows_of_views(own_store) == stored
    assert all(stored.values())
    assert fill_changes(own_store.adapter, own_store.schema) == recorded[0]
    assert counts(own_store) == recorded
    assert rows_of_views(own_store) == stored


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
        fill_changes(own_store.adapter, own_store.schema)
    assert counts(own_store)[0] == 1
    assert rows_of_views(own_store) == expected
    assert fill_changes(own_store.adapter, own_store.schema) == recorded[0] - 1
    assert counts(own_store) == recorded
    assert rows_of_views(own_store) == expected


def test_runs_that_repeat_a_graph_share_its_stored_changes(own_store: Any, stores_changes: bool) -> None:
    last = load_run(own_store.adapter, "base-3", schema=own_store.schema)
    before = load_run(own_store.adapter, "base-2", schema=own_store.schema)
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
    prune(own_store.adapter, schema=own_store.schema, keep_last=1)
    assert counts(own_store) == (0, 0)
    assert own_store.rows("SELECT * FROM {s}.node_changes") == []
