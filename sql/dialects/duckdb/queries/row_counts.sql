-- How many rows each table has.
SELECT
  'runs' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.runs
UNION ALL
SELECT
  'run_results' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.run_results
UNION ALL
SELECT
  'graph_parts' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.graph_parts
UNION ALL
SELECT
  'part_nodes' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.part_nodes
UNION ALL
SELECT
  'graph_steps' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.graph_steps
UNION ALL
SELECT
  'graph_changes' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.graph_changes
UNION ALL
SELECT
  'node_versions' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.node_versions
UNION ALL
SELECT
  'version_parents' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.version_parents
UNION ALL
SELECT
  'macro_sets' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.macro_sets
UNION ALL
SELECT
  'macros' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.macros
UNION ALL
SELECT
  'node_statistics' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.node_statistics
UNION ALL
SELECT
  'column_statistics' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.column_statistics
UNION ALL
SELECT
  'data_diffs' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.data_diffs
UNION ALL
SELECT
  'column_diffs' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.column_diffs
UNION ALL
SELECT
  'column_parts' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.column_parts
UNION ALL
SELECT
  'column_part_nodes' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.column_part_nodes
UNION ALL
SELECT
  'column_analyses' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.column_analyses
UNION ALL
SELECT
  'column_edges' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.column_edges
UNION ALL
SELECT
  'fact_parts' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.fact_parts
UNION ALL
SELECT
  'relation_facts' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.relation_facts
UNION ALL
SELECT
  'version_references' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.version_references
UNION ALL
SELECT
  'quality_runs' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.quality_runs
UNION ALL
SELECT
  'table_quality' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.table_quality
UNION ALL
SELECT
  'column_quality' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.column_quality
UNION ALL
SELECT
  'column_top_values' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.column_top_values
UNION ALL
SELECT
  'quality_metrics' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.quality_metrics
UNION ALL
SELECT
  'check_results' AS table_name,
  COUNT(*) AS row_count
FROM recce_metadata.check_results;
