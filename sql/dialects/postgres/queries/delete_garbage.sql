-- Removes what nothing points to any more, from the outside in.
DELETE FROM recce_metadata.run_results
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.runs
    WHERE
      runs.run_id = run_results.run_id
  );
DELETE FROM recce_metadata.node_statistics
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.runs
    WHERE
      runs.run_id = node_statistics.run_id
  );
DELETE FROM recce_metadata.column_statistics
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.runs
    WHERE
      runs.run_id = column_statistics.run_id
  );
DELETE FROM recce_metadata.data_diffs
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.runs
    WHERE
      runs.run_id = COALESCE(data_diffs.current_run_id, data_diffs.base_run_id)
  );
DELETE FROM recce_metadata.column_diffs
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.data_diffs
    WHERE
      data_diffs.diff_id = column_diffs.diff_id
  );
DELETE FROM recce_metadata.check_results
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.runs
    WHERE
      runs.run_id = COALESCE(check_results.current_run_id, check_results.base_run_id)
  );
DELETE FROM recce_metadata.graph_parts
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.runs
    WHERE
      runs.graph_id = graph_parts.graph_id
  );
DELETE FROM recce_metadata.graph_changes
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.runs
    WHERE
      runs.graph_id = graph_changes.graph_id
  );
DELETE FROM recce_metadata.graph_changes
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.runs
    WHERE
      runs.graph_id = graph_changes.previous_graph_id
  );
DELETE FROM recce_metadata.graph_steps
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.runs
    WHERE
      runs.graph_id = graph_steps.graph_id
  );
DELETE FROM recce_metadata.graph_steps
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.runs
    WHERE
      runs.graph_id = graph_steps.previous_graph_id
  );
DELETE FROM recce_metadata.part_nodes
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.graph_parts
    WHERE
      graph_parts.part_id = part_nodes.part_id
  );
DELETE FROM recce_metadata.node_versions
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.part_nodes
    WHERE
      part_nodes.version_id = node_versions.version_id
  );
DELETE FROM recce_metadata.version_parents
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.node_versions
    WHERE
      node_versions.version_id = version_parents.version_id
  );
DELETE FROM recce_metadata.macro_sets
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.runs
    WHERE
      runs.macro_set_id = macro_sets.macro_set_id
  );
DELETE FROM recce_metadata.macros
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.macro_sets
    WHERE
      macro_sets.version_id = macros.version_id
  );
DELETE FROM recce_metadata.column_parts
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.runs
    WHERE
      runs.column_graph_id = column_parts.column_graph_id
  );
DELETE FROM recce_metadata.column_part_nodes
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.column_parts
    WHERE
      column_parts.part_id = column_part_nodes.part_id
  );
DELETE FROM recce_metadata.column_analyses
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.column_part_nodes
    WHERE
      column_part_nodes.lineage_id = column_analyses.lineage_id
  );
DELETE FROM recce_metadata.column_edges
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.column_analyses
    WHERE
      column_analyses.lineage_id = column_edges.lineage_id
  );
DELETE FROM recce_metadata.fact_parts
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.runs
    WHERE
      runs.run_id = fact_parts.run_id
  );
DELETE FROM recce_metadata.relation_facts
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.fact_parts
    WHERE
      fact_parts.part_id = relation_facts.part_id
  );
DELETE FROM recce_metadata.version_references
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.node_versions
    WHERE
      node_versions.version_id = version_references.version_id
  );
DELETE FROM recce_metadata.quality_runs
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.runs
    WHERE
      runs.run_id = quality_runs.run_id
  );
DELETE FROM recce_metadata.table_quality
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.quality_runs
    WHERE
      quality_runs.quality_run_id = table_quality.quality_run_id
  );
DELETE FROM recce_metadata.column_quality
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.quality_runs
    WHERE
      quality_runs.quality_run_id = column_quality.quality_run_id
  );
DELETE FROM recce_metadata.column_top_values
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.quality_runs
    WHERE
      quality_runs.quality_run_id = column_top_values.quality_run_id
  );
DELETE FROM recce_metadata.quality_metrics
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM recce_metadata.quality_runs
    WHERE
      quality_runs.quality_run_id = quality_metrics.quality_run_id
  );
