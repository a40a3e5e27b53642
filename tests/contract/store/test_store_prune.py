"""Retention."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from recce_meta.errors import UsageError
from recce_meta.store.prune import prune
from recce_meta.store.read import list_runs
from recce_meta.store.select import load_run
from recce_meta.store.write import record_run

NOW = datetime(2026, 12, 1, tzinfo=timezone.utc)


@pytest.fixture
def history(store, make_project):
    """Six runs of `base`, ten days apart, each with a change of its own, and one old run of `current`."""
    for number in range(6):
        run_at = NOW - timedelta(days=10 * (5 - number))
        project = make_project(f"b{number}", environment="base", run_at=run_at, changed=(f"m00{number}",))
        record_run(store.adapter, project, schema=store.schema)
    project = make_project("c0", run_at=NOW - timedelta(days=90))
    record_run(store.adapter, project, schema=store.schema)
    return store


def ids(store):
    return sorted(run.run_id for run in list_runs(store.adapter, schema=store.schema))


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({"keep_last": 2}, ["b4", "b5", "c0"]),
        ({"older_than": timedelta(days=25)}, ["b3", "b4", "b5", "c0"]),
        ({"keep_last": 4, "older_than": timedelta(days=5)}, ["b2", "b3", "b4", "b5", "c0"]),
        ({"keep_last": 1, "older_than": timedelta(days=35)}, ["b2", "b3", "b4", "b5", "c0"]),
        ({"keep_last": 0, "environment": "current"}, ["b0", "b1", "b2", "b3", "b4", "b5"]),
        ({"keep_last": 0, "older_than": timedelta(days=45)}, ["b1", "b2", "b3", "b4", "b5"]),
        ({"keep_last": 1, "project": "bakery"}, ["b0", "b1", "b2", "b3", "b4", "b5", "c0"]),
    ],
)
def test_what_is_old_and_beyond_the_last_goes(history, options, left):
    before = ids(history)
    result = prune(history.adapter, schema=history.schema, now=NOW, **options)

    assert ids(history) == left
    assert sorted(run.run_id for run in result.runs) == sorted(set(before) - set(left))


def test_what_is_left_can_be_read_and_nothing_else_is_stored(history, make_project, store):
    prune(history.adapter, keep_last=1, schema=history.schema)

    assert (
        load_run(history.adapter, "b5", schema=history.schema).nodes == make_project(changed=("m005",)).nodes
    )
    assert load_run(history.adapter, "c0", schema=history.schema).nodes == make_project().nodes
    counts = history.counts()
    assert (counts["runs"], counts["run_results"], counts["macros"]) == (2, 2, 1)
    assert counts["node_versions"] == 12 + 1 + 1, "twelve models, one changed, one group"


def test_nothing_is_left_of_a_store_pruned_empty_and_it_can_be_recorded_in_again(history, make_project):
    result = prune(history.adapter, keep_last=0, schema=history.schema)

    assert set(history.counts().values()) == {0}
    assert result.rows["runs"] == 7 and result.rows["node_versions"] == 12 + 6 + 1
    assert record_run(history.adapter, make_project("b0"), schema=history.schema).written
    assert load_run(history.adapter, "b0", schema=history.schema).nodes == make_project().nodes


def test_a_dry_run_removes_nothing(history):
    before = history.counts()

    result = prune(history.adapter, keep_last=1, dry_run=True, schema=history.schema)

    assert [run.run_id for run in result.runs] == ["b4", "b3", "b2", "b1", "b0"]
    assert result.dry_run and history.counts() == before


@pytest.mark.parametrize("options", [{}, {"keep_last": -1}])
def test_prune_wants_to_be_told_what_to_keep(store, options):
    with pytest.raises(UsageError, match="--keep-last"):
        prune(store.adapter, schema=store.schema, **options)
