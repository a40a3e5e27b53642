-- Delete rows without references, starting at the tables closest to runs.
DELETE FROM store_run_results
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.run_id = store_run_results.run_id);

DELETE FROM store_source_freshness
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.run_id = store_source_freshness.run_id);

DELETE FROM store_run_hashes
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.run_id = store_run_hashes.run_id);

DELETE FROM store_node_statistics
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.run_id = store_node_statistics.run_id);

DELETE FROM store_column_statistics
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.run_id = store_column_statistics.run_id);

DELETE FROM store_data_diffs
WHERE NOT EXISTS (
  SELECT 1 FROM store_runs AS runs WHERE runs.run_id = COALESCE(store_data_diffs.current_run_id, store_data_diffs.base_run_id)
);

DELETE FROM store_column_diffs
WHERE NOT EXISTS (SELECT 1 FROM store_data_diffs AS data_diffs WHERE data_diffs.diff_id = store_column_diffs.diff_id);

DELETE FROM store_kept_diffs
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.run_id = store_kept_diffs.base_run_id);

DELETE FROM store_kept_diffs
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.run_id = store_kept_diffs.current_run_id);

DELETE FROM store_check_results
WHERE NOT EXISTS (
  SELECT 1 FROM store_runs AS runs WHERE runs.run_id = COALESCE(store_check_results.current_run_id, store_check_results.base_run_id)
);

DELETE FROM store_reviews
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.run_id = store_reviews.current_run_id);

DELETE FROM store_graph_parts
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.graph_id = store_graph_parts.graph_id);

DELETE FROM store_graph_changes
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.graph_id = store_graph_changes.graph_id);

DELETE FROM store_graph_changes
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.graph_id = store_graph_changes.previous_graph_id);

DELETE FROM store_graph_steps
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.graph_id = store_graph_steps.graph_id);

DELETE FROM store_graph_steps
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.graph_id = store_graph_steps.previous_graph_id);

DELETE FROM store_graph_impacts
WHERE NOT EXISTS (SELECT 1 FROM store_graph_steps AS graph_steps WHERE graph_steps.impacts_id = store_graph_impacts.impacts_id);

DELETE FROM store_code_steps
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.graph_id = store_code_steps.graph_id);

DELETE FROM store_code_steps
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.macro_set_id = store_code_steps.macro_set_id);

DELETE FROM store_code_steps
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.graph_id = store_code_steps.previous_graph_id);

DELETE FROM store_code_steps
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.macro_set_id = store_code_steps.previous_macro_set_id);

DELETE FROM store_code_changes
WHERE NOT EXISTS (SELECT 1 FROM store_code_steps AS code_steps WHERE code_steps.step_id = store_code_changes.step_id);

DELETE FROM store_part_nodes
WHERE NOT EXISTS (SELECT 1 FROM store_graph_parts AS graph_parts WHERE graph_parts.part_id = store_part_nodes.part_id);

DELETE FROM store_node_versions
WHERE NOT EXISTS (SELECT 1 FROM store_part_nodes AS part_nodes WHERE part_nodes.version_id = store_node_versions.version_id);

DELETE FROM store_version_parents
WHERE NOT EXISTS (SELECT 1 FROM store_node_versions AS node_versions WHERE node_versions.version_id = store_version_parents.version_id);

DELETE FROM store_macro_sets
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.macro_set_id = store_macro_sets.macro_set_id);

DELETE FROM store_macros
WHERE NOT EXISTS (SELECT 1 FROM store_macro_sets AS macro_sets WHERE macro_sets.version_id = store_macros.version_id);

DELETE FROM store_column_parts
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.column_graph_id = store_column_parts.column_graph_id);

DELETE FROM store_column_part_nodes
WHERE NOT EXISTS (SELECT 1 FROM store_column_parts AS column_parts WHERE column_parts.part_id = store_column_part_nodes.part_id);

DELETE FROM store_column_analyses
WHERE NOT EXISTS (SELECT 1 FROM store_column_part_nodes AS column_part_nodes WHERE column_part_nodes.lineage_id = store_column_analyses.lineage_id);

DELETE FROM store_column_edges
WHERE NOT EXISTS (SELECT 1 FROM store_column_analyses AS column_analyses WHERE column_analyses.lineage_id = store_column_edges.lineage_id);

DELETE FROM store_fact_parts
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.run_id = store_fact_parts.run_id);

DELETE FROM store_relation_facts
WHERE NOT EXISTS (SELECT 1 FROM store_fact_parts AS fact_parts WHERE fact_parts.part_id = store_relation_facts.part_id);

DELETE FROM store_version_references
WHERE NOT EXISTS (SELECT 1 FROM store_node_versions AS node_versions WHERE node_versions.version_id = store_version_references.version_id);

DELETE FROM store_quality_runs
WHERE NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.run_id = store_quality_runs.run_id);

DELETE FROM store_table_quality
WHERE NOT EXISTS (SELECT 1 FROM store_quality_runs AS quality_runs WHERE quality_runs.quality_run_id = store_table_quality.quality_run_id);

DELETE FROM store_column_quality
WHERE NOT EXISTS (SELECT 1 FROM store_quality_runs AS quality_runs WHERE quality_runs.quality_run_id = store_column_quality.quality_run_id);

DELETE FROM store_column_top_values
WHERE NOT EXISTS (SELECT 1 FROM store_quality_runs AS quality_runs WHERE quality_runs.quality_run_id = store_column_top_values.quality_run_id);

DELETE FROM store_quality_metrics
WHERE NOT EXISTS (SELECT 1 FROM store_quality_runs AS quality_runs WHERE quality_runs.quality_run_id = store_quality_metrics.quality_run_id);

-- The arriving object of a conflict is kept as long as the stored one.
DELETE FROM store_sync_conflicts
WHERE NOT run_id IS NULL AND NOT EXISTS (SELECT 1 FROM store_runs AS runs WHERE runs.run_id = store_sync_conflicts.run_id);

DELETE FROM store_sync_conflict_pieces
WHERE NOT EXISTS (
  SELECT 1 FROM store_sync_conflicts AS sync_conflicts WHERE sync_conflicts.conflict_id = store_sync_conflict_pieces.conflict_id
);
