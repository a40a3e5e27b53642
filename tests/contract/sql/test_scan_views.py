"""What SQL users learn of scanned databases and measured quality, against answers worked out by hand."""

from __future__ import annotations

from typing import Any

from tests.support.scanned_shop import CUSTOMERS, LOG, ORDERS

FRESH, REPORT = "relation.public.fresh", "relation.public.report"

VIEWS: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "the run before a scan is a scan of the same scope": (
        "SELECT run_id, previous_run_id, extractor FROM {s}.run_steps ORDER BY run_id",
        [("scan-2", "scan-1", "database"), ("scan-3", "scan-2", "database")],
    ),
    "the latest scan is no run of dbt": (
        "SELECT run_id, environment FROM {s}.latest_scans",
        [("scan-3", "current")],
    ),
    "the latest tables are those of the latest scan": (
        "SELECT name, resource_type, owner, description, column_count, has_primary_key, foreign_key_count,"
        " index_count, row_estimate, bytes, partition_key FROM {s}.latest_tables ORDER BY name",
        [
            ("customers", "table", "ada", "Who buys, and who did", 2, True, 0, 0, 7, 4096, None),
            ("fresh", "table", "ada", "", 2, False, 0, 0, 3, None, None),
            ("log", "view", "ada", "", 2, False, 0, 0, None, None, None),
            ("orders", "table", "ada", "", 6, True, 3, 2, 400, 65536, "HASH (id)"),
            ("report", "view", "ada", "", 1, False, 0, 0, None, None, None),
        ],
    ),
    "the latest schemas have what they hold": (
        "SELECT schema_name, database_name, owner, description, table_count, view_count, column_count,"
        " row_estimate, bytes FROM {s}.latest_schemas",
        [("public", "shop", "ada", "All there is", 3, 2, 13, 410, 69632)],
    ),
    "the latest columns have what the catalog tells": (
        "SELECT column_name, column_type, not_null, default_value, generated_as, identity_generation,"
        " collation_name, description FROM {s}.latest_columns"
        f" WHERE unique_id IN ('{ORDERS}', '{CUSTOMERS}') ORDER BY unique_id, ordinal",
        [
            ("id", "integer", True, None, None, "always", None, ""),
            ("region", "text", True, None, None, None, "C", ""),
            ("id", "bigint", True, "1", None, None, None, ""),
            ("customer", "integer", *(None,) * 5, "Who buys"),
            ("amount", "numeric(12,2)", True, None, None, None, None, ""),
            ("region", "text", *(None,) * 5, ""),
            ("twice", "numeric", None, None, "stored: (amount * 2)", None, None, ""),
            ("Amount", "integer", *(None,) * 5, ""),
        ],
    ),
    "the latest constraints": (
        "SELECT name, ordinal, constraint_name, constraint_type, column_names, expression, parent_id,"
        " on_update, on_delete FROM {s}.latest_constraints ORDER BY name, ordinal",
        [
            ("customers", 1, "key", "primary_key", "id, region", None, None, None, None),
            ("customers", 2, None, "check", None, "(id > 0)", None, None, None),
            ("orders", 1, "key", "primary_key", "id", None, None, None, None),
            ("orders", 2, "to_customer", "foreign_key", "customer, region", None, CUSTOMERS, None, "cascade"),
            ("orders", 3, "to_log", "foreign_key", "amount", None, LOG, None, None),
            ("orders", 4, "to_itself", "foreign_key", "id", None, ORDERS, "restrict", None),
        ],
    ),
    "the latest indexes": (
        "SELECT name, ordinal, index_name, is_unique, schema_name FROM {s}.latest_indexes ORDER BY ordinal",
        [("orders", 1, "by_customer", False, "public"), ("orders", 2, "odd", True, "public")],
    ),
    "foreign keys of every run": (
        "SELECT node_id, name, column_names, parent_id, parent_column_names, on_update, on_delete"
        " FROM {s}.foreign_keys WHERE run_id = 'scan-1' ORDER BY ordinal",
        [
            (ORDERS, "to_customer", "customer, region", CUSTOMERS, "id, region", None, "cascade"),
            (ORDERS, "to_log", "amount", LOG, "at", None, None),
            (ORDERS, "to_itself", "id", ORDERS, "id", "restrict", None),
        ],
    ),
    "foreign keys are no lineage": (
        "SELECT node_id, parent_id FROM {s}.lineage WHERE run_id = 'scan-3'",
        [(REPORT, ORDERS)],
    ),
    "changes between scans name relations": (
        "SELECT run_id, unique_id, resource_type, status FROM {s}.node_changes",
        [
            ("scan-3", CUSTOMERS, "table", "modified"),
            ("scan-3", FRESH, "table", "added"),
            ("scan-3", "relation.public.legacy", "table", "removed"),
            ("scan-3", LOG, "view", "modified"),
            ("scan-3", ORDERS, "table", "modified"),
            ("scan-3", REPORT, "view", "modified"),
        ],
    ),
    "changes between scans name columns": (
        "SELECT unique_id, column_name, status FROM {s}.column_changes WHERE run_id = 'scan-3'",
        [
            (FRESH, "id", "added"),
            (FRESH, "note", "added"),
            ("relation.public.legacy", "id", "removed"),
            (ORDERS, "Amount", "added"),
            (ORDERS, "amount", "retyped"),
            (ORDERS, "customer", "altered"),
            (ORDERS, "id", "altered"),
            (ORDERS, "region", "reordered"),
        ],
    ),
    "a scan has a summary of its difference": (
        "SELECT run_id, previous_run_id, object_type, added, removed, modified, unchanged"
        " FROM {s}.schema_diff_summary ORDER BY run_id, object_type",
        [
            ("scan-2", "scan-1", "column", 0, 0, 0, 11),
            ("scan-2", "scan-1", "schema", 0, 0, 0, 1),
            ("scan-2", "scan-1", "table", 0, 0, 0, 4),
            ("scan-2", "scan-1", "view", 0, 0, 0, 1),
            ("scan-3", "scan-2", "column", 3, 1, 3, 7),
            ("scan-3", "scan-2", "schema", 0, 0, 0, 1),
            ("scan-3", "scan-2", "table", 1, 1, 2, 0),
            ("scan-3", "scan-2", "view", 0, 0, 2, 0),
        ],
    ),
    "sizes are beside those of the scan before": (
        "SELECT run_id, row_estimate, previous_row_estimate, row_delta, bytes, byte_delta, previous_run_id,"
        f" next_run_id FROM {{s}}.table_size_history WHERE unique_id = '{ORDERS}' ORDER BY run_id",
        [
            ("scan-1", 100, None, None, 8192, None, None, "scan-2"),
            ("scan-2", 150, 100, 50, 8192, 0, "scan-1", "scan-3"),
            ("scan-3", 400, 150, 250, 65536, 57344, "scan-2", None),
        ],
    ),
    "the latest quality of a table is that of its own last measurement": (
        "SELECT name, quality_run_id, row_count, sampled_rows, column_count, score, reason"
        " FROM {s}.latest_table_quality ORDER BY name",
        [
            ("customers", "q-1", 10, None, 1, None, None),
            ("log", "q-2", None, None, 0, None, "no rights to read it"),
            ("orders", "q-2", 40, 10, 2, 72.5, None),
        ],
    ),
    "the latest quality of columns": (
        "SELECT unique_id, column_name, row_count, null_count, null_share, distinct_count, distinct_share,"
        " min_value, max_number, average_number, is_private, score FROM {s}.latest_column_quality"
        " ORDER BY unique_id, ordinal",
        [
            (CUSTOMERS, "id", 10, 0, 0.0, 10, 1.0, None, None, None, False, None),
            (ORDERS, "amount", 10, 5, 0.5, 4, 0.8, "1", 9.5, 2.25, False, 45.0),
            (ORDERS, "email", 10, 10, 1.0, None, None, None, None, None, True, 0.0),
        ],
    ),
    "the history of quality has the figures before": (
        "SELECT quality_run_id, null_share, previous_null_share, null_share_change, distinct_share,"
        " score_change, previous_quality_run_id, next_quality_run_id FROM {s}.quality_history"
        " WHERE column_name = 'amount' ORDER BY started_at",
        [
            ("q-1", 0.2, None, None, 0.5, None, None, "q-2"),
            ("q-2", 0.5, 0.2, 0.3, 0.8, -45.0, "q-1", None),
        ],
    ),
    "the history of tables has the figures before": (
        "SELECT name, row_count, row_delta, row_change, score, score_change FROM {s}.table_quality_history"
        " ORDER BY name, started_at",
        [
            ("customers", 10, None, None, None, None),
            ("orders", 10, None, None, 95.0, None),
            ("orders", 40, 30, 3.0, 72.5, -22.5),
        ],
    ),
    "top values have a history": (
        "SELECT quality_run_id, column_name, place, value, value_kind, value_count, value_share"
        " FROM {s}.top_value_history ORDER BY quality_run_id, place",
        [
            ("q-1", "amount", 1, None, None, 2, 0.2),
            ("q-1", "amount", 2, "1.5", "float", 2, 0.2),
            ("q-2", "amount", 1, None, None, 5, 0.5),
            ("q-2", "amount", 2, "1.5", "float", 2, 0.2),
        ],
    ),
    "metrics have a history": (
        "SELECT quality_run_id, column_name, metric_name, value_number, previous_value_number, value_change,"
        " threshold, holds, reason FROM {s}.metric_history ORDER BY started_at, ordinal, place",
        [
            ("q-1", None, "late", 2.0, None, None, "< 5", True, None),
            ("q-1", *(None, "fresh", None, None, None, "= true", None, "no such column")),
            ("q-1", "amount", "negative", 0.0, None, None, "= 0", True, None),
            ("q-2", None, "late", 7.0, 2.0, 5.0, "< 5", False, None),
            ("q-2", *(None, "fresh", None, None, None, "= true", None, "no such column")),
            ("q-2", "amount", "negative", 0.0, 0.0, 0.0, "= 0", True, None),
        ],
    ),
}
"""What is asked, and the rows that answer it, in any order."""


def test_views_of_scans_and_of_quality(scanned_store: Any) -> None:
    found = {title: in_order(scanned_store.rows(sql)) for title, (sql, _) in VIEWS.items()}
    assert found == {title: in_order(rows) for title, (_, rows) in VIEWS.items()}


def in_order(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=str)


ANSWERS: dict[str, list[tuple[Any, ...]]] = {
    "tables_without_primary_key": [("public", "fresh", 2, 3)],
    "tables_that_grew_most": [(ORDERS, 57344, 65536, 250)],
    "foreign_keys_without_index": [("to_log", "amount", LOG)],
    "tables_no_view_reads": [("public", "fresh", 2)],
    "columns_whose_nulls_grew": [(ORDERS, "amount", 0.5, 0.2)],
    "tables_with_the_lowest_score": [(ORDERS, 72.5, 95.0, 40)],
    "metrics_beyond_their_threshold": [
        (None, "late", "7", "< 5", 2.0, None),
        (None, "fresh", None, "= true", None, "no such column"),
    ],
    "how_the_schema_changed": [
        ("column", 3, 1, 3, 7),
        ("table", 1, 1, 2, 0),
        ("view", 0, 0, 2, 0),
    ],
}
COLUMNS = {
    "tables_without_primary_key": ("schema_name", "name", "column_count", "row_estimate"),
    "tables_that_grew_most": ("unique_id", "byte_delta", "bytes", "row_delta"),
    "foreign_keys_without_index": ("name", "column_names", "parent_id"),
    "tables_no_view_reads": ("schema_name", "name", "column_count"),
    "columns_whose_nulls_grew": ("unique_id", "column_name", "null_share", "previous_null_share"),
    "tables_with_the_lowest_score": ("unique_id", "score", "previous_score", "row_count"),
    "metrics_beyond_their_threshold": (
        "column_name", "metric_name", "value", "threshold", "previous_value_number", "reason",
    ),
    "how_the_schema_changed": ("object_type", "added", "removed", "modified", "unchanged"),
}  # fmt: skip


def test_questions_about_a_live_database(scanned_store: Any) -> None:
    found = {
        question: [tuple(row[name] for name in COLUMNS[question]) for row in scanned_store.answer(question)]
        for question in ANSWERS
    }
    assert found == ANSWERS
    for question in ("undescribed_models", "orphan_sources", "undescribed_columns"):
        assert scanned_store.answer(question) == [], "scans are left out"
