"""What the questions of the cookbook answer, on every backend; and that every file is documented."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from recce_meta.models import NodeMetadata, Project
from recce_meta.store import sql_files

DOCUMENTED = Path(__file__).parents[3] / "docs" / "reference" / "sql.md"
QUESTIONS = [file.name for file in sql_files.cookbook("postgres")]


def pick(rows: list[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    """Those columns of each row."""
    return [tuple(row[column] for column in columns) for row in rows]


def test_every_question_runs_on_an_empty_store(own_store: Any) -> None:
    for table in ("run_results", "runs"):
        own_store.adapter.execute(
            f"DELETE FROM {own_store.adapter.quote_identifier(own_store.schema)}.store_{table} WHERE TRUE"
        )
    answered = [question for question in QUESTIONS if own_store.answer(question)]
    assert answered == ["storage_used"]


def test_an_environment_without_a_run_is_not_compared(own_store: Any) -> None:
    name = own_store.adapter.quote_identifier(own_store.schema)
    own_store.adapter.execute(f"DELETE FROM {name}.store_runs WHERE environment = 'current'")
    found = own_store.answer("environments_that_differ")
    assert pick(found, "unique_id", "status") == [(None, "not compared: no run of the other environment")]


ORDERS, STG, TEST = "model.shop.orders", "model.shop.stg_orders", "test.shop.unique_orders"
BROKEN = "test.shop.long_broken"


@pytest.mark.parametrize(
    ("question", "columns", "rows"),
    [
        ("models_that_got_slower", "unique_id seconds_now seconds_before", [(ORDERS, 40.0, 10.0)]),
        ("slowest_models", "unique_id seconds", [(ORDERS, 60.0), (STG, 1.5)]),
        ("longest_builds", "run_id", []),
        ("seconds_by_schema", "schema_name seconds results", [("shop", 83.0, 4)]),
        ("seconds_by_owner", "owner seconds models", [(None, 83.0, 2)]),
        ("models_not_built_lately", "unique_id", []),
        (
            "environments_that_differ",
            "unique_id status",
            [
                ("model.shop.fresh", "removed"),
                ("model.shop.legacy", "added"),
                (ORDERS, "modified"),
                (STG, "modified"),
            ],
        ),
        ("recent_errors", "unique_id", []),
        ("failed_rows", "unique_id", []),
        ("late_sources", "unique_id", []),
        ("flaky_tests", "unique_id flips failed_results results outcome", [(TEST, 1, 1, 3, "fail")]),
        (
            "failing_tests",
            "unique_id since_git_sha branch",
            [(BROKEN, "sha1", "main"), (TEST, "sha3", "main")],
        ),
        ("newly_failing_tests", "unique_id failures since_git_sha", [(TEST, 3, "sha3")]),
        ("coverage_by_schema", "schema_name models tested described owned", [("shop", 4, 0.5, 0.5, 0.0)]),
        ("owners_without_tests", "owner models models_without_test", [(None, 4, 2)]),
        ("unused_models", "unique_id tests", [("model.shop.fresh", 0)]),
        (
            "changes_between_dates",
            "unique_id status git_sha",
            [
                ("model.shop.fresh", "added", "sha3"),
                ("model.shop.legacy", "removed", "sha3"),
                (ORDERS, "modified", "sha3"),
            ],
        ),
        (
            "columns_that_changed_type",
            "unique_id column_name previous_column_type column_type git_sha",
            [(ORDERS, "AMOUNT", "INTEGER", "NUMERIC", "sha3")],
        ),
        (
            "reach_of_the_last_changes",
            "changed_id models tests exposures nodes_reached farthest",
            [(ORDERS, 2, 1, 1, 4, 2)],
        ),
        (
            "branch_changes",
            "unique_id status code_changed branch pull_request base_run_id",
            [(STG, "modified", True, "tidy", "812", "base-2")],
        ),
        (
            "latest_run_of_each_branch",
            "branch pull_request run_id changed_nodes",
            [("tidy", "812", "current-1", 1)],
        ),
        (
            "exposures_downstream_of_a_node",
            "impacted_id owner distance",
            [("exposure.shop.dashboard", None, 2)],
        ),
        (
            "owners_downstream_of_a_column",
            "impacted_id impacted_column reach distance",
            [
                (ORDERS, "AMOUNT", "columns", 1),
                ("test.shop.long_broken", None, "rows", 1),
                ("model.shop.fresh", "AMOUNT", "columns", 2),
                ("model.shop.report", "total", "columns", 2),
                ("exposure.shop.dashboard", None, "unknown", 3),
            ],
        ),
        (
            "rows_written_over_time",
            "seconds status git_sha",
            [(60.0, "success", "sha3"), (20.0, "success", "sha2"), (10.0, "success", "sha1")],
        ),
        (
            "models_by_materialization",
            "environment materialized models",
            [("base", "table", 4), ("current", "table", 4)],
        ),
        ("row_counts_that_jumped", "unique_id", []),
    ],
)
def test_a_question_of_a_platform_team(store: Any, question: str, columns: str, rows: list[Any]) -> None:
    assert pick(store.answer(question), *columns.split()) == rows


def test_slowest_nodes_of_each_build(store: Any) -> None:
    rows = pick(store.answer("slowest_nodes_of_each_build"), "run_id", "unique_id", "seconds")
    assert rows[:2] == [("base-3", ORDERS, 60.0), ("base-3", STG, 1.5)]
    assert [run_id for run_id, *_ in rows] == sorted((run_id for run_id, *_ in rows), reverse=True)
    (total,) = {row["node_seconds"] for row in store.answer("slowest_nodes_of_each_build")[:4]}
    assert total == pytest.approx(sum(seconds for run_id, _, seconds in rows if run_id == "base-3"))


def test_changes_between_the_last_two_runs(store: Any) -> None:
    rows = store.answer("changes_between_the_last_two_runs")
    assert pick(
        rows, "project_name", "unique_id", "status", "code_changed", "git_sha", "previous_run_id"
    ) == [
        ("shop", "model.shop.fresh", "added", None, "sha3", "base-2"),
        ("shop", "model.shop.orders", "modified", True, "sha3", "base-2"),
        ("shop", "model.shop.legacy", "removed", None, "sha3", "base-2"),
    ]


def test_models_changed_this_week(store: Any, last_run_at: datetime) -> None:
    rows = store.answer("models_changed_this_week")
    assert pick(rows, "run_at", "unique_id", "status", "git_sha", "branch") == [
        (last_run_at, "model.shop.fresh", "added", "sha3", "main"),
        (last_run_at, "model.shop.legacy", "removed", "sha3", "main"),
        (last_run_at, "model.shop.orders", "modified", "sha3", "main"),
    ]


def test_columns_that_disappeared(store: Any) -> None:
    rows = store.answer("columns_that_disappeared")
    assert pick(rows, "unique_id", "column_name", "column_type", "node_status", "git_sha") == [
        ("model.shop.orders", "discount_code", "TEXT", "modified", "sha3")
    ]


def test_downstream_of_a_source_starts_with_the_first_source_by_name_which_nothing_reads(store: Any) -> None:
    assert store.answer("downstream_of_a_source") == []


def test_downstream_of_a_source_as_edited_for_another(store: Any) -> None:
    edited = next(
        file
        for file in sql_files.cookbook(store.adapter.warehouse.name)
        if file.name == "downstream_of_a_source"
    ).statements(store.adapter.quote_identifier(store.schema))[0]
    edited, edits = re.subn(r"MIN\(place\.unique_id\)", "'source.shop.raw.orders'", edited)
    rows = store.adapter.execute(edited)[1]
    assert edits == 1
    assert [(row[1], row[4]) for row in rows] == [
        ("model.shop.stg_orders", 1),
        ("model.shop.orders", 2),
        ("test.shop.long_broken", 2),
        ("model.shop.fresh", 3),
        ("model.shop.report", 3),
        ("test.shop.unique_orders", 3),
        ("exposure.shop.dashboard", 4),
    ]


def test_undescribed_models(store: Any) -> None:
    rows = store.answer("undescribed_models")
    assert pick(rows, "unique_id", "readers") == [("model.shop.report", 1), ("model.shop.fresh", 0)]


def test_undescribed_columns(store: Any) -> None:
    rows = store.answer("undescribed_columns")
    assert pick(rows, "unique_id", "undescribed", "columns_known", "undescribed_columns") == [
        ("model.shop.orders", 2, 2, "id, AMOUNT")
    ]


def test_sql_of_a_model_on_a_date(store: Any) -> None:
    (row,) = store.answer("sql_of_a_model_on_a_date")
    assert (row["unique_id"], row["run_id"], row["git_sha"]) == ("model.shop.fresh", "base-3", "sha3")
    assert row["compiled_code"] == 'select * from x join "prod"."shop"."orders"'


def test_models_without_tests(store: Any) -> None:
    rows = store.answer("models_without_tests")
    assert pick(rows, "unique_id", "readers") == [("model.shop.report", 1), ("model.shop.fresh", 0)]


def test_macros_that_changed(store: Any, last_run_at: datetime) -> None:
    rows = store.answer("macros_that_changed")
    assert pick(rows, "run_at", "unique_id", "status", "callers", "git_sha") == [
        (last_run_at, "macro.shop.cents", "modified", 1, "sha3")
    ]


def test_runs_from_dirty_trees(store: Any) -> None:
    rows = store.answer("runs_from_dirty_trees")
    assert pick(rows, "run_id", "git_sha", "changed_nodes") == [("base-2", "sha2", 0)]


def test_storage_used(store: Any) -> None:
    rows = {row["relation"]: row for row in store.answer("storage_used")}
    assert (rows["runs"]["rows_stored"], rows["run_results"]["rows_stored"]) == (4, 11)
    # Ten distinct nodes and a group; `orders` and `stg_orders` each in two editions.
    assert (rows["node_versions"]["rows_stored"], rows["node_versions"]["rows_shown"]) == (13, 40)
    assert rows["node_versions"]["characters_of_text"] > 500
    # Seven analyses twice, and eight; three are new in the last.
    assert (rows["column_analyses"]["rows_stored"], rows["column_analyses"]["rows_shown"]) == (10, 22)


def test_most_changed_models(store: Any) -> None:
    rows = store.answer("most_changed_models")
    assert pick(rows, "unique_id", "changes", "code_changes", "commits") == [("model.shop.orders", 1, 1, 1)]


def test_orphan_sources(store: Any) -> None:
    rows = store.answer("orphan_sources")
    assert pick(rows, "unique_id", "relation_name") == [("source.shop.raw.coupons", '"prod"."raw"."coupons"')]


def test_what_a_column_feeds_starts_with_the_first_column_by_name(store: Any) -> None:
    rows = store.answer("what_a_column_feeds")
    assert {(row["node_id"], row["column_name"]) for row in rows} == {("model.shop.orders", "*")}


def test_what_a_column_feeds_as_edited_for_another(store: Any) -> None:
    choice = "parent_id = 'source.shop.raw.orders' AND parent_column = 'id'"
    rows = edited(store, "what_a_column_feeds", r"place = 1\b", choice)
    assert [tuple(row)[2:] for row in rows] == [
        ("model.shop.stg_orders", "id", "columns", 1, 1.0),
        ("model.shop.orders", "id", "columns", 2, 1.0),
        ("model.shop.fresh", "id", "columns", 3, 0.5),
        ("model.shop.report", None, "rows", 3, 0.9),
        ("test.shop.unique_orders", None, "rows", 3, 1.0),
        ("exposure.shop.dashboard", None, "rows", 4, 0.9),
    ]


def test_what_fails_without_a_column_that_only_stars_pass_on(store: Any) -> None:
    choice = "parent_id = 'source.shop.raw.orders' AND parent_column = 'id'"
    rows = edited(store, "what_fails_without_a_column", r"place = 1\b", choice)
    assert [tuple(row)[1:] for row in rows] == [("id", "model.shop.report", 3, 0.9)]


def test_what_fails_without_a_column_that_is_named(store: Any) -> None:
    choice = "parent_id = 'source.shop.raw.orders' AND parent_column = 'amount'"
    rows = edited(store, "what_fails_without_a_column", r"place = 1\b", choice)
    assert [tuple(row)[1:] for row in rows] == [("amount", "model.shop.stg_orders", 1, 1.0)]


def test_where_a_column_comes_from(store: Any) -> None:
    rows = edited(store, "where_a_column_comes_from", r"place = 1\b", "column_name = 'total'")
    assert [tuple(row) for row in rows] == [
        ("model.shop.report", "total", "model.shop.orders", "AMOUNT", "aggregated", "SUM(amount)", 0.9, 1),
        ("model.shop.orders", "AMOUNT", "model.shop.stg_orders", "amount", "derived", "amount * 2", 1.0, 2),
        ("model.shop.stg_orders", "amount", "source.shop.raw.orders", "amount", "passthrough", None, 1.0, 3),
        ("source.shop.raw.orders", "amount", None, None, "source", None, None, 4),
    ]


def edited(store: Any, question: str, pattern: str, choice: str) -> list[Any]:
    """The answer of the question as one edited it who wants to know of something else."""
    (file,) = [file for file in sql_files.cookbook(store.adapter.warehouse.name) if file.name == question]
    (statement,) = file.statements(
        store.adapter.quote_identifier(store.adapter.warehouse.folded(store.schema))
    )
    text, edits = re.subn(pattern, choice, statement)
    assert edits == 1
    rows: list[Any] = store.adapter.execute(text)[1]
    return rows


def test_columns_nobody_reads(store: Any) -> None:
    rows = store.answer("columns_nobody_reads")
    assert pick(rows, "project_name", "node_id", "column_name") == [
        ("shop", "model.shop.stg_orders", "discount_code")
    ]


def test_models_without_column_lineage(store: Any) -> None:
    assert store.answer("models_without_column_lineage") == [
        {
            "project_name": "shop",
            "node_id": "model.shop.legacy",
            "reason": "the SQL cannot be parsed",
            "readers": 0,
        }
    ]


def test_models_that_filter_on_a_column(store: Any) -> None:
    rows = store.answer("models_that_filter_on_a_column")
    assert [tuple(row.values()) for row in rows] == [
        ("model.shop.orders", "id", 1, 0, 0, 1, "model.shop.report"),
        ("source.shop.raw.orders", "amount", 1, 1, 0, 0, "model.shop.stg_orders"),
    ]


@pytest.mark.parametrize("file", sql_files.cookbook("duckdb"), ids=lambda file: file.name)
def test_a_question_says_who_asks_it_and_shows_an_answer(file: sql_files.SqlFile) -> None:
    lines = file.text.splitlines()
    question, asker, answer = lines[1:4] if lines[0].startswith("-- hand-written") else lines[:3]
    assert question.startswith("-- ") and "?" in question
    assert asker.startswith("-- Asked by: ")
    assert answer.startswith("-- Answer: ")


@pytest.mark.parametrize("name", [*QUESTIONS, *(file.name for file in sql_files.views("postgres"))])
def test_every_view_and_question_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCUMENTED.read_text(encoding="utf-8")


def test_both_dialects_have_the_same_files() -> None:
    for kind in (sql_files.views, sql_files.cookbook):
        assert {file.name for file in kind("duckdb")} == {file.name for file in kind("postgres")}


@pytest.mark.parametrize(
    "code",
    [
        None,
        "",
        "⟦",
        "⟧ ⟦⟦⟧⟧ ⟦model.shop.stg⟧",
        '⟦"prod"."shop"."stg"⟧"prod"."shop"."stg"',
        '"prod"."shop"."stg""prod"."shop"."other"\n\t\\ \'quoted\' é漢🦆',
    ],
)
def test_sql_of_a_model_on_a_date_is_its_sql_to_the_byte(
    empty_store: Any,
    make_run: Callable[..., Project],
    make_model: Callable[..., NodeMetadata],
    code: str | None,
) -> None:
    nodes = [make_model("all", "stg", "other", compiled_code=code), make_model("stg"), make_model("other")]
    empty_store.record(make_run("only", timedelta(), "sha", nodes))
    (row,) = empty_store.answer("sql_of_a_model_on_a_date")
    assert (row["unique_id"], row["compiled_code"]) == ("model.shop.all", code)
