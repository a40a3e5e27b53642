"""What SQL users learn of kept statistics and kept data diffs, against answers worked out by hand."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from operator import itemgetter
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.models.data_diff import (
    ColumnValues,
    Failed,
    KeyCounts,
    Profile,
    ProfileDiff,
    RowCount,
    RowCountDiff,
    Subject,
    ValueDiff,
)
from recce_meta.models.stored import ColumnStatistics, NodeStatistics
from recce_meta.store.data_diffs import save_data_diffs
from recce_meta.store.prune import Retention, prune
from recce_meta.store.read import list_runs, run_row
from recce_meta.store.session import open_store
from recce_meta.store.statistics import NODE_COLUMNS, write_statistics
from recce_meta.store.write import RUN_COLUMNS

ORDERS, STAGING = "model.shop.orders", "model.shop.stg_orders"


@pytest.fixture
def runs(own_store: Any) -> dict[str, Any]:
    """The runs of the history by id: base-1, base-2, base-3, and current-1 of a pull request."""
    return {run.run_id: run for run in list_runs(own_store.adapter.at(own_store.schema))}


@pytest.fixture
def counted(own_store: Any, runs: dict[str, Any], last_run_at: datetime) -> Any:
    """The store with row counts: of orders in every run, of staging in two, of which one failed."""
    figures = {
        "base-1": {ORDERS: 0, STAGING: 40},
        "base-2": {ORDERS: 100},
        "base-3": {ORDERS: 125, STAGING: None},
        "current-1": {ORDERS: 90},
    }
    for run_id, counts in figures.items():
        nodes = [
            NodeStatistics(
                unique_id=unique_id,
                counted_at=last_run_at,
                row_count=rows,
                reason=None if rows is not None else "not built",
            )
            for unique_id, rows in counts.items()
        ]
        write_statistics(own_store.adapter.at(own_store.schema), runs[run_id], nodes)
    return own_store


def test_row_counts_are_beside_those_before_in_their_environment(counted: Any) -> None:
    rows = counted.rows(
        "SELECT run_id, unique_id, row_count, previous_run_id, previous_row_count, row_delta, row_change,"
        " next_run_id FROM {s}.row_count_history ORDER BY unique_id, environment, run_at"
    )
    assert rows == [
        ("base-1", ORDERS, 0, None, None, None, None, "base-2"),
        ("base-2", ORDERS, 100, "base-1", 0, 100, None, "base-3"),
        ("base-3", ORDERS, 125, "base-2", 100, 25, 0.25, None),
        ("current-1", ORDERS, 90, None, None, None, None, None),
        ("base-1", STAGING, 40, None, None, None, None, None),
    ]


def test_the_latest_row_counts_are_the_last_ones_known(counted: Any, last_run_at: datetime) -> None:
    rows = counted.rows(
        "SELECT environment, unique_id, row_count, run_id, counted_at, row_delta"
        " FROM {s}.latest_row_counts ORDER BY unique_id, environment"
    )
    assert rows == [
        ("base", ORDERS, 125, "base-3", last_run_at, 25),
        ("current", ORDERS, 90, "current-1", last_run_at, None),
        ("base", STAGING, 40, "base-1", last_run_at, None),
    ]


def test_the_count_before_is_found_beyond_runs_that_left_the_node_out(
    own_store: Any, runs: dict[str, Any], last_run_at: datetime
) -> None:
    chance = random.Random(5)
    history = sorted(
        (
            replace(
                runs["base-1"],
                run_id=f"counted-{number:02}",
                environment=chance.choice(("base", "current")),
                run_at=last_run_at + timedelta(hours=chance.randrange(20)),
                recorded_at=last_run_at + timedelta(days=chance.randrange(2)),
            )
            for number in range(30)
        ),
        # A time after the recording counts as that of the recording.
        key=lambda run: (
            min(run.run_at, run.recorded_at),
            run.recorded_at,
            [-ord(letter) for letter in run.run_id],
        ),
    )
    shares = {"model.shop.every_time": 1.0, "model.shop.often": 0.7, "model.shop.rarely": 0.2}
    figures = [
        (run.run_id, node, chance.choice((0, 5, 7, None)), last_run_at, None, None)
        for run in history
        for node, share in shares.items()
        if chance.random() < share
    ]
    with open_store(own_store.adapter.at(own_store.schema), writes=True) as session:
        session.insert("node_statistics", NODE_COLUMNS, figures)
        session.insert("runs", RUN_COLUMNS, map(run_row, history))
    counted = {(run_id, node): rows for run_id, node, rows, *_ in figures if rows is not None}
    expected = []
    for environment, node in product(("base", "current"), shares):
        ids = [run.run_id for run in history if run.environment == environment]
        found = [run_id for run_id in ids if (run_id, node) in counted]
        for before, run_id, after in zip([None, *found], found, [*found[1:], None], strict=False):
            rows = None if before is None else counted[before, node]
            expected.append((run_id, node, counted[run_id, node], before, rows, after))
    query = (
        "SELECT run_id, unique_id, row_count, previous_run_id, previous_row_count, next_run_id"
        " FROM {s}.row_count_history"
    )
    assert sorted(own_store.rows(query), key=itemgetter(0, 1)) == sorted(expected, key=itemgetter(0, 1))
    for run in history:
        rows = own_store.rows(f"{query} WHERE run_id = '{run.run_id}' ORDER BY unique_id")
        assert rows == sorted(row for row in expected if row[0] == run.run_id)
    last = own_store.rows("SELECT run_id, unique_id FROM {s}.latest_row_counts")
    assert sorted(last) == sorted(row[:2] for row in expected if row[-1] is None)


def test_why_nodes_were_not_counted_stands_in_the_table(counted: Any) -> None:
    rows = counted.rows("SELECT run_id, unique_id, reason FROM {s}.node_statistics WHERE row_count IS NULL")
    assert rows == [("base-3", STAGING, "not built")]


def test_row_counts_over_time(counted: Any) -> None:
    rows = counted.answer("row_counts_over_time")
    assert [
        (row["unique_id"], row["run_id"], row["row_count"], row["row_delta"], row["percent_change"])
        for row in rows
    ] == [
        (ORDERS, "base-3", 125, 25, Decimal("25.0")),
        (ORDERS, "base-2", 100, 100, None),
        (ORDERS, "base-1", 0, None, None),
    ]


def profiled(at: datetime, rows: int, **not_null: int) -> NodeStatistics:
    columns = tuple(
        ColumnStatistics(
            name=name,
            profile=Profile(
                type="TEXT",
                row_count=rows,
                not_null_count=count,
                distinct_count=count,
                min="A",
                max="Zoë",
                true_count=None,
                min_length=1,
                max_length=3,
                avg_length=1.5,
            ),
        )
        for name, count in not_null.items()
    )
    return NodeStatistics(unique_id=ORDERS, counted_at=at, row_count=rows, profiled_at=at, columns=columns)


def test_profiles_have_shares_of_the_rows(
    own_store: Any, runs: dict[str, Any], last_run_at: datetime
) -> None:
    node = profiled(last_run_at, 4, id=4, note=1)
    write_statistics(own_store.adapter.at(own_store.schema), runs["base-3"], [node])
    write_statistics(own_store.adapter.at(own_store.schema), runs["base-2"], [profiled(last_run_at, 0, id=0)])

    rows = own_store.rows(
        "SELECT run_id, ordinal, column_name, not_null_share, distinct_share, is_unique, min_value,"
        " max_value, min_number, average_length FROM {s}.column_profiles ORDER BY run_at, ordinal"
    )
    assert rows == [
        ("base-2", 1, "id", None, None, None, "A", "Zoë", None, 1.5),
        ("base-3", 1, "id", 1.0, 1.0, True, "A", "Zoë", None, 1.5),
        ("base-3", 2, "note", 0.25, 0.25, False, "A", "Zoë", None, 1.5),
    ]


def test_columns_with_more_nulls(own_store: Any, runs: dict[str, Any], last_run_at: datetime) -> None:
    for run_id, node in {
        "base-1": profiled(last_run_at, 10, id=10, note=0, code=10, gone=10),
        "base-2": profiled(last_run_at, 10, id=10, note=10, CODE=8, gone=1),
        "base-3": profiled(last_run_at, 100, id=100, note=50, code=70),
    }.items():
        write_statistics(own_store.adapter.at(own_store.schema), runs[run_id], [node])

    rows = own_store.answer("columns_with_more_nulls")
    found = [
        (row["column_name"], round(row["null_share"], 9), round(row["previous_null_share"], 9), row["run_id"])
        for row in rows
    ]
    assert found == [("note", 0.5, 0.0, "base-3"), ("code", 0.3, 0.2, "base-3")]


def diff(name: str, changed: dict[str, int | None], rows: int = 10) -> ValueDiff:
    """A diff of values of ten rows; None is a column that could not be compared."""
    columns = tuple(
        ColumnValues(
            name=column,
            base_type="T",
            current_type="T",
            matched=None if count is None else rows - count,
            mismatched=count,
            reason="no common type" if count is None else None,
        )
        for column, count in changed.items()
    )
    return ValueDiff(
        subject=Subject(name=name, unique_id=f"model.shop.{name}", base="b", current="c"),
        key=("id",),
        key_source="option",
        base=KeyCounts(rows=rows),
        current=KeyCounts(rows=rows + 1),
        added=1,
        common=rows,
        changed=max((count or 0 for count in changed.values()), default=0),
        columns=columns,
    )


@pytest.fixture
def diffed(own_store: Any, runs: dict[str, Any], last_run_at: datetime) -> Any:
    """The store with four diffs of values of the pull request against base, and three other answers."""

    def save(*results: Any, base: str, minutes: int) -> None:
        save_data_diffs(
            own_store.adapter.at(own_store.schema),
            results,
            base_run=runs[base],
            current_run=runs["current-1"],
            taken_at=last_run_at + timedelta(minutes=minutes),
            parameters={"where": "id > 1"},
        )

    save(diff("orders", {"amount": 2, "note": 0, "shape": None}), base="base-1", minutes=1)
    save(diff("orders", {"AMOUNT": 5, "note": 1}), base="base-3", minutes=2)
    save(diff("orders", {"amount": 0, "note": 0}), base="base-3", minutes=3)
    save(diff("report", {"total": 1}), base="base-3", minutes=4)
    counts = (
        RowCount(subject=Subject(name="orders", unique_id=ORDERS), base=8, current=6),
        RowCount(
            subject=Subject(name="gone", unique_id="model.shop.gone"), base=8, current_reason="not built"
        ),
    )
    failed = Failed(subject=Subject(name="query"), diff="query_diff", error="no such column")
    save(RowCountDiff(counts=counts), failed, base="base-3", minutes=5)
    return own_store


def test_the_history_of_data_diffs_names_runs_and_figures(diffed: Any) -> None:
    rows = diffed.rows(
        "SELECT subject_name, diff_type, project_name, base_run_id, base_environment, base_git_sha,"
        " current_run_id, current_environment, current_git_sha, branch, pull_request, is_equal, base_rows,"
        " current_rows, row_delta, added_rows, removed_rows, common_rows, changed_rows, changed_share,"
        " differing_columns, error FROM {s}.data_diff_history ORDER BY taken_at, subject_name"
    )
    current = ("current-1", "current", "sha9", "tidy", "812")
    first, third = ("base-1", "base", "sha1", *current), ("base-3", "base", "sha3", *current)
    none = (None,) * 6
    assert rows == [
        ("orders", "value_diff", "shop", *first, False, 10, 11, 1, 1, 0, 10, 2, 0.2, 2, None),
        ("orders", "value_diff", "shop", *third, False, 10, 11, 1, 1, 0, 10, 5, 0.5, 2, None),
        ("orders", "value_diff", "shop", *third, False, 10, 11, 1, 1, 0, 10, 0, 0.0, 0, None),
        ("report", "value_diff", "shop", *third, False, 10, 11, 1, 1, 0, 10, 1, 0.1, 1, None),
        ("gone", "row_count_diff", "shop", *third, None, 8, None, None, *none, "not built"),
        ("orders", "row_count_diff", "shop", *third, False, 8, 6, -2, *none, None),
        ("query", "query_diff", "shop", *third, None, None, None, None, *none, "no such column"),
    ]


def test_results_and_parameters_are_json_that_sql_can_ask(diffed: Any) -> None:
    rows = diffed.rows(
        "SELECT parameters ->> 'where', result -> 'columns' -> 0 ->> 'name'"
        " FROM {s}.data_diff_history WHERE subject_name = 'report'"
    )
    assert rows == [("id > 1", "total")]


def test_a_diff_outlives_its_base_run(diffed: Any) -> None:
    prune(diffed.adapter.at(diffed.schema), Retention(keep_last=1, environment="base"))

    rows = diffed.rows(
        "SELECT base_run_id, base_environment, base_run_at, current_environment FROM {s}.data_diff_history"
        " WHERE base_run_id = 'base-1'"
    )
    assert rows == [("base-1", None, None, "current")]


def test_the_history_of_columns_has_their_shares(diffed: Any) -> None:
    rows = diffed.rows(
        "SELECT base_run_id, subject_name, ordinal, column_name, status, matched, mismatched, match_share,"
        " reason, pull_request FROM {s}.column_diff_history ORDER BY taken_at, ordinal"
    )
    assert rows == [
        ("base-1", "orders", 1, "amount", "changed", 8, 2, 0.8, None, "812"),
        ("base-1", "orders", 2, "note", "equal", 10, 0, 1.0, None, "812"),
        ("base-1", "orders", 3, "shape", "incomparable", None, None, None, "no common type", "812"),
        ("base-3", "orders", 1, "AMOUNT", "changed", 5, 5, 0.5, None, "812"),
        ("base-3", "orders", 2, "note", "changed", 9, 1, 0.9, None, "812"),
        ("base-3", "orders", 1, "amount", "equal", 10, 0, 1.0, None, "812"),
        ("base-3", "orders", 2, "note", "equal", 10, 0, 1.0, None, "812"),
        ("base-3", "report", 1, "total", "changed", 9, 1, 0.9, None, "812"),
    ]


def test_columns_changed_most_often(diffed: Any, last_run_at: datetime) -> None:
    rows = diffed.answer("columns_changed_most_often")
    columns = (
        "unique_id", "column_name", "times_changed", "times_compared", "lowest_match_share", "rows_changed",
        "last_changed_at",
    )  # fmt: skip
    assert [tuple(row[column] for column in columns) for row in rows] == [
        (ORDERS, "amount", 2, 3, 0.5, 7, last_run_at + timedelta(minutes=2)),
        (ORDERS, "note", 1, 3, 0.9, 1, last_run_at + timedelta(minutes=2)),
        ("model.shop.report", "total", 1, 1, 0.9, 1, last_run_at + timedelta(minutes=4)),
    ]


def test_storage_used_counts_what_is_kept(diffed: Any, counted: Any) -> None:
    rows = {row["relation"]: row["rows_stored"] for row in diffed.answer("storage_used")}
    assert (rows["data_diffs"], rows["column_diffs"], rows["node_statistics"]) == (7, 8, 6)


def test_profiles_of_a_diff_are_no_columns_of_values(
    own_store: Any, runs: dict[str, Any], last_run_at: datetime
) -> None:
    result = ProfileDiff(subject=Subject(name="orders"), columns=())
    save_data_diffs(
        own_store.adapter.at(own_store.schema),
        [result],
        base_run=None,
        current_run=runs["base-1"],
        taken_at=last_run_at,
    )
    assert own_store.rows("SELECT COUNT(*) FROM {s}.column_diff_history") == [(0,)]
    assert own_store.rows("SELECT is_equal, current_environment FROM {s}.data_diff_history") == [
        (None, "base")  # no column was compared
    ]
