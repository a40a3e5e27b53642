-- How much does the store hold, and how much does sharing between runs save?
-- Asked by: the owner of the warehouse. `rows_shown` is the number of rows if every run were stored in full.
-- Answer: nodes | 15 590 rows stored | 510 000 rows shown | 24 000 000 characters of text
WITH graph_sizes AS (
  SELECT
    place.graph_id,
    COUNT(*) AS nodes
  FROM recce_metadata.store_graph_nodes AS place
  GROUP BY
    place.graph_id
), shown AS (
  SELECT
    CAST(COALESCE(SUM(graph_sizes.nodes), 0) AS BIGINT) AS nodes
  FROM recce_metadata.runs
  JOIN graph_sizes
    ON graph_sizes.graph_id = runs.graph_id
)
SELECT
  'runs' AS relation,
  COUNT(*) AS rows_stored,
  COUNT(*) AS rows_shown,
  0 AS characters_of_text
FROM recce_metadata.runs
UNION ALL
SELECT
  'node_versions',
  COUNT(*),
  (
    SELECT
      nodes
    FROM shown
  ),
  CAST(COALESCE(
    SUM(
      COALESCE(LENGTH(raw_code), 0) + COALESCE(LENGTH(compiled_code), 0) + LENGTH(description) + LENGTH(config) + LENGTH(columns) + LENGTH(meta) + LENGTH(properties)
    ),
    0
  ) AS BIGINT)
FROM recce_metadata.store_node_versions
UNION ALL
SELECT
  'part_nodes',
  COUNT(*),
  (
    SELECT
      nodes
    FROM shown
  ),
  0
FROM recce_metadata.store_part_nodes
UNION ALL
SELECT
  'graph_parts',
  COUNT(*),
  COUNT(*),
  0
FROM recce_metadata.store_graph_parts
UNION ALL
SELECT
  'version_parents',
  COUNT(*),
  (
    SELECT
      COUNT(*)
    FROM recce_metadata.lineage
  ),
  0
FROM recce_metadata.store_version_parents
UNION ALL
SELECT
  'macros',
  COUNT(*),
  (
    SELECT
      COUNT(*)
    FROM recce_metadata.runs
    JOIN recce_metadata.store_macro_sets AS macro_sets
      ON macro_sets.macro_set_id = runs.macro_set_id
  ),
  CAST(COALESCE(SUM(LENGTH(macro_sql)), 0) AS BIGINT)
FROM recce_metadata.store_macros
UNION ALL
SELECT
  'macro_sets',
  COUNT(*),
  COUNT(*),
  0
FROM recce_metadata.store_macro_sets AS macro_sets
UNION ALL
SELECT
  'run_results',
  COUNT(*),
  COUNT(*),
  CAST(COALESCE(SUM(LENGTH(message)), 0) AS BIGINT)
FROM recce_metadata.run_results
UNION ALL
SELECT
  'node_statistics',
  COUNT(*),
  COUNT(*),
  CAST(COALESCE(SUM(LENGTH(reason)), 0) AS BIGINT)
FROM recce_metadata.node_statistics
UNION ALL
SELECT
  'column_statistics',
  COUNT(*),
  COUNT(*),
  CAST(COALESCE(SUM(COALESCE(LENGTH(min_value), 0) + COALESCE(LENGTH(max_value), 0)), 0) AS BIGINT)
FROM recce_metadata.column_statistics
UNION ALL
SELECT
  'data_diffs',
  COUNT(*),
  COUNT(*),
  CAST(COALESCE(SUM(LENGTH(result)), 0) AS BIGINT)
FROM recce_metadata.store_data_diffs
UNION ALL
SELECT
  'column_diffs',
  COUNT(*),
  COUNT(*),
  0
FROM recce_metadata.store_column_diffs
UNION ALL
SELECT
  'column_parts',
  COUNT(*),
  COUNT(*),
  0
FROM recce_metadata.store_column_parts
UNION ALL
SELECT
  'column_part_nodes',
  COUNT(*),
  (
    SELECT
      COUNT(*)
    FROM recce_metadata.column_analysis
  ),
  0
FROM recce_metadata.store_column_part_nodes
UNION ALL
SELECT
  'column_analyses',
  COUNT(*),
  (
    SELECT
      COUNT(*)
    FROM recce_metadata.column_analysis
  ),
  CAST(COALESCE(SUM(LENGTH(reason)), 0) AS BIGINT)
FROM recce_metadata.store_column_analyses
UNION ALL
SELECT
  'column_edges',
  COUNT(*),
  (
    SELECT
      COUNT(*)
    FROM recce_metadata.column_lineage
  ) + (
    SELECT
      COUNT(*)
    FROM recce_metadata.column_usage
  ),
  CAST(COALESCE(SUM(LENGTH(expression)), 0) AS BIGINT)
FROM recce_metadata.store_column_edges
UNION ALL
SELECT
  'fact_parts',
  COUNT(*),
  COUNT(*),
  0
FROM recce_metadata.store_fact_parts AS fact_parts
UNION ALL
SELECT
  'relation_facts',
  COUNT(*),
  (
    SELECT
      COUNT(*)
    FROM recce_metadata.store_fact_parts AS fact_parts
    JOIN recce_metadata.store_relation_facts AS relation_facts
      ON relation_facts.part_id = fact_parts.part_id
  ),
  0
FROM recce_metadata.store_relation_facts AS relation_facts
UNION ALL
SELECT
  'version_references',
  COUNT(*),
  (
    SELECT
      COUNT(*)
    FROM recce_metadata.foreign_keys
  ),
  0
FROM recce_metadata.store_version_references
UNION ALL
SELECT
  'quality_runs',
  COUNT(*),
  COUNT(*),
  0
FROM recce_metadata.quality_runs
UNION ALL
SELECT
  'table_quality',
  COUNT(*),
  COUNT(*),
  CAST(COALESCE(SUM(LENGTH(reason)), 0) AS BIGINT)
FROM recce_metadata.table_quality
UNION ALL
SELECT
  'column_quality',
  COUNT(*),
  COUNT(*),
  CAST(COALESCE(SUM(COALESCE(LENGTH(min_value), 0) + COALESCE(LENGTH(max_value), 0)), 0) AS BIGINT)
FROM recce_metadata.column_quality
UNION ALL
SELECT
  'column_top_values',
  COUNT(*),
  COUNT(*),
  CAST(COALESCE(SUM(LENGTH(value)), 0) AS BIGINT)
FROM recce_metadata.column_top_values
UNION ALL
SELECT
  'quality_metrics',
  COUNT(*),
  COUNT(*),
  CAST(COALESCE(SUM(LENGTH(value)), 0) AS BIGINT)
FROM recce_metadata.quality_metrics
ORDER BY
  relation NULLS LAST;
