"""Edits of nodes that hold rows of earlier runs, judged by what the next run does with those rows."""

from __future__ import annotations

from typing import Any

import pytest

from recce_meta.diff.materializations import config_effect, materialization_effect, table_effects
from recce_meta.models import ChangeDetail, NodeMetadata, Reason, Status
from recce_meta.models.change import Category, ColumnChange, SqlChange
from recce_meta.sql_diff import compare_sql

CHECK_ALL = {"materialized": "snapshot", "strategy": "check", "check_cols": "all", "unique_key": "id"}
TIMESTAMP = {"materialized": "snapshot", "strategy": "timestamp", "updated_at": "ts", "unique_key": "id"}
MERGE = {"materialized": "incremental", "incremental_strategy": "merge", "unique_key": "id"}
APPEND = {"materialized": "incremental", "incremental_strategy": "append"}
BATCHES = {"materialized": "incremental", "incremental_strategy": "microbatch", "event_time": "ts"}
OVERWRITE = {"materialized": "incremental", "incremental_strategy": "insert_overwrite"}
SYNC, FAIL = {"on_schema_change": "sync_all_columns"}, {"on_schema_change": "fail"}


def node(**config: Any) -> NodeMetadata:
    return NodeMetadata(
        unique_id="model.shop.m", name="m", resource_type="model",
        materialized=config["materialized"], config=config,
    )  # fmt: skip


COLUMNS = [
    (CHECK_ALL, "duckdb", "x", Status.ADDED, "breaking"),
    (TIMESTAMP, "duckdb", "x", Status.ADDED, "non_breaking"),
    (CHECK_ALL, "duckdb", "a", Status.MODIFIED, "breaking"),
    (TIMESTAMP, "duckdb", "a", Status.MODIFIED, "partial_breaking"),
    (TIMESTAMP, "duckdb", "ts", Status.MODIFIED, "breaking"),
    (TIMESTAMP, "duckdb", "ID", Status.MODIFIED, "breaking"),
    (TIMESTAMP, "duckdb", "ts", Status.REMOVED, "breaking"),
    (TIMESTAMP, "duckdb", "a", Status.REMOVED, "partial_breaking"),
    (MERGE, "postgres", "id", Status.MODIFIED, "breaking"),
    (APPEND, "postgres", "id", Status.MODIFIED, "partial_breaking"),
    (MERGE, "postgres", "a", Status.REMOVED, "breaking"),
    (MERGE, "duckdb", "a", Status.REMOVED, "partial_breaking"),
    (MERGE, "duckdb", "a", Status.ADDED, "breaking"),
    (MERGE, "postgres", "a", Status.ADDED, "non_breaking"),
    ({**MERGE, **SYNC}, "postgres", "a", Status.REMOVED, "partial_breaking"),
    ({**MERGE, **FAIL}, "postgres", "a", Status.ADDED, "breaking"),
    (BATCHES, "duckdb", "ts", Status.MODIFIED, "breaking"),
    (BATCHES, "snowflake", "a", Status.MODIFIED, "partial_breaking"),
    (OVERWRITE, "snowflake", "a", Status.ADDED, "breaking"),
    (MERGE, "oracle", "a", Status.MODIFIED, "unknown"),
    ({**MERGE, "incremental_strategy": "own"}, "duckdb", "a", Status.MODIFIED, "unknown"),
]


def test_a_changed_column_is_judged_by_what_the_statement_does(subtests: pytest.Subtests) -> None:
    for config, adapter, name, status, category in COLUMNS:
        with subtests.test(config=config, adapter=adapter, column=name, status=status):
            query = SqlChange(category=Category.PARTIAL_BREAKING, columns=(ColumnChange(name, status),))
            (found,) = table_effects(node(**config), node(**config), query, (), adapter)
            assert found.category == category
            assert found.reasons


CONFIG = [
    (BATCHES, "batch_size", "day", "month", "breaking"),
    (MERGE, "batch_size", "day", "month", "none"),
    (OVERWRITE, "partition_by", "a", None, "breaking"),
    (APPEND, "unique_key", None, "id", "none"),
    (MERGE, "unique_key", "id", "a", "breaking"),
    (MERGE, "on_schema_change", "ignore", "fail", "none"),
    (MERGE, "full_refresh", None, False, "none"),
    (MERGE, "full_refresh", None, True, "breaking"),
    (MERGE, "merge_exclude_columns", None, ["a"], "partial_breaking"),
    (APPEND, "merge_exclude_columns", None, ["a"], "none"),
    (TIMESTAMP, "snapshot_meta_column_names.dbt_valid_to", None, "until", "breaking"),
    (TIMESTAMP, "hard_deletes", None, "invalidate", "partial_breaking"),
    (TIMESTAMP, "hard_deletes", None, "new_record", "breaking"),
    (TIMESTAMP, "dbt_valid_to_current", None, "x", "partial_breaking"),
    (TIMESTAMP, "dbt_valid_to_current", "x", "y", "breaking"),
    (TIMESTAMP, "full_refresh", None, True, "none"),
]


def test_a_configuration_key_is_judged_by_the_materialization(subtests: pytest.Subtests) -> None:
    for config, key, base, current, category in CONFIG:
        with subtests.test(key=key, base=base, current=current, config=config):
            detail = ChangeDetail(Reason.CONFIG, key, base, current)
            found = config_effect(node(**config), node(**config), detail, "duckdb")
            assert found is not None and found.category == category


def test_a_statement_that_is_not_known_may_read_any_key() -> None:
    detail = ChangeDetail(Reason.CONFIG, "lookback", 1, 2)
    for config, adapter in ((MERGE, "oracle"), ({**MERGE, "incremental_strategy": "own"}, "duckdb")):
        assert config_effect(node(**config), node(**config), detail, adapter) is None


def test_a_view_of_an_unstable_query_differs_at_each_read() -> None:
    detail = ChangeDetail(Reason.CONFIG, "materialized", "table", "view")
    for sql, category in (("select random() as r", "breaking"), ("select 1 as r", "non_breaking")):
        one = NodeMetadata(unique_id="model.shop.m", name="m", resource_type="model", compiled_code=sql)
        assert materialization_effect(one, one, detail, "duckdb").category == category
    assert materialization_effect(one, one, detail, "bigquery").category == "breaking"


def test_a_cast_to_another_type_is_a_retyped_column() -> None:
    assert compare_sql("select a from t", "select cast(a as text) as a from t").retyped == ("a",)
    assert compare_sql("select a from t", "select a * 2 as a from t").retyped == ()
