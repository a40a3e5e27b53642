"""Retention."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from recce_meta.errors import StoreError, UsageError
from recce_meta.store import prune as pruning
from recce_meta.store.export import read_export, write_export
from recce_meta.store.prune import (
    TOMBSTONE_AGE,
    Retention,
    Tombstone,
    apply_tombstones,
    find_tombstones,
    prune,
    remove_runs,
)
from recce_meta.store.read import list_runs, run_by_id
from recce_meta.store.select import load_run
from recce_meta.store.session import open_store
from recce_meta.store.write import record_run

pytestmark = pytest.mark.core("sqlite")

NOW = datetime(2026, 12, 1, tzinfo=timezone.utc)


@pytest.fixture
def history(recorded_store, make_project):
    """Six runs of `base`, ten days apart, each with a change of its own, and one old run of `current`."""
    projects = [
        make_project(
            f"b{number}",
            environment="base",
            run_at=NOW - timedelta(days=10 * (5 - number)),
            changed=(f"m00{number}",),
        )
        for number in range(6)
    ]
    return recorded_store("history", [*projects, make_project("c0", run_at=NOW - timedelta(days=90))])


def ids(store):
    return sorted(run.run_id for run in list_runs(store.adapter.at(store.schema)))


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
    result = prune(history.adapter.at(history.schema), Retention(**options), now=NOW)

    assert ids(history) == left
    assert sorted(run.run_id for run in result.runs) == sorted(set(before) - set(left))


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_what_is_left_can_be_read_and_nothing_else_is_stored(history, make_project):
    prune(history.adapter.at(history.schema), Retention(keep_last=1))

    assert load_run(history.adapter.at(history.schema), "b5").nodes == make_project(changed=("m005",)).nodes
    assert load_run(history.adapter.at(history.schema), "c0").nodes == make_project().nodes
    counts = history.counts()
    assert (counts["runs"], counts["run_results"], counts["macros"]) == (2, 2, 1)
    assert counts["node_versions"] == 12 + 1 + 1, "twelve models, one changed, one group"


def test_nothing_is_left_of_a_store_pruned_empty_and_it_can_be_recorded_in_again(history, make_project):
    result = prune(history.adapter.at(history.schema), Retention(keep_last=0))

    assert set(history.counts().values()) == {0}
    assert result.rows["runs"] == 7 and result.rows["node_versions"] == 12 + 6 + 1
    assert record_run(history.adapter.at(history.schema), make_project("b9")).written
    assert load_run(history.adapter.at(history.schema), "b9").nodes == make_project().nodes


def test_a_dry_run_removes_nothing(history):
    before = history.counts()

    result = prune(history.adapter.at(history.schema), Retention(keep_last=1), dry_run=True)

    assert [run.run_id for run in result.runs] == ["b4", "b3", "b2", "b1", "b0"]
    assert result.dry_run and history.counts() == before


@pytest.mark.parametrize("options", [{}, {"keep_last": -1}])
def test_prune_wants_to_be_told_what_to_keep(options):
    with pytest.raises(UsageError, match="--keep-last"):
        Retention(**options)


def deletions(store):
    with open_store(store.adapter.at(store.schema)) as opened:
        return {one.run_id: one for one in find_tombstones(opened)}


def deleted(run_id, **fields):
    values = {
        "project_name": "shop",
        "deleted_at": NOW,
        "deleted_by": "grace",
        "reason": "prune --keep-last 1",
        "recorder_version": "1.0",
    }
    return Tombstone(run_id=run_id, **{**values, **fields})


def apply(store, *tombstones):
    with open_store(store.adapter.at(store.schema), writes=True) as opened:
        return apply_tombstones(opened, tombstones)


def test_removed_runs_leave_tombstones(history):
    result = prune(
        history.adapter.at(history.schema),
        Retention(keep_last=4, older_than=timedelta(days=5), environment="base"),
        now=NOW,
        deleted_by="ada",
    )

    assert [one.run_id for one in result.tombstones] == ["b1", "b0"]
    assert deletions(history) == {one.run_id: one for one in result.tombstones}
    found = result.tombstones[0]
    assert (found.project_name, found.deleted_at, found.deleted_by) == ("shop", NOW, "ada")
    assert found.reason == "prune --keep-last 4 --older-than 120h --environment base"


def test_a_local_or_dry_run_leaves_no_tombstone(history, make_project):
    dry = prune(history.adapter.at(history.schema), Retention(keep_last=1), dry_run=True)
    assert len(dry.tombstones) == 5 and deletions(history) == {}

    result = prune(history.adapter.at(history.schema), Retention(keep_last=1), local=True)

    assert len(result.runs) == 5 and result.tombstones == ()
    assert deletions(history) == {}
    assert record_run(history.adapter.at(history.schema), make_project("b0")).written


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_a_pruned_run_is_neither_recorded_nor_imported_again(history, make_project):
    with open_store(history.adapter.at(history.schema)) as opened:
        export = read_export(opened, run_by_id(opened, "b0"))
    prune(history.adapter.at(history.schema), Retention(keep_last=1), now=NOW, deleted_by="ada")
    before = history.counts()

    message = r"Run b0 was pruned on 2026-12-01 00:00 UTC by ada and is not recorded again"
    with pytest.raises(StoreError, match=message) as recorded:
        record_run(history.adapter.at(history.schema), make_project("b0", environment="base"))
    with pytest.raises(StoreError, match=message) as imported:
        write_export(history.adapter.at(history.schema), export)

    assert "--run-id" in recorded.value.hint and "--schema" in imported.value.hint
    assert history.counts() == before


def test_an_id_of_contents_is_replaced_by_one_that_follows_from_it(history, make_project):
    prune(history.adapter.at(history.schema), Retention(keep_last=0))

    first, second = (
        record_run(history.adapter.at(history.schema), make_project("b0"), id_of_contents=True)
        for _ in range(2)
    )

    assert first.written and not second.written
    assert first.run.run_id == second.run.run_id != "b0"
    prune(history.adapter.at(history.schema), Retention(keep_last=0))
    third = record_run(history.adapter.at(history.schema), make_project("b0"), id_of_contents=True)
    assert third.written and third.run.run_id not in ("b0", first.run.run_id)


def test_runs_of_a_closed_pull_request_can_be_recorded_again(history, make_project):
    removed = remove_runs(
        history.adapter.at(history.schema), lambda run: run.run_id == "c0", environment="current"
    )

    assert [run.run_id for run in removed.runs] == ["c0"] and deletions(history) == {}
    assert record_run(history.adapter.at(history.schema), make_project("c0")).written


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_arriving_deletions_remove_runs_with_all_that_only_they_use(history):
    tombstones = [deleted(f"b{number}") for number in range(5)] + [deleted("unknown")]

    assert apply(history, *tombstones) == ["b0", "b1", "b2", "b3", "b4"]

    assert ids(history) == ["b5", "c0"]
    assert history.counts()["node_versions"] == 12 + 1 + 1
    assert deletions(history) == {one.run_id: one for one in tombstones}
    assert apply(history, *tombstones, deleted("c0")) == ["c0"]
    assert apply(history) == []


def test_the_first_deletion_of_a_run_stays(history):
    apply(history, deleted("b0"))
    apply(history, deleted("b0", deleted_by="ada"))

    assert deletions(history)["b0"].deleted_by == "grace"


def test_texts_of_arriving_deletions_are_made_storable_and_without_passwords(history):
    apply(history, deleted("b0", deleted_by="a\0b", reason="postgresql://me:hunter2@host/db"))

    found = deletions(history)["b0"]
    assert found.deleted_by == "a\N{REPLACEMENT CHARACTER}b" and "hunter2" not in found.reason


LONG_AGO = NOW - timedelta(days=3_650)


def seen_at(store, run_id, time):
    """Let *store* have first seen the deletion of *run_id* at *time*."""
    _set(store, "store_tombstones", "first_seen_at", time, run_id)


def _set(store, table, column, time, run_id):
    name = store.adapter.quote_identifier(store.schema)
    statement = f"UPDATE {name}.{table} SET {column} = :time WHERE run_id = :run_id"
    with store.adapter.session() as session:
        session.execute(statement, {"time": time, "run_id": run_id})


def test_deletions_are_forgotten_that_this_store_saw_long_ago(history, make_project):
    # Clocks of other stores do not matter.
    apply(history, deleted("b0", deleted_at=NOW + timedelta(days=3_650)), deleted("b1", deleted_at=LONG_AGO))
    seen_at(history, "b0", LONG_AGO)
    now = datetime.now(timezone.utc)
    seen_at(history, "b1", now - TOMBSTONE_AGE + timedelta(days=1))
    apply(history, deleted("b2", deleted_at=LONG_AGO))

    prune(history.adapter.at(history.schema), Retention(keep_last=100), now=LONG_AGO)

    assert set(deletions(history)) == {"b1", "b2"}
    assert record_run(history.adapter.at(history.schema), make_project("b0")).written


@pytest.mark.parametrize("years", [-10, 10])
def test_a_wrong_clock_of_a_recorder_forgets_no_deletion(history, years):
    at = datetime.now(timezone.utc) + timedelta(days=365 * years)
    for run_id in ids(history):
        _set(history, "store_runs", "recorded_at", at, run_id)
    apply(history, deleted("b0", deleted_at=LONG_AGO))
    prune(history.adapter.at(history.schema), Retention(keep_last=100))
    assert set(deletions(history)) == {"b0"}

    # The clock is right again.
    for run_id in ids(history):
        _set(history, "store_runs", "recorded_at", datetime.now(timezone.utc), run_id)
    prune(history.adapter.at(history.schema), Retention(keep_last=100))
    assert set(deletions(history)) == {"b0"}


def test_a_wrong_clock_of_a_store_that_loses_all_runs_forgets_no_deletion(history, make_project, monkeypatch):
    with monkeypatch.context() as patch:
        real = pruning._clocks
        years = timedelta(days=3_650)
        patch.setattr(pruning, "_clocks", lambda store: [real(store)[0] - years, *real(store)[1:]])
        prune(history.adapter.at(history.schema), Retention(keep_last=0))
    record_run(history.adapter.at(history.schema), make_project("new"))

    prune(history.adapter.at(history.schema), Retention(keep_last=9))

    assert {"b0", "c0"} <= set(deletions(history))
    assert history.scalar("SELECT COUNT(*) FROM {s}.store_tombstones WHERE first_seen_at IS NULL") == 0


def test_without_a_run_no_deletion_is_forgotten(history):
    apply(history, *(deleted(run_id) for run_id in ids(history)))
    seen_at(history, "b0", LONG_AGO)

    prune(history.adapter.at(history.schema), Retention(keep_last=0))

    assert "b0" in deletions(history)
