-- Removes what nothing points to any more, from the outside in.
DELETE FROM run_results
WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.run_id = run_results.run_id);

DELETE FROM node_statistics
WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.run_id = node_statistics.run_id);

DELETE FROM column_statistics
WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.run_id = column_statistics.run_id);

DELETE FROM data_diffs
WHERE NOT EXISTS (
  SELECT 1 FROM runs WHERE runs.run_id = COALESCE(data_diffs.current_run_id, data_diffs.base_run_id)
);

DELETE FROM column_diffs
WHERE NOT EXISTS (SELECT 1 FROM data_diffs WHERE data_diffs.diff_id = column_diffs.diff_id);

DELETE FROM check_results
WHERE NOT EXISTS (
  SELECT 1 FROM runs WHERE runs.run_id = COALESCE(check_results.current_run_id, check_results.base_run_id)
);

DELETE FROM graph_parts
WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.graph_id = graph_parts.graph_id);

DELETE FROM graph_changes
WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.graph_id = graph_changes.graph_id);

DELETE FROM graph_changes
WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.graph_id = graph_changes.previous_graph_id);

DELETE FROM graph_steps
WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.graph_id = graph_steps.graph_id);

DELETE FROM graph_steps
WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.graph_id = graph_steps.previous_graph_id);

DELETE FROM part_nodes
WHERE NOT EXISTS (SELECT 1 FROM graph_parts WHERE graph_parts.part_id = part_nodes.part_id);

DELETE FROM node_versions
WHERE NOT EXISTS (SELECT 1 FROM part_nodes WHERE part_nodes.version_id = node_versions.version_id);

DELETE FROM version_parents
WHERE NOT EXISTS (SELECT 1 FROM node_versions WHERE node_versions.version_id = version_parents.version_id);

DELETE FROM macro_sets
WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.macro_set_id = macro_sets.macro_set_id);

DELETE FROM macros
WHERE NOT EXISTS (SELECT 1 FROM macro_sets WHERE macro_sets.version_id = macros.version_id);

DELETE FROM column_parts
WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.column_graph_id = column_parts.column_graph_id);

DELETE FROM column_part_nodes
WHERE NOT EXISTS (SELECT 1 FROM column_parts WHERE column_parts.part_id = column_part_nodes.part_id);

DELETE FROM column_analyses
WHERE NOT EXISTS (SELECT 1 FROM column_part_nodes WHERE column_part_nodes.lineage_id = column_analyses.lineage_id);

DELETE FROM column_edges
WHERE NOT EXISTS (SELECT 1 FROM column_analyses WHERE column_analyses.lineage_id = column_edges.lineage_id);

DELETE FROM fact_parts
WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.run_id = fact_parts.run_id);

DELETE FROM relation_facts
WHERE NOT EXISTS (SELECT 1 FROM fact_parts WHERE fact_parts.part_id = relation_facts.part_id);

DELETE FROM version_references
WHERE NOT EXISTS (SELECT 1 FROM node_versions WHERE node_versions.version_id = version_references.version_id);

DELETE FROM quality_runs
WHERE NOT EXISTS (SELECT 1 FROM runs WHERE runs.run_id = quality_runs.run_id);

DELETE FROM table_quality
WHERE NOT EXISTS (SELECT 1 FROM quality_runs WHERE quality_runs.quality_run_id = table_quality.quality_run_id);

DELETE FROM column_quality
WHERE NOT EXISTS (SELECT 1 FROM quality_runs WHERE quality_runs.quality_run_id = column_quality.quality_run_id);

DELETE FROM column_top_values
WHERE NOT EXISTS (SELECT 1 FROM quality_runs WHERE quality_runs.quality_run_id = column_top_values.quality_run_id);

DELETE FROM quality_metrics
WHERE NOT EXISTS (SELECT 1 FROM quality_runs WHERE quality_runs.quality_run_id = quality_metrics.quality_run_id);
