"""Changes between graphs that are stored: the views give the same rows with them and without them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.store import changes
from recce_meta.store.changes import fill_changes
from recce_meta.store.prune import prune
from recce_meta.store.select import load_run

VIEWS = ("node_changes", "column_changes", "lineage_changes", "impacted_nodes")


@pytest.fixture
def stores_changes(store: Any) -> bool:
    """Whether the warehouse stores changes: the tables of the others stay empty."""
    return bool(store.adapter.warehouse.stores_changes)


def rows_of_views(store: Any) -> dict[str, list[str]]:
    return {view: sorted(map(str, store.rows(f"SELECT * FROM {{s}}.{view}"))) for view in VIEWS}


def counts(store: Any) -> tuple[int, int]:
    """How many pairs of graphs, and how many of their changes, are stored."""
    ((steps,),), ((rows,),) = (
        store.rows(f"SELECT COUNT(*) FROM {{s}}.{table}") for table in ("graph_steps", "graph_changes")
    )
    return int(steps), int(rows)


def forget(store: Any) -> None:
    """Leave the store as a version that stored no changes left it."""
    for table in ("graph_steps", "graph_changes"):
        quoted = store.adapter.quote_identifier(store.adapter.warehouse.folded(store.schema))
        store.adapter.execute(f"DELETE FROM {quoted}.{table} WHERE TRUE")


def test_stored_and_computed_changes_are_the_same(store: Any, scan_too: Any, stores_changes: bool) -> None:
    scan_too(store)
    stored, recorded = rows_of_views(store), counts(store)
    assert (recorded[0] > 0, recorded[1] > 0) == (stores_changes, stores_changes)
    forget(store)
    assert rows_of_views(store) == stored
    assert all(stored.values())
    assert fill_changes(store.adapter, store.schema) == recorded[0]
    assert counts(store) == recorded
    assert rows_of_views(store) == stored


def test_an_interrupted_fill_continues_where_it_stopped(
    store: Any, stores_changes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not stores_changes:
        pytest.skip("this warehouse's views compute all changes")
    recorded, expected = counts(store), rows_of_views(store)
    forget(store)
    monkeypatch.setattr(changes, "STEPS_AT_ONCE", 1)
    asked = iter((1, 0))  # as if the process had ended after the first transaction
    whole = changes.store_changes
    with monkeypatch.context() as killed:
        killed.setattr(changes, "store_changes", lambda *given: next(asked) and whole(*given))
        fill_changes(store.adapter, store.schema)
    assert counts(store)[0] == 1
    assert rows_of_views(store) == expected
    assert fill_changes(store.adapter, store.schema) == recorded[0] - 1
    assert counts(store) == recorded
    assert rows_of_views(store) == expected


def test_runs_that_repeat_a_graph_share_its_stored_changes(store: Any, stores_changes: bool) -> None:
    last = load_run(store.adapter, "base-3", schema=store.schema)
    before = load_run(store.adapter, "base-2", schema=store.schema)
    for number, project in enumerate((before, last, before, last), start=1):
        run = replace(
            project.run, run_id=f"again-{number}", run_at=last.run.run_at + timedelta(minutes=number)
        )
        store.record(replace(project, run=run))
        if number == 2:
            shared = counts(store)
    assert counts(store) == shared
    assert (shared[0] > 0) == stores_changes
    again, first = (
        store.rows(
            "SELECT unique_id, status, version_id, previous_version_id FROM {s}.node_changes"
            f" WHERE run_id = '{run_id}' ORDER BY unique_id"
        )
        for run_id in ("again-4", "base-3")
    )
    assert again == first
    assert again


def test_pruning_removes_the_changes_of_graphs_that_go(store: Any) -> None:
    prune(store.adapter, schema=store.schema, keep_last=1)
    assert counts(store) == (0, 0)
    assert store.rows("SELECT * FROM {s}.node_changes") == []
