"""Kept results of data diffs: once, whole, and as long as their run."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest

from recce_meta.errors import StoreError, UsageError
from recce_meta.models import RunMetadata
from recce_meta.models.data_diff import (
    ColumnValues,
    Example,
    Failed,
    KeyCounts,
    RowCount,
    RowCountDiff,
    Subject,
    ValueDiff,
)
from recce_meta.models.stored import Headline, LoadedDiff, StoredDiff
from recce_meta.store.data_diffs import list_data_diffs, load_diffs_of_pair, save_data_diffs
from recce_meta.store.prune import Retention, prune
from recce_meta.store.write import record_run
from tests.contract.store.test_store_record import FORKS

pytestmark = pytest.mark.core("sqlite")

AT = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=timezone.utc)
NASTY = "ünï 漢字 🦆 'q' \"d\" \\ \\N %s :x {{ y }} \t\r\n"


def subject(name: str = "orders") -> Subject:
    return Subject(name=name, unique_id=f"model.shop.{name}", base=f'"b"."{name}"', current=f'"c"."{name}"')


def values(name: str = "orders", mismatched: int = 3) -> ValueDiff:
    return ValueDiff(
        subject=subject(name),
        notes=(NASTY, "a\0b"),
        key=("id",),
        key_source="unique test",
        base=KeyCounts(rows=10),
        current=KeyCounts(rows=11),
        added=2,
        removed=1,
        common=9,
        changed=mismatched,
        columns=(
            ColumnValues(
                name="amount",
                base_type="INTEGER",
                current_type="DECIMAL(9,2)",
                matched=9 - mismatched,
                mismatched=mismatched,
                mean_difference=float("-inf"),
                largest_difference=0.25,
                examples=(Example(key=(date(2026, 1, 1),), base=Decimal("1.50"), current="a\0\ud800"),),
            ),
        ),
        current_only=("new",),
    )


def counts(*names: str) -> RowCountDiff:
    return RowCountDiff(counts=tuple(RowCount(subject=subject(name), base=1, current=2) for name in names))


@pytest.fixture
def runs(store, make_project) -> tuple[RunMetadata, RunMetadata]:
    """A run of base, and a later one of current."""
    base = make_project("base-1", environment="base", run_at=AT - timedelta(days=2))
    current = make_project("current-1", run_at=AT - timedelta(days=1))
    return tuple(record_run(store.adapter.at(store.schema), run).run for run in (base, current))


def save(store: Any, runs: Any, *results: Any, at: datetime = AT, **options: Any) -> Any:
    base, current = runs
    return save_data_diffs(
        store.adapter.at(store.schema),
        results,
        base_run=base,
        current_run=current,
        taken_at=at,
        **options,
    )


def only(store: Any, runs: Any) -> LoadedDiff:
    """Return the only diff of the two runs."""
    (found,) = load_diffs_of_pair(store.adapter.at(store.schema), *runs)
    return found


def listed(store: Any, **options: Any) -> list[StoredDiff]:
    return list_data_diffs(store.adapter.at(store.schema), **options)


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_a_kept_diff_comes_back_whole(store, runs):
    parameters = {"where": NASTY, "limit": 10, "tolerance": 0.5, "exclude": ["a", None]}
    saved = save(store, runs, values(), parameters=parameters)

    (diff_id,) = saved.diff_ids
    assert saved.written == 1
    loaded = only(store, runs)
    assert loaded.result == values()
    assert loaded.stored == StoredDiff(
        diff_id=diff_id,
        taken_at=AT,
        base_run_id="base-1",
        current_run_id="current-1",
        unique_id="model.shop.orders",
        subject_name="orders",
        base_relation='"b"."orders"',
        current_relation='"c"."orders"',
        diff_type="value_diff",
        headline=Headline(
            is_equal=False,
            base_rows=10,
            current_rows=11,
            added_rows=2,
            removed_rows=1,
            common_rows=9,
            changed_rows=3,
            differing_columns=2,
        ),
        parameters=parameters,
    )
    assert listed(store) == [loaded.stored]


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_names_that_no_database_takes_are_kept_as_well_as_can_be(store, runs):
    odd = Failed(subject=Subject(name="a\0\ud800"), diff="query_diff", error="\0", hint=NASTY)

    save(store, runs, odd)

    loaded = only(store, runs)
    assert loaded.result == odd
    assert loaded.stored.subject_name == "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"
    assert (loaded.stored.diff_type, loaded.stored.headline.is_equal) == ("query_diff", None)


def test_the_same_diff_is_kept_once_and_a_later_one_beside_it(store, runs):
    first = save(store, runs, values(), counts("orders", "payments"))
    again = save(store, runs, counts("orders", "payments"), values(), values(), at=AT.astimezone())
    later = save(store, runs, values(), at=AT + timedelta(hours=1))
    other = save(store, runs, values(), parameters={"where": "id > 1"})

    assert (first.written, again.written, later.written, other.written) == (3, 0, 1, 1)
    assert sorted(again.diff_ids) == sorted(first.diff_ids)
    assert len(listed(store)) == 5
    assert listed(store)[0].taken_at == AT + timedelta(hours=1)


def test_row_counts_are_kept_by_node(store, runs):
    saved = save(store, runs, counts("orders", "payments"))

    assert len(saved.diff_ids) == 2
    (kept,) = listed(store, unique_id="model.shop.payments")
    assert (kept.headline.base_rows, kept.headline.current_rows) == (1, 2)
    pair = load_diffs_of_pair(store.adapter.at(store.schema), *runs)
    assert counts("payments") in [one.result for one in pair]


def test_kept_diffs_are_found_by_what_they_are_about(store, runs, make_project):
    bakery = record_run(store.adapter.at(store.schema), make_project("bakery-1", project_name="bakery")).run
    save(store, runs, values(), counts("orders", "payments"))
    save(store, (None, bakery), values("bread"), at=AT + timedelta(hours=1))

    assert [kept.subject_name for kept in listed(store)] == ["bread", "orders", "orders", "payments"]
    assert len(listed(store, diff_type="row_count_diff")) == 2
    assert len(listed(store, subject_name="orders", diff_type="value_diff")) == 1
    assert len(listed(store, run=runs[0])) == len(listed(store, run=runs[1])) == 3
    assert [kept.subject_name for kept in listed(store, project="bakery")] == ["bread"]
    assert [kept.subject_name for kept in listed(store, limit=2)] == ["bread", "orders"]
    assert listed(store, unique_id="model.shop.unknown") == []


def test_nothing_to_keep_is_nothing_kept(store, runs):
    saved = save(store, runs)

    assert (saved.diff_ids, saved.written, listed(store)) == ((), 0, [])


def test_a_diff_without_a_run_is_refused(store, runs):
    with pytest.raises(UsageError, match="cannot be stored without a run"):
        save(store, (None, None), values())


def test_a_diff_of_a_run_that_is_not_stored_is_refused(store, runs, make_project):
    with pytest.raises(StoreError, match="run-9 not found in the store"):
        save(store, (runs[0], make_project("run-9").run), values())
    assert listed(store) == []


def test_a_diff_goes_with_its_current_run(store, runs, make_project):
    base, current = runs
    record_run(store.adapter.at(store.schema), make_project("current-2", run_at=AT))
    save(store, (base, current), values())
    save(store, (base, None), values("alone"))
    save(store, (None, current), counts("orders"))

    result = prune(store.adapter.at(store.schema), Retention(keep_last=0, environment="base"))
    assert (result.rows["data_diffs"], result.rows["column_diffs"]) == (1, 2)
    assert sorted(kept.subject_name for kept in listed(store)) == ["orders", "orders"]
    assert {kept.base_run_id for kept in listed(store)} == {"base-1", None}, "the name of a run that is gone"

    prune(store.adapter.at(store.schema), Retention(keep_last=1, environment="current"))
    assert listed(store) == []
    assert store.scalar("SELECT COUNT(*) FROM {s}.store_column_diffs") == 0


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_writers_at_once_keep_everything_once(store, runs):
    writers = 4
    barrier = Barrier(writers)

    def work(number: int) -> int:
        barrier.wait()
        with store.another() as adapter:
            return save_data_diffs(
                adapter.at(store.schema),
                [values("shared"), values(f"own{number}")],
                base_run=runs[0],
                current_run=runs[1],
                taken_at=AT,
            ).written

    with ThreadPoolExecutor(writers) as pool:
        assert sorted(pool.map(work, range(writers))) == [1, 1, 1, 2]

    assert sorted(kept.subject_name for kept in listed(store)) == [*(f"own{n}" for n in range(4)), "shared"]
    assert store.scalar("SELECT COUNT(*) FROM {s}.store_column_diffs") == 5 * 2


CHILD = (
    """
import os, sys, traceback
import duckdb, duckdb_engine, psycopg, sqlalchemy.dialects.postgresql.psycopg  # once, before the forks
from datetime import datetime, timezone
from recce_meta.adapter import Session, UnifiedSqlAdapter
from recce_meta.models.data_diff import ColumnValues, KeyCounts, Profile, Subject, ValueDiff
from recce_meta.models.stored import ColumnStatistics, NodeStatistics
from recce_meta.store.data_diffs import list_data_diffs, load_diffs_of_pair, save_data_diffs
from recce_meta.store.read import list_runs
from recce_meta.store.statistics import load_statistics, write_statistics

url, schema = sys.argv[1:3]
at = datetime(2026, 11, 1, tzinfo=timezone.utc)
columns = (ColumnValues(name="a", base_type="T", current_type="T", matched=1, mismatched=1),)


def result(name):
    return ValueDiff(subject=Subject(name=name), key=("id",), key_source="option", base=KeyCounts(rows=1),
                     current=KeyCounts(rows=1), columns=columns)


def statistics(name):
    figures = Profile(type="T", row_count=1, not_null_count=1, min=1)
    return NodeStatistics(unique_id=name, counted_at=at, row_count=1, profiled_at=at,
                          columns=(ColumnStatistics(name="a", profile=figures),))
"""
    + FORKS
    + """
def keep_diff(name):
    def write(adapter):
        run = list_runs(adapter)[0]
        saved = save_data_diffs(adapter, [result(name)], base_run=run, current_run=run, taken_at=at)
        assert saved.written == 1, "half a diff is kept"
        return 0
    return write


def keep_statistics(name):
    def write(adapter):
        written = write_statistics(adapter, list_runs(adapter)[0], [statistics(name)])
        assert (written.nodes_counted, written.nodes_profiled) == (1, 1), "half of the statistics are kept"
        return 0
    return write


def as_they_should_be(names):
    def work(adapter):
        run, kept = list_runs(adapter)[0], list_data_diffs(adapter)
        assert sorted(diff.subject_name for diff in kept) == names
        for one in load_diffs_of_pair(adapter, run, run):
            assert one.result == result(one.stored.subject_name)
        assert load_statistics(adapter, run) == {name: statistics(name) for name in names}
        return 0
    return work


names, kills = [], 0
while True:
    name = f"n{kills:03}"
    codes = [forked(killed_after(kills, keep(name))) for keep in (keep_diff, keep_statistics)]
    assert set(codes) <= {0, 42}, codes
    for keep, code in zip((keep_diff, keep_statistics), codes):
        if code == 42:
            assert forked(keep(name)) == 0, f"after a kill at statement {kills}"
    names.append(name)
    assert forked(as_they_should_be(names)) == 0, f"after a kill at statement {kills}"
    if codes == [0, 0]:
        break
    kills += 1
print(kills)
"""
)


@pytest.mark.extensive
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the test kills forked processes")
def test_a_writer_killed_at_any_statement_leaves_nothing_and_the_next_succeeds(store, runs):
    prune(store.adapter.at(store.schema), Retention(keep_last=0, environment="base"))
    store.adapter.close()

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(CHILD), store.url, store.schema],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) >= 6
