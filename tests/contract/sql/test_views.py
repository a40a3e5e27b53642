"""What the views answer, on every backend."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.extractors.project import extract_project
from recce_meta.models import Column, NodeMetadata, Project

ARTIFACTS = Path(__file__).parents[2] / "data" / "artifacts" / "generated" / "jaffle_ext_full"

COLUMNS = {
    "nodes": (
        "run_id environment unique_id run_at name resource_type package_name schema_name checksum code_hash"
        " raw_code config columns database_name identifier relation_name materialized compiled_code language"
        " path description tags meta access version group_name source_name contract fqn checksum_rule"
        " columns_from unrendered_config macros properties version_id"
    ),
    "latest_nodes": (
        "project_name environment unique_id run_id run_at name resource_type package_name"
        " schema_name checksum code_hash raw_code config columns database_name identifier"
        " relation_name materialized language path description tags meta access version group_name"
        " source_name contract fqn checksum_rule columns_from unrendered_config macros properties"
        " version_id"
    ),
    "lineage": "run_id environment node_id parent_id kind confidence",
    "latest_runs": (
        "run_id run_at project_name environment invocation_id extractor dbt_version adapter_type"
        " manifest_version target_name target_database target_schema git_sha branch git_dirty pull_request"
        " command node_count edge_count recorded_at recorder_version graph_id macro_set_id"
        " column_graph_id git_proven status reason build_status build_errors build_failures build_warnings"
        " build_skipped warnings extraction variables run_started_at run_completed_at elapsed_time"
        " full_refresh args orchestrator job_id job_name job_run_id job_run_url cause dbt_user commit_url"
    ),
    "run_steps": (
        "run_id previous_run_id project_name environment run_at previous_run_at graph_id previous_graph_id"
        " macro_set_id previous_macro_set_id node_count dbt_version previous_dbt_version extractor"
    ),
    "node_columns": (
        "run_id environment unique_id name ordinal column_name column_type description documented"
        " documented_type tags meta not_null default_value generated_as identity_generation collation_name"
        " resource_type columns_from version_id"
    ),
    "node_changes": (
        "run_id previous_run_id project_name environment run_at unique_id name resource_type status"
        " code_changed compiled_changed config_changed columns_changed description_changed contract_changed"
        " place_changed version_id previous_version_id relation_name previous_relation_name"
    ),
    "column_changes": (
        "run_id previous_run_id project_name environment run_at unique_id name column_name status column_type"
        " previous_column_type ordinal previous_ordinal node_status"
    ),
    "lineage_changes": (
        "run_id previous_run_id project_name environment run_at node_id parent_id status node_status"
    ),
    "impacted_nodes": (
        "run_id previous_run_id project_name environment run_at changed_id changed_status unique_id distance"
    ),
    "run_history": (
        "project_name environment unique_id version_id first_run_at last_run_at runs results failures"
        " average_seconds longest_seconds last_success_at"
    ),
    "row_count_history": (
        "run_id project_name environment run_at git_sha unique_id row_count counted_at previous_run_id"
        " previous_row_count row_delta row_change next_run_id"
    ),
    "latest_row_counts": (
        "project_name environment unique_id row_count counted_at run_id run_at git_sha previous_run_id"
        " previous_row_count row_delta row_change is_current"
    ),
    "latest_results": (
        "project_name environment unique_id status seconds rows_affected bytes_processed failures"
        " message completed_at run_id run_at git_sha is_current branch pull_request name resource_type"
        " package_name schema_name relation_name materialized owner tags job_id job_run_url"
        " full_refresh execute_started_at execute_completed_at thread_id query_id adapter_response"
        " failed_rows"
    ),
    "branch_changes": (
        "project_name environment branch pull_request run_id run_at git_sha base_run_id base_run_at"
        " base_git_sha unique_id name resource_type status code_changed compiled_changed"
        " config_changed columns_changed description_changed contract_changed version_id"
        " base_version_id relation_name base_relation_name"
    ),
    "build_history": (
        "run_id project_name environment branch pull_request git_sha run_at command full_refresh"
        " orchestrator job_id job_run_url build_status build_errors build_failures results started_at"
        " completed_at duration elapsed_time node_seconds longest_seconds"
        " critical_path waiting"
    ),
    "freshness_history": (
        "run_id project_name environment branch run_at unique_id name source_name schema_name"
        " relation_name status previous_status max_loaded_at snapshotted_at"
        " max_loaded_at_time_ago_in_s criteria error age"
    ),
    "latest_freshness": (
        "project_name environment unique_id run_id run_at name source_name schema_name relation_name"
        " status previous_status max_loaded_at snapshotted_at max_loaded_at_time_ago_in_s criteria"
        " error"
    ),
    "result_history": (
        "run_id project_name environment branch pull_request git_sha run_at unique_id name"
        " resource_type package_name schema_name relation_name materialized owner tags status"
        " previous_status seconds rows_affected bytes_processed failures message completed_at job_id"
        " job_run_url full_refresh execute_started_at execute_completed_at thread_id query_id"
        " adapter_response failed_rows"
    ),
    "test_history": (
        "project_name environment branch unique_id outcome failures run_id run_at since_run_id since_run_at"
        " since_git_sha flips results failed_results last_pass_at first_run_at"
    ),
    "node_owners": (
        "project_name environment unique_id run_id name resource_type owner owner_email owner_source"
    ),
    "unused_nodes": (
        "project_name environment unique_id run_id run_at name resource_type package_name schema_name"
        " relation_name materialized path tests owner"
    ),
    "coverage": (
        "project_name environment resource_type schema_name folder run_id run_at nodes tested_nodes"
        " described_nodes owned_nodes tests columns_known described_columns"
    ),
    "column_profiles": (
        "run_id project_name environment run_at unique_id ordinal column_name column_type profiled_at"
        " row_count not_null_count not_null_share distinct_count distinct_share is_approximate is_unique"
        " min_value max_value average_value median_value min_number max_number average_number median_number"
        " true_count min_length max_length average_length"
    ),
    "data_diff_history": (
        "diff_id taken_at project_name base_run_id base_environment base_run_at base_git_sha current_run_id"
        " current_environment current_run_at current_git_sha branch pull_request unique_id subject_name"
        " base_relation current_relation diff_type is_equal base_rows current_rows row_delta added_rows"
        " removed_rows common_rows changed_rows changed_share differing_columns error parameters result"
    ),
    "check_history": (
        "check_result_id checked_at project_name base_run_id base_environment base_run_at base_git_sha"
        " current_run_id current_environment current_run_at current_git_sha branch pull_request origin"
        " file_name ordinal check_name check_type description status has_expectations is_optional node_count"
        " differing_nodes uncompared_nodes message violations findings seconds parameters"
    ),
    "reviews": (
        "review_id reviewed_at project_name environment branch pull_request git_sha base_run_id"
        " current_run_id unique_id check_name status comment reviewer fingerprint"
    ),
    "column_diff_history": (
        "diff_id taken_at project_name base_run_id current_run_id current_environment current_git_sha branch"
        " pull_request unique_id subject_name ordinal column_name status base_type current_type compared_as"
        " matched mismatched match_share null_to_value value_to_null mean_difference largest_difference"
        " reason"
    ),
    "latest_scans": (
        "run_id run_at project_name environment adapter_type target_name target_database command node_count"
        " edge_count recorded_at recorder_version graph_id column_graph_id"
    ),
    "latest_schemas": (
        "project_name environment run_id run_at unique_id database_name schema_name owner description"
        " table_count view_count column_count row_estimate bytes"
    ),
    "latest_tables": (
        "project_name environment run_id run_at unique_id database_name schema_name name resource_type"
        " relation_name owner description column_count has_primary_key foreign_key_count index_count"
        " row_estimate bytes created_at altered_at partition_key partition_of definition version_id"
    ),
    "latest_columns": (
        "project_name environment run_id run_at unique_id schema_name name resource_type ordinal column_name"
        " column_type not_null default_value generated_as identity_generation collation_name description"
    ),
    "node_constraints": (
        "run_id environment unique_id name ordinal constraint_name constraint_type column_names columns"
        " expression parent_id on_update on_delete options resource_type version_id"
    ),
    "latest_constraints": (
        "project_name environment run_id run_at unique_id schema_name name ordinal constraint_name"
        " constraint_type column_names expression parent_id on_update on_delete options"
    ),
    "node_indexes": (
        "run_id environment unique_id name ordinal index_name is_unique definition resource_type version_id"
    ),
    "latest_indexes": (
        "project_name environment run_id run_at unique_id schema_name name ordinal index_name is_unique"
        " definition"
    ),
    "foreign_keys": (
        "run_id project_name environment node_id ordinal name column_names parent_id parent_column_names"
        " columns parent_columns on_update on_delete"
    ),
    "schema_diff_summary": (
        "run_id previous_run_id project_name environment run_at object_type added removed modified unchanged"
    ),
    "table_size_history": (
        "run_id project_name environment run_at unique_id row_estimate previous_row_estimate row_delta bytes"
        " previous_bytes byte_delta created_at altered_at previous_run_id next_run_id"
    ),
    "latest_table_quality": (
        "project_name environment unique_id name relation quality_run_id run_id measured_at row_count"
        " sampled_rows column_count score reason notes"
    ),
    "latest_column_quality": (
        "project_name environment unique_id name ordinal column_name column_type quality_run_id run_id"
        " measured_at row_count sampled_rows null_count null_share distinct_count distinct_share"
        " is_approximate min_value max_value average_value median_value min_number max_number"
        " average_number median_number true_count min_length max_length average_length blank_count"
        " is_declared_unique is_private score reason"
    ),
    "table_quality_history": (
        "quality_run_id run_id project_name environment started_at unique_id name measured_at row_count"
        " previous_row_count row_delta row_change sampled_rows column_count score previous_score score_change"
        " previous_quality_run_id next_quality_run_id"
    ),
    "quality_history": (
        "quality_run_id run_id project_name environment started_at unique_id ordinal column_name"
        " row_count previous_row_count sampled_rows previous_sampled_rows null_count null_share"
        " previous_null_share null_share_change distinct_count distinct_share previous_distinct_share"
        " distinct_share_change min_number previous_min_number max_number previous_max_number"
        " average_number previous_average_number average_length previous_average_length score"
        " previous_score score_change previous_quality_run_id next_quality_run_id"
    ),
    "top_value_history": (
        "quality_run_id run_id project_name environment started_at unique_id ordinal column_name place value"
        " value_kind value_count value_share"
    ),
    "metric_history": (
        "quality_run_id run_id project_name environment started_at unique_id ordinal place column_name"
        " metric_name value value_kind value_number previous_value_number value_change threshold holds reason"
        " previous_quality_run_id next_quality_run_id"
    ),
}


def test_views_have_these_columns_in_this_order(store: Any) -> None:
    found = {view: store.columns(view) for view in COLUMNS}
    assert found == {view: columns.split() for view, columns in COLUMNS.items()}


def test_nodes_shows_every_run_whole_and_leaves_groups_out(store: Any) -> None:
    counts = store.rows("SELECT run_id, COUNT(*) FROM {s}.nodes GROUP BY run_id ORDER BY run_id")
    assert counts == [("base-1", 9), ("base-2", 9), ("base-3", 9), ("current-1", 9)]
    assert store.rows("SELECT COUNT(*) FROM {s}.nodes WHERE resource_type = 'group'") == [(0,)]


def test_latest_nodes_are_those_of_the_latest_runs(store: Any) -> None:
    latest = store.rows(
        "SELECT environment, unique_id, code_hash, version_id FROM {s}.latest_nodes ORDER BY 1, 2"
    )
    assert len(latest) == 18
    assert latest == store.rows(
        "SELECT environment, unique_id, code_hash, version_id FROM {s}.nodes"
        " WHERE run_id IN (SELECT run_id FROM {s}.latest_runs) ORDER BY 1, 2"
    )


def test_compiled_code_comes_back_to_the_byte_in_the_environment_of_its_run(store: Any) -> None:
    rows = store.rows(
        "SELECT run_id, compiled_code FROM {s}.nodes WHERE unique_id = 'model.shop.orders' ORDER BY run_id"
    )
    assert rows == [
        ("base-1", 'select * from x join "prod"."shop"."stg_orders"'),
        ("base-2", 'select * from x join "prod"."shop"."stg_orders"'),
        ("base-3", 'select id, amount * 2 as amount from "prod"."shop"."stg_orders" -- ⟦ 100% :x'),
        ("current-1", 'select * from x join "pr"."shop"."stg_orders"'),
    ]


@pytest.mark.cases(4)
@pytest.mark.parametrize(
    "code",
    [
        None,
        "",
        "⟦",
        "⟦⟧",
        "⟧ ⟦⟦⟧⟧ ⟦model.shop.stg⟧",
        '⟦"prod"."shop"."stg"⟧"prod"."shop"."stg"',
        '"prod"."shop"."stg""prod"."shop"."other"\n\t\\ \'quoted\' é漢🦆',
        '"prod"."shop"."stg"' * 500,
    ],
)
def test_any_compiled_code_comes_back_to_the_byte(
    empty_store: Any,
    make_run: Callable[..., Project],
    make_model: Callable[..., NodeMetadata],
    code: str | None,
) -> None:
    nodes = [make_model("stg"), make_model("other"), make_model("all", "stg", "other", compiled_code=code)]
    empty_store.record(make_run("only", timedelta(), "sha", nodes))
    assert empty_store.rows("SELECT compiled_code FROM {s}.nodes WHERE name = 'all'") == [(code,)]


def test_lineage_has_one_row_per_run_and_edge(store: Any) -> None:
    rows = store.rows("SELECT node_id, parent_id FROM {s}.lineage WHERE run_id = 'base-3' ORDER BY 1, 2")
    assert rows == [
        ("exposure.shop.dashboard", "model.shop.report"),
        ("model.shop.fresh", "model.shop.orders"),
        ("model.shop.orders", "model.shop.stg_orders"),
        ("model.shop.report", "model.shop.orders"),
        ("model.shop.stg_orders", "source.shop.raw.orders"),
        ("test.shop.long_broken", "model.shop.stg_orders"),
        ("test.shop.unique_orders", "model.shop.orders"),
    ]


def test_lineage_names_kind_and_confidence_of_what_dbt_wrote(store: Any) -> None:
    rows = store.rows(
        "SELECT parent_id, kind, confidence FROM {s}.lineage"
        " WHERE run_id = 'base-3' AND node_id IN ('model.shop.stg_orders', 'exposure.shop.dashboard')"
        " ORDER BY 1"
    )
    assert rows == [("model.shop.report", "ref", 1.0), ("source.shop.raw.orders", "source", 1.0)]


@pytest.mark.parametrize("extractor", ["database", "dbt-sql", "sql"])
def test_kind_and_confidence_of_other_edges_are_unknown_unless_they_are_recorded(
    empty_store: Any,
    make_run: Callable[..., Project],
    make_model: Callable[..., NodeMetadata],
    extractor: str,
) -> None:
    project = make_run("only", timedelta(), "sha", [make_model("stg"), make_model("all", "stg")])
    empty_store.record(replace(project, run=replace(project.run, extractor=extractor)))
    assert empty_store.rows("SELECT node_id, kind, confidence FROM {s}.lineage") == [
        ("model.shop.all", None, None)
    ]


def test_latest_runs_names_one_run_per_environment(store: Any, last_run_at: datetime) -> None:
    rows = store.rows("SELECT environment, run_id, run_at FROM {s}.latest_runs ORDER BY environment")
    assert rows == [
        ("base", "base-3", last_run_at),
        ("current", "current-1", last_run_at - timedelta(hours=1)),
    ]


def test_of_runs_at_the_same_time_the_one_recorded_last_is_the_latest(
    empty_store: Any, make_run: Callable[..., Project], make_model: Callable[..., NodeMetadata]
) -> None:
    for run_id in ("z", "a"):
        empty_store.record(make_run(run_id, timedelta(), "sha", [make_model("only")]))
    assert empty_store.rows("SELECT run_id FROM {s}.latest_runs") == [("a",)]
    assert empty_store.rows("SELECT run_id, previous_run_id FROM {s}.run_steps") == [("a", "z")]


def test_run_steps_pair_a_run_with_the_one_before_it(store: Any) -> None:
    rows = store.rows("SELECT run_id, previous_run_id FROM {s}.run_steps ORDER BY run_id")
    assert rows == [("base-2", "base-1"), ("base-3", "base-2")]


def test_node_columns_explode_the_array_in_order(store: Any) -> None:
    rows = store.rows(
        "SELECT ordinal, column_name, column_type, description, documented FROM {s}.node_columns"
        " WHERE run_id = 'base-2' AND unique_id = 'model.shop.orders' ORDER BY ordinal"
    )
    assert rows == [
        (1, "id", "INTEGER", "Key", True),
        (2, "amount", "INTEGER", "", False),
        (3, "discount_code", "TEXT", "", False),
    ]


def test_node_changes_tell_status_and_what_differs(store: Any) -> None:
    rows = store.rows(
        "SELECT unique_id, status, code_changed, compiled_changed, config_changed, columns_changed,"
        " description_changed, place_changed FROM {s}.node_changes WHERE run_id = 'base-3' ORDER BY unique_id"
    )
    assert rows == [
        ("model.shop.fresh", "added", None, None, None, None, None, None),
        ("model.shop.legacy", "removed", None, None, None, None, None, None),
        ("model.shop.orders", "modified", True, True, False, True, False, False),
    ]


def test_a_run_of_the_same_graph_and_a_first_run_change_nothing(store: Any) -> None:
    assert store.rows("SELECT DISTINCT run_id FROM {s}.node_changes") == [("base-3",)]


def test_a_node_that_only_lives_elsewhere_has_moved(
    empty_store: Any, make_run: Callable[..., Project], make_model: Callable[..., NodeMetadata]
) -> None:
    empty_store.record(make_run("one", timedelta(days=1), "sha", [make_model("it")]))
    elsewhere = make_model("it", schema_name="new", relation_name='"prod"."new"."it"')
    empty_store.record(make_run("two", timedelta(), "sha", [elsewhere]))
    rows = empty_store.rows(
        "SELECT status, code_changed, place_changed, previous_relation_name, relation_name"
        " FROM {s}.node_changes"
    )
    assert rows == [("moved", False, True, '"prod"."shop"."it"', '"prod"."new"."it"')]
    assert empty_store.rows("SELECT * FROM {s}.impacted_nodes") == []


def test_columns_are_not_compared_with_those_of_a_run_without_catalog(
    empty_store: Any, make_run: Callable[..., Project], make_model: Callable[..., NodeMetadata]
) -> None:
    known = make_model("it", columns=(Column("id"), Column("amount")), columns_from="catalog")
    documented = make_model("it", columns=(Column("id"),), columns_from="manifest")
    empty_store.record(make_run("one", timedelta(days=2), "sha", [known]))
    empty_store.record(make_run("two", timedelta(days=1), "sha", [documented]))
    assert empty_store.rows("SELECT * FROM {s}.node_changes") == []
    empty_store.record(make_run("three", timedelta(), "sha", [replace(known, description="New.")]))
    assert empty_store.rows("SELECT status, columns_changed FROM {s}.node_changes") == [("modified", None)]
    assert empty_store.rows("SELECT * FROM {s}.column_changes") == []


def test_nodes_that_one_run_did_not_compile_are_not_changes(
    empty_store: Any, make_run: Callable[..., Project], make_model: Callable[..., NodeMetadata]
) -> None:
    compiled = [make_model("a", compiled_code="select 1"), make_model("b", compiled_code="select 2")]
    tested = [replace(node, compiled_code=None) for node in compiled]
    edited = [replace(tested[0], description="New."), replace(tested[1], materialized="view")]
    again = [replace(edited[0], compiled_code="select 3"), replace(edited[1], compiled_code="select 2")]
    for name, days, nodes in (("one", 4, compiled), ("two", 3, tested), ("three", 2, edited)):
        empty_store.record(make_run(name, timedelta(days=days), "sha", nodes))
    empty_store.record(make_run("four", timedelta(days=1), "sha", again))
    empty_store.record(make_run("five", timedelta(), "sha", [again[0], compiled[1]]))
    rows = empty_store.rows(
        "SELECT run_id, name, status, compiled_changed FROM {s}.node_changes ORDER BY run_at, name"
    )

    assert rows == [
        ("three", "a", "modified", False),
        ("three", "b", "modified", False),
        ("five", "b", "modified", False),
    ]


def test_column_changes_compare_names_whatever_their_case(store: Any) -> None:
    rows = store.rows(
        "SELECT unique_id, column_name, status, previous_column_type, column_type, node_status"
        " FROM {s}.column_changes ORDER BY unique_id, column_name"
    )
    assert rows == [
        ("model.shop.orders", "AMOUNT", "retyped", "INTEGER", "NUMERIC", "modified"),
        ("model.shop.orders", "discount_code", "removed", "TEXT", None, "modified"),
    ]


def test_column_changes_tell_columns_that_come_and_go_with_their_node_and_those_that_change_places(
    empty_store: Any, make_run: Callable[..., Project], make_model: Callable[..., NodeMetadata]
) -> None:
    def having(name: str, *columns: str) -> NodeMetadata:
        return make_model(name, columns=tuple(map(Column, columns)), columns_from="catalog")

    empty_store.record(
        make_run("one", timedelta(days=1), "sha", [having("old", "a"), having("it", "x", "y")])
    )
    empty_store.record(make_run("two", timedelta(), "sha", [having("new", "b"), having("it", "y", "x")]))
    rows = empty_store.rows(
        "SELECT name, column_name, status, previous_ordinal, ordinal, node_status FROM {s}.column_changes"
        " ORDER BY name, column_name"
    )
    assert rows == [
        ("it", "x", "reordered", 1, 2, "modified"),
        ("it", "y", "reordered", 2, 1, "modified"),
        ("new", "b", "added", None, 1, "added"),
        ("old", "a", "removed", 1, None, "removed"),
    ]


def test_lineage_changes_tell_edges_that_came_and_went(store: Any) -> None:
    rows = store.rows(
        "SELECT run_id, node_id, parent_id, status, node_status FROM {s}.lineage_changes ORDER BY node_id"
    )
    assert rows == [
        ("base-3", "model.shop.fresh", "model.shop.orders", "added", "added"),
        ("base-3", "model.shop.legacy", "model.shop.orders", "removed", "removed"),
    ]


def test_impacted_nodes_are_all_that_is_downstream_with_its_distance(store: Any) -> None:
    rows = store.rows(
        "SELECT changed_id, unique_id, distance FROM {s}.impacted_nodes"
        " WHERE run_id = 'base-3' ORDER BY 1, 3, 2"
    )
    assert rows == [
        ("model.shop.orders", "model.shop.fresh", 1),
        ("model.shop.orders", "model.shop.report", 1),
        ("model.shop.orders", "test.shop.unique_orders", 1),
        ("model.shop.orders", "exposure.shop.dashboard", 2),
    ]


def test_what_read_a_removed_node_is_downstream_of_it(
    empty_store: Any, make_run: Callable[..., Project], make_model: Callable[..., NodeMetadata]
) -> None:
    before = [make_model("gone"), make_model("reader", "gone"), make_model("far", "reader")]
    empty_store.record(make_run("one", timedelta(days=1), "sha", before))
    empty_store.record(
        make_run("two", timedelta(), "sha", [make_model("reader"), make_model("far", "reader")])
    )
    rows = empty_store.rows(
        "SELECT unique_id, distance FROM {s}.impacted_nodes"
        " WHERE changed_status = 'removed' ORDER BY distance"
    )
    assert rows == [("model.shop.reader", 1), ("model.shop.far", 2)]


def test_a_cycle_ends_and_distances_are_the_shortest(
    empty_store: Any, make_run: Callable[..., Project], make_model: Callable[..., NodeMetadata]
) -> None:
    def graph(edition: str) -> list[NodeMetadata]:
        return [
            make_model("a", "c", code_hash=edition),
            make_model("b", "a"),
            make_model("c", "b"),
            make_model("d", "c", "a"),
        ]

    empty_store.record(make_run("one", timedelta(days=1), "sha", graph("first")))
    empty_store.record(make_run("two", timedelta(), "sha", graph("second")))
    rows = empty_store.rows("SELECT changed_id, unique_id, distance FROM {s}.impacted_nodes ORDER BY 3, 2")
    assert rows == [
        ("model.shop.a", "model.shop.b", 1),
        ("model.shop.a", "model.shop.d", 1),
        ("model.shop.a", "model.shop.c", 2),
    ]


def test_run_history_says_when_a_version_first_and_last_appeared_and_how_it_fared(
    store: Any, last_run_at: datetime
) -> None:
    rows = store.rows(
        "SELECT first_run_at, last_run_at, runs, results, failures, average_seconds, longest_seconds"
        " FROM {s}.run_history WHERE environment = 'base' AND unique_id = 'model.shop.orders'"
        " ORDER BY first_run_at"
    )
    assert rows == [
        (last_run_at - timedelta(days=30), last_run_at - timedelta(days=2), 2, 2, 0, 15.0, 20.0),
        (last_run_at, last_run_at, 1, 1, 0, 60.0, 60.0),
    ]
    failing = store.rows(
        "SELECT results, failures FROM {s}.run_history"
        " WHERE unique_id = 'test.shop.long_broken' AND results > 0"
    )
    assert failing == [(3, 3)]


def test_a_real_project_is_shown_as_it_was_extracted(empty_store: Any) -> None:
    project = extract_project(ARTIFACTS / "dbt_1.10")
    empty_store.record(project)
    assert sum(1 for node in project.nodes if node.compiled_code) > 20
    assert sorted(
        empty_store.rows("SELECT unique_id, raw_code, compiled_code, relation_name FROM {s}.nodes")
    ) == [(node.unique_id, node.raw_code, node.compiled_code, node.relation_name) for node in project.nodes]
    assert sorted(empty_store.rows("SELECT node_id, parent_id FROM {s}.lineage")) == [
        (edge.node_id, edge.parent_id) for edge in project.edges
    ]
    shown = empty_store.rows("SELECT unique_id, ordinal, column_name, column_type FROM {s}.node_columns")
    assert sorted(shown) == [
        (node.unique_id, ordinal, column.name, column.type)
        for node in project.nodes
        for ordinal, column in enumerate(node.columns, start=1)
    ]
