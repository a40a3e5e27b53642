-- How much does the store hold, and how much does sharing between runs save?
-- Asked by: the owner of the warehouse. `rows_shown` is the number of rows if every run were stored in full.
-- Answer: nodes | 15 590 rows stored | 510 000 rows shown | 24 000 000 characters of text
-- Topic: Project
WITH node_parts AS (
  SELECT place.part_id, COUNT(*) AS nodes, SUM(COALESCE(version.edges, 0)) AS edges
  FROM store_part_nodes AS place
  LEFT JOIN (
    SELECT version_id, COUNT(*) AS edges FROM store_version_parents GROUP BY version_id
  ) AS version ON version.version_id = place.version_id
  GROUP BY place.part_id
), shown AS (
  SELECT
    CAST(COALESCE(SUM(used.runs * node_parts.nodes), 0) AS BIGINT) AS nodes,
    CAST(COALESCE(SUM(used.runs * node_parts.edges), 0) AS BIGINT) AS edges
  FROM (
    SELECT graph_parts.part_id, COUNT(*) AS runs
    FROM runs
    JOIN store_graph_parts AS graph_parts ON graph_parts.graph_id = runs.graph_id
    GROUP BY graph_parts.part_id
  ) AS used
  JOIN node_parts ON node_parts.part_id = used.part_id
), analysed_parts AS (
  SELECT place.part_id, COUNT(*) AS nodes, SUM(COALESCE(analysis.edges, 0)) AS edges
  FROM store_column_part_nodes AS place
  LEFT JOIN (
    SELECT lineage_id, COUNT(*) AS edges FROM store_column_edges GROUP BY lineage_id
  ) AS analysis ON analysis.lineage_id = place.lineage_id
  GROUP BY place.part_id
), shown_columns AS (
  SELECT
    CAST(COALESCE(SUM(used.runs * analysed_parts.nodes), 0) AS BIGINT) AS nodes,
    CAST(COALESCE(SUM(used.runs * analysed_parts.edges), 0) AS BIGINT) AS edges
  FROM (
    SELECT column_parts.part_id, COUNT(*) AS runs
    FROM runs
    JOIN store_column_parts AS column_parts ON column_parts.column_graph_id = runs.column_graph_id
    GROUP BY column_parts.part_id
  ) AS used
  JOIN analysed_parts ON analysed_parts.part_id = used.part_id
)
SELECT 'runs' AS relation, COUNT(*) AS rows_stored, COUNT(*) AS rows_shown, 0 AS characters_of_text
FROM runs
UNION ALL
SELECT
  'node_versions',
  COUNT(*),
  (SELECT nodes FROM shown),
  CAST(COALESCE(
    SUM(
      COALESCE(LENGTH(raw_code), 0) + COALESCE(LENGTH(compiled_code), 0) + LENGTH(description)
      + LENGTH(CAST(config AS TEXT)) + LENGTH(CAST(columns AS TEXT)) + LENGTH(CAST(meta AS TEXT))
      + LENGTH(CAST(properties AS TEXT))
    ),
    0
  ) AS BIGINT)
FROM store_node_versions
UNION ALL
SELECT 'part_nodes', COUNT(*), (SELECT nodes FROM shown), 0
FROM store_part_nodes
UNION ALL
SELECT 'graph_parts', COUNT(*), COUNT(*), 0
FROM store_graph_parts
UNION ALL
SELECT 'version_parents', COUNT(*), (SELECT edges FROM shown), 0
FROM store_version_parents
UNION ALL
SELECT 'macros', COUNT(*), (SELECT COUNT(*) FROM runs JOIN store_macro_sets AS macro_sets ON macro_sets.macro_set_id = runs.macro_set_id), CAST(COALESCE(SUM(LENGTH(macro_sql)), 0) AS BIGINT)
FROM store_macros
UNION ALL
SELECT 'macro_sets', COUNT(*), COUNT(*), 0
FROM store_macro_sets AS macro_sets
UNION ALL
SELECT 'run_results', COUNT(*), COUNT(*), CAST(COALESCE(SUM(LENGTH(message)), 0) AS BIGINT)
FROM run_results
UNION ALL
SELECT 'node_statistics', COUNT(*), COUNT(*), CAST(COALESCE(SUM(LENGTH(reason)), 0) AS BIGINT)
FROM node_statistics
UNION ALL
SELECT 'column_statistics', COUNT(*), COUNT(*), CAST(COALESCE(SUM(COALESCE(LENGTH(min_value), 0) + COALESCE(LENGTH(max_value), 0)), 0) AS BIGINT)
FROM column_statistics
UNION ALL
SELECT 'data_diffs', COUNT(*), COUNT(*), CAST(COALESCE(SUM(LENGTH(CAST(result AS TEXT))), 0) AS BIGINT)
FROM store_data_diffs
UNION ALL
SELECT 'column_diffs', COUNT(*), COUNT(*), 0
FROM store_column_diffs
UNION ALL
SELECT 'column_parts', COUNT(*), COUNT(*), 0
FROM store_column_parts
UNION ALL
SELECT 'column_part_nodes', COUNT(*), (SELECT nodes FROM shown_columns), 0
FROM store_column_part_nodes
UNION ALL
SELECT 'column_analyses', COUNT(*), (SELECT nodes FROM shown_columns), CAST(COALESCE(SUM(LENGTH(reason)), 0) AS BIGINT)
FROM store_column_analyses
UNION ALL
SELECT
  'column_edges',
  COUNT(*),
  (SELECT edges FROM shown_columns),
  CAST(COALESCE(SUM(LENGTH(expression)), 0) AS BIGINT)
FROM store_column_edges
UNION ALL
SELECT 'fact_parts', COUNT(*), COUNT(*), 0
FROM store_fact_parts AS fact_parts
UNION ALL
SELECT 'relation_facts', COUNT(*), (SELECT COUNT(*) FROM store_fact_parts AS fact_parts JOIN store_relation_facts AS relation_facts ON relation_facts.part_id = fact_parts.part_id), 0
FROM store_relation_facts AS relation_facts
UNION ALL
SELECT 'version_references', COUNT(*), (SELECT COUNT(*) FROM foreign_keys), 0
FROM store_version_references
UNION ALL
SELECT 'quality_runs', COUNT(*), COUNT(*), 0
FROM quality_runs
UNION ALL
SELECT 'table_quality', COUNT(*), COUNT(*), CAST(COALESCE(SUM(LENGTH(reason)), 0) AS BIGINT)
FROM table_quality
UNION ALL
SELECT 'column_quality', COUNT(*), COUNT(*), CAST(COALESCE(SUM(COALESCE(LENGTH(min_value), 0) + COALESCE(LENGTH(max_value), 0)), 0) AS BIGINT)
FROM column_quality
UNION ALL
SELECT 'column_top_values', COUNT(*), COUNT(*), CAST(COALESCE(SUM(LENGTH(value)), 0) AS BIGINT)
FROM column_top_values
UNION ALL
SELECT 'quality_metrics', COUNT(*), COUNT(*), CAST(COALESCE(SUM(LENGTH(value)), 0) AS BIGINT)
FROM quality_metrics
ORDER BY relation;
