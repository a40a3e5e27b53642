"""What makes a row of each of the store's tables the same row: the primary keys of `sql/ddl`."""

from __future__ import annotations

from collections.abc import Mapping

KEYS: Mapping[str, tuple[str, ...]] = {
    "runs": ("run_id",),
    "graph_parts": ("graph_id", "part_id"),
    "part_nodes": ("part_id", "unique_id"),
    "node_versions": ("version_id",),
    "version_parents": ("version_id", "parent_id"),
    "macros": ("version_id",),
    "macro_sets": ("macro_set_id", "version_id"),
    "run_results": ("run_id", "unique_id"),
    "node_statistics": ("run_id", "unique_id"),
    "column_statistics": ("run_id", "unique_id", "ordinal"),
    "data_diffs": ("diff_id",),
    "column_diffs": ("diff_id", "ordinal"),
    "column_parts": ("column_graph_id", "part_id"),
    "column_part_nodes": ("part_id", "unique_id"),
    "column_analyses": ("lineage_id",),
    "column_edges": ("lineage_id", "ordinal"),
    "fact_parts": ("run_id", "part_id"),
    "relation_facts": ("part_id", "unique_id"),
    "version_references": ("version_id", "ordinal"),
    "quality_runs": ("quality_run_id",),
    "table_quality": ("quality_run_id", "unique_id"),
    "column_quality": ("quality_run_id", "unique_id", "ordinal"),
    "column_top_values": ("quality_run_id", "unique_id", "ordinal", "place"),
    "quality_metrics": ("quality_run_id", "unique_id", "ordinal", "place"),
    "check_results": ("check_result_id",),
    "graph_steps": ("previous_graph_id", "graph_id", "same_dbt"),
    "graph_changes": ("previous_graph_id", "graph_id", "same_dbt", "unique_id"),
}
"""Key columns by table, all but `store`, which has one row."""
