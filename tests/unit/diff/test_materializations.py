"""Edits of nodes that hold rows of earlier runs, judged by what the next run does with those rows."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.diff.materializations import (
    materialization_effect,
    table_effects,
    unstable_text,
)
from recce_meta.diff.table_config import config_effect
from recce_meta.models import ChangeDetail, Column, NodeMetadata, Reason, Status
from recce_meta.models.change import Category, ColumnChange, SqlChange
from recce_meta.sql_diff import compare_sql
from recce_meta.warehouses.builds import incremental_words

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
    (CHECK_ALL, "duckdb", "a", Status.REMOVED, "breaking"),
    ({**CHECK_ALL, "check_cols": ["b"]}, "duckdb", "a", Status.REMOVED, "partial_breaking"),
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
    (MERGE, "on_schema_change", "ignore", "fail", "unknown"),
    (MERGE, "full_refresh", None, False, "none"),
    (MERGE, "full_refresh", None, True, "breaking"),
    (MERGE, "merge_exclude_columns", None, ["a"], "partial_breaking"),
    (APPEND, "merge_exclude_columns", None, ["a"], "none"),
    (MERGE, "merge_update_columns", ["a"], ["a", "b"], "partial_breaking"),
    (MERGE, "merge_update_columns", ["a"], ["a", "nope"], "breaking"),
    (TIMESTAMP, "snapshot_meta_column_names.dbt_valid_to", None, "until", "breaking"),
    (TIMESTAMP, "hard_deletes", None, "invalidate", "partial_breaking"),
    (TIMESTAMP, "hard_deletes", None, "new_record", "breaking"),
    (TIMESTAMP, "dbt_valid_to_current", None, "x", "partial_breaking"),
    (TIMESTAMP, "dbt_valid_to_current", "x", "y", "breaking"),
    (TIMESTAMP, "full_refresh", None, True, "none"),
    (BATCHES, "event_time", "ts", "a", "breaking"),
    # The effect on microbatch readers is theirs.
    ({"materialized": "table"}, "event_time", "ts", None, "non_breaking"),
    (APPEND, "event_time", "ts", None, "non_breaking"),
]


def test_a_configuration_key_is_judged_by_the_materialization(subtests: pytest.Subtests) -> None:
    for config, key, base, current, category in CONFIG:
        with subtests.test(key=key, base=base, current=current, config=config):
            detail = ChangeDetail(Reason.CONFIG, key, base, current)
            one = replace(node(**config), compiled_code="select id, a, b from t")
            found = config_effect(one, one, detail, "duckdb")
            assert (found and found.category) == category


@pytest.mark.parametrize(("names", "category"), [("ab", "none"), ("a", "unknown"), ("", "unknown")])
def test_another_policy_for_columns_has_no_effect_if_catalogs_list_the_same(
    names: str, category: str
) -> None:
    detail = ChangeDetail(Reason.CONFIG, "on_schema_change", "append_new_columns", "sync_all_columns")
    before = replace(node(**MERGE), columns=(Column("a"), Column("B")), columns_from="catalog")
    after = replace(before, columns=tuple(map(Column, names)), columns_from="catalog" if names else None)

    found = config_effect(before, after, detail, "duckdb")

    assert found is not None and found.category == category


def test_a_statement_that_is_not_known_may_read_any_key() -> None:
    detail = ChangeDetail(Reason.CONFIG, "lookback", 1, 2)
    for config, adapter in ((MERGE, "oracle"), ({**MERGE, "incremental_strategy": "own"}, "duckdb")):
        assert config_effect(node(**config), node(**config), detail, adapter) is None


def test_a_view_of_an_unstable_query_differs_at_each_read() -> None:
    detail = ChangeDetail(Reason.CONFIG, "materialized", "table", "view")
    one = NodeMetadata(unique_id="model.shop.m", name="m", resource_type="model")
    for unstable, category in (("random has another result at each read", "breaking"), ("", "non_breaking")):
        assert materialization_effect(one, one, detail, "duckdb", unstable).category == category
    assert materialization_effect(one, one, detail, "bigquery").category == "breaking"


def test_text_with_another_result_at_each_read_is_found(subtests: pytest.Subtests) -> None:
    unstable = """random() rand() gen_random_uuid() seq.nextval nextval('s') get_current_timestamp() now()
        unix_timestamp() curdate() seq4() current_user age(born) age(max(a)) sysdate getdate() 'today'
        current_date uniform(1,2,random()) localtimestamp""".split()
    phrases = ["t using sample 5", "t tablesample (3)", "t sample (10 rows)"]
    stable = """age(a,b) unix_timestamp(a) from_unixtime(a) current_month user_id brand usage(a) schema
        sample average(a) knowledge(a)""".split()
    for text in [*unstable, *phrases, *stable]:
        with subtests.test(text=text):
            assert (unstable_text(f"select {text} from t") is None) == (text in stable)


def test_a_cast_to_another_type_is_a_retyped_column() -> None:
    assert compare_sql("select a from t", "select cast(a as text) as a from t").retyped == ("a",)
    assert compare_sql("select a from t", "select a * 2 as a from t").retyped == ()


DECIDING = [
    (OVERWRITE, "bigquery", {"partition_by": {"field": "a", "data_type": "date"}}, ""),
    (MERGE, "duckdb", {"incremental_predicates": ["DBT_INTERNAL_DEST.a > 1"]}, ""),
    (MERGE, "duckdb", {"incremental_predicates": ['dest."a" > 1']}, ""),
    (MERGE, "duckdb", {}, "{% if is_incremental() %} where a > 1 {% endif %}"),
    (
        APPEND,
        "duckdb",
        {},
        "where {% if x %} b {% if flags.X %} a > (select max(a) from {{ this }}) {% endif %}",
    ),
]


def test_values_of_a_column_that_selects_or_places_rows_change_which_rows_are_there(
    subtests: pytest.Subtests,
) -> None:
    query = SqlChange(category=Category.PARTIAL_BREAKING, columns=(ColumnChange("a", Status.MODIFIED),))
    for config, adapter, more, code in DECIDING:
        for name, category in (("a", "breaking"), ("c", "partial_breaking")):
            with subtests.test(config=config, more=more, code=code, column=name):
                one = replace(node(**config, **more), raw_code=code)
                edit = replace(query, columns=(ColumnChange(name, Status.MODIFIED),))
                (found,) = table_effects(one, one, edit, (), adapter, incremental_words(one, {}))
                assert found.category == category


def test_other_rows_and_moved_columns_are_judged_by_the_statement(subtests: pytest.Subtests) -> None:
    rows, moved = SqlChange(category=Category.BREAKING), SqlChange(category=Category.NON_BREAKING, moved=True)
    for config, adapter, query, expected in (
        (APPEND, "duckdb", rows, ["breaking"]),
        (OVERWRITE, "snowflake", rows, ["breaking"]),
        (OVERWRITE, "snowflake", moved, ["breaking"]),
        (OVERWRITE, "bigquery", moved, []),
        (MERGE, "duckdb", moved, []),
        ({**TIMESTAMP, "hard_deletes": "invalidate"}, "duckdb", rows, ["breaking"]),
        (TIMESTAMP, "duckdb", moved, []),
        (MERGE, "oracle", moved, ["unknown"]),
    ):
        with subtests.test(config=config, adapter=adapter, query=query):
            effects = table_effects(node(**config), node(**config), query, (), adapter)
            assert [effect.category for effect in effects] == expected


def test_an_edit_of_a_relation_that_the_warehouse_refreshes_may_not_be_applied(
    subtests: pytest.Subtests,
) -> None:
    edited = SqlChange(category=Category.BREAKING)
    for kind, key, category, applied in (
        ("materialized_view", "indexes", "non_breaking", False),
        ("materialized_view", "dist", "non_breaking", True),
        ("dynamic_table", "target_lag", "none", False),
        ("dynamic_table", "refresh_mode", "non_breaking", True),
    ):
        with subtests.test(kind=kind, key=key):
            one, detail = node(materialized=kind), ChangeDetail(Reason.CONFIG, key, 1, 2)
            found = config_effect(one, one, detail, "redshift")
            assert found is not None and found.category == category
            stale = [effect.reasons for effect in table_effects(one, one, edited, [detail], "redshift")]
            assert bool(stale) is not applied
            assert list(table_effects(one, one, edited, [], "databricks")) == [] or kind == "dynamic_table"


KEY, SAME, MERGED, DELETED = (
    {"unique_key": "id"},
    {"incremental_strategy": "append"},
    {"incremental_strategy": "merge"},
    {"incremental_strategy": "delete+insert"},
)
OVERWRITTEN = {"incremental_strategy": "insert_overwrite"}
PREDICATES = {"incremental_predicates": ["a > 1"]}


@pytest.mark.parametrize(
    ("before", "after", "adapter", "expected"),
    [
        (SAME, PREDICATES, "duckdb", "none"),
        (KEY, PREDICATES, "duckdb", "breaking"),
        ({}, SAME, "duckdb", "none"),
        (KEY, DELETED, "duckdb", "none"),
        (KEY, MERGED, "duckdb", "breaking"),
        ({}, MERGED, "duckdb", "breaking"),
        ({}, MERGED, "postgres", "none"),
        (MERGED, DELETED, "databricks", "breaking"),
        (MERGED, OVERWRITTEN, "databricks", "breaking"),
        (MERGED, OVERWRITTEN, "postgres", "fails"),
        ({**KEY, "full_refresh": True}, MERGED, "duckdb", "none"),
        (KEY, {"unique_key": ["id"]}, "duckdb", "none"),
        ({"unique_key": '"ID"'}, KEY, "snowflake", "breaking"),
    ],
)
def test_a_setting_counts_only_if_the_statement_reads_it(
    before: dict[str, Any], after: dict[str, Any], adapter: str, expected: str
) -> None:
    (key,) = after
    sides = [node(materialized="incremental", **{**before, **more}) for more in ({}, after)]
    detail = ChangeDetail(Reason.CONFIG, key, before.get(key), after[key])

    found = config_effect(*sides, detail, adapter)

    assert found is not None
    is_refused = "the build fails: the adapter lacks the strategy insert_overwrite" in found.reasons
    assert ("fails" if is_refused else found.category) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"materialized": "view"}, {"full_refresh": True}, "non_breaking"),
        ({"materialized": "view"}, {}, "breaking"),
        ({"materialized": "incremental", "full_refresh": True}, {"materialized": "table"}, "non_breaking"),
        ({"materialized": "table"}, {"full_refresh": True}, "non_breaking"),
        ({"materialized": "table"}, {"full_refresh": True, "incremental_strategy": "microbatch"}, "breaking"),
    ],
)
def test_an_incremental_model_that_every_run_rebuilds_is_a_table(
    before: dict[str, Any], after: dict[str, Any], expected: str
) -> None:
    sides = node(**before), node(**{"materialized": "incremental", **after})
    detail = ChangeDetail(Reason.CONFIG, "materialized", *(one.materialized for one in sides))
    unused = [
        config_effect(*sides, ChangeDetail(Reason.CONFIG, key, None, True), "duckdb")
        for key in ("full_refresh", "unique_key")
    ]

    assert materialization_effect(*sides, detail, "duckdb").category == expected
    is_rebuilt = expected == "non_breaking"
    assert [one and str(one.category) for one in unused] == (["none", "none"] if is_rebuilt else [None] * 2)
