-- Delete rows without references, starting at the tables closest to runs.
DELETE FROM store_run_results
WHERE
  NOT COALESCE(
    store_run_results.run_id IN (
      SELECT
        runs.run_id
      FROM store_runs AS runs
      WHERE
        NOT runs.run_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_run_hashes
WHERE
  NOT COALESCE(
    store_run_hashes.run_id IN (
      SELECT
        runs.run_id
      FROM store_runs AS runs
      WHERE
        NOT runs.run_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_node_statistics
WHERE
  NOT COALESCE(
    store_node_statistics.run_id IN (
      SELECT
        runs.run_id
      FROM store_runs AS runs
      WHERE
        NOT runs.run_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_column_statistics
WHERE
  NOT COALESCE(
    store_column_statistics.run_id IN (
      SELECT
        runs.run_id
      FROM store_runs AS runs
      WHERE
        NOT runs.run_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_data_diffs
WHERE
  NOT COALESCE(
    COALESCE(store_data_diffs.current_run_id, store_data_diffs.base_run_id) IN (
      SELECT
        runs.run_id
      FROM store_runs AS runs
      WHERE
        NOT runs.run_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_column_diffs
WHERE
  NOT COALESCE(
    store_column_diffs.diff_id IN (
      SELECT
        data_diffs.diff_id
      FROM store_data_diffs AS data_diffs
      WHERE
        NOT data_diffs.diff_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_check_results
WHERE
  NOT COALESCE(
    COALESCE(store_check_results.current_run_id, store_check_results.base_run_id) IN (
      SELECT
        runs.run_id
      FROM store_runs AS runs
      WHERE
        NOT runs.run_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_reviews
WHERE
  NOT COALESCE(
    store_reviews.current_run_id IN (
      SELECT
        runs.run_id
      FROM store_runs AS runs
      WHERE
        NOT runs.run_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_graph_parts
WHERE
  NOT COALESCE(
    store_graph_parts.graph_id IN (
      SELECT
        runs.graph_id
      FROM store_runs AS runs
      WHERE
        NOT runs.graph_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_graph_changes
WHERE
  NOT COALESCE(
    store_graph_changes.graph_id IN (
      SELECT
        runs.graph_id
      FROM store_runs AS runs
      WHERE
        NOT runs.graph_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_graph_changes
WHERE
  NOT COALESCE(
    store_graph_changes.previous_graph_id IN (
      SELECT
        runs.graph_id
      FROM store_runs AS runs
      WHERE
        NOT runs.graph_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_graph_steps
WHERE
  NOT COALESCE(
    store_graph_steps.graph_id IN (
      SELECT
        runs.graph_id
      FROM store_runs AS runs
      WHERE
        NOT runs.graph_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_graph_steps
WHERE
  NOT COALESCE(
    store_graph_steps.previous_graph_id IN (
      SELECT
        runs.graph_id
      FROM store_runs AS runs
      WHERE
        NOT runs.graph_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_graph_impacts
WHERE
  NOT COALESCE(
    store_graph_impacts.impacts_id IN (
      SELECT
        graph_steps.impacts_id
      FROM store_graph_steps AS graph_steps
      WHERE
        NOT graph_steps.impacts_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_code_steps
WHERE
  NOT COALESCE(
    store_code_steps.graph_id IN (
      SELECT
        runs.graph_id
      FROM store_runs AS runs
      WHERE
        NOT runs.graph_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_code_steps
WHERE
  NOT COALESCE(
    store_code_steps.macro_set_id IN (
      SELECT
        runs.macro_set_id
      FROM store_runs AS runs
      WHERE
        NOT runs.macro_set_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_code_steps
WHERE
  NOT COALESCE(
    store_code_steps.previous_graph_id IN (
      SELECT
        runs.graph_id
      FROM store_runs AS runs
      WHERE
        NOT runs.graph_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_code_steps
WHERE
  NOT COALESCE(
    store_code_steps.previous_macro_set_id IN (
      SELECT
        runs.macro_set_id
      FROM store_runs AS runs
      WHERE
        NOT runs.macro_set_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_code_changes
WHERE
  NOT COALESCE(
    store_code_changes.step_id IN (
      SELECT
        code_steps.step_id
      FROM store_code_steps AS code_steps
      WHERE
        NOT code_steps.step_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_part_nodes
WHERE
  NOT COALESCE(
    store_part_nodes.part_id IN (
      SELECT
        graph_parts.part_id
      FROM store_graph_parts AS graph_parts
      WHERE
        NOT graph_parts.part_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_node_versions
WHERE
  NOT COALESCE(
    store_node_versions.version_id IN (
      SELECT
        part_nodes.version_id
      FROM store_part_nodes AS part_nodes
      WHERE
        NOT part_nodes.version_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_version_parents
WHERE
  NOT COALESCE(
    store_version_parents.version_id IN (
      SELECT
        node_versions.version_id
      FROM store_node_versions AS node_versions
      WHERE
        NOT node_versions.version_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_macro_sets
WHERE
  NOT COALESCE(
    store_macro_sets.macro_set_id IN (
      SELECT
        runs.macro_set_id
      FROM store_runs AS runs
      WHERE
        NOT runs.macro_set_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_macros
WHERE
  NOT COALESCE(
    store_macros.version_id IN (
      SELECT
        macro_sets.version_id
      FROM store_macro_sets AS macro_sets
      WHERE
        NOT macro_sets.version_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_column_parts
WHERE
  NOT COALESCE(
    store_column_parts.column_graph_id IN (
      SELECT
        runs.column_graph_id
      FROM store_runs AS runs
      WHERE
        NOT runs.column_graph_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_column_part_nodes
WHERE
  NOT COALESCE(
    store_column_part_nodes.part_id IN (
      SELECT
        column_parts.part_id
      FROM store_column_parts AS column_parts
      WHERE
        NOT column_parts.part_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_column_analyses
WHERE
  NOT COALESCE(
    store_column_analyses.lineage_id IN (
      SELECT
        column_part_nodes.lineage_id
      FROM store_column_part_nodes AS column_part_nodes
      WHERE
        NOT column_part_nodes.lineage_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_column_edges
WHERE
  NOT COALESCE(
    store_column_edges.lineage_id IN (
      SELECT
        column_analyses.lineage_id
      FROM store_column_analyses AS column_analyses
      WHERE
        NOT column_analyses.lineage_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_fact_parts
WHERE
  NOT COALESCE(
    store_fact_parts.run_id IN (
      SELECT
        runs.run_id
      FROM store_runs AS runs
      WHERE
        NOT runs.run_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_relation_facts
WHERE
  NOT COALESCE(
    store_relation_facts.part_id IN (
      SELECT
        fact_parts.part_id
      FROM store_fact_parts AS fact_parts
      WHERE
        NOT fact_parts.part_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_version_references
WHERE
  NOT COALESCE(
    store_version_references.version_id IN (
      SELECT
        node_versions.version_id
      FROM store_node_versions AS node_versions
      WHERE
        NOT node_versions.version_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_quality_runs
WHERE
  NOT COALESCE(
    store_quality_runs.run_id IN (
      SELECT
        runs.run_id
      FROM store_runs AS runs
      WHERE
        NOT runs.run_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_table_quality
WHERE
  NOT COALESCE(
    store_table_quality.quality_run_id IN (
      SELECT
        quality_runs.quality_run_id
      FROM store_quality_runs AS quality_runs
      WHERE
        NOT quality_runs.quality_run_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_column_quality
WHERE
  NOT COALESCE(
    store_column_quality.quality_run_id IN (
      SELECT
        quality_runs.quality_run_id
      FROM store_quality_runs AS quality_runs
      WHERE
        NOT quality_runs.quality_run_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_column_top_values
WHERE
  NOT COALESCE(
    store_column_top_values.quality_run_id IN (
      SELECT
        quality_runs.quality_run_id
      FROM store_quality_runs AS quality_runs
      WHERE
        NOT quality_runs.quality_run_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_quality_metrics
WHERE
  NOT COALESCE(
    store_quality_metrics.quality_run_id IN (
      SELECT
        quality_runs.quality_run_id
      FROM store_quality_runs AS quality_runs
      WHERE
        NOT quality_runs.quality_run_id IS NULL
    ),
    FALSE
  );
/* The arriving object of a conflict is kept as long as the stored one. */
DELETE FROM store_sync_conflicts
WHERE
  NOT run_id IS NULL
  AND NOT COALESCE(
    store_sync_conflicts.run_id IN (
      SELECT
        runs.run_id
      FROM store_runs AS runs
      WHERE
        NOT runs.run_id IS NULL
    ),
    FALSE
  );
DELETE FROM store_sync_conflict_pieces
WHERE
  NOT COALESCE(
    store_sync_conflict_pieces.conflict_id IN (
      SELECT
        sync_conflicts.conflict_id
      FROM store_sync_conflicts AS sync_conflicts
      WHERE
        NOT sync_conflicts.conflict_id IS NULL
    ),
    FALSE
  );
