-- What is stored of arriving runs: the runs with their hashes and column graphs, their deletions, and the graphs, the sets
-- of macros and the column graphs that they refer to and that are stored completely, because a recorded run has them.
SELECT
  'runs' AS kind,
  runs.run_id AS object_id,
  hashes.content_hash AS content,
  runs.column_graph_id
FROM recce_metadata.store_runs AS runs
LEFT JOIN recce_metadata.store_run_hashes AS hashes
  ON hashes.run_id = runs.run_id
WHERE
  runs.run_id IN UNNEST(SPLIT(:ids, CHR(10)))
UNION ALL
SELECT
  'tombstones' AS kind,
  run_id AS object_id,
  CAST(NULL AS STRING) AS content,
  CAST(NULL AS STRING) AS column_graph_id
FROM recce_metadata.store_tombstones
WHERE
  run_id IN UNNEST(SPLIT(:ids, CHR(10)))
UNION ALL
SELECT DISTINCT
  'graph_parts' AS kind,
  graph_id AS object_id,
  CAST(NULL AS STRING) AS content,
  CAST(NULL AS STRING) AS column_graph_id
FROM recce_metadata.store_runs
WHERE
  graph_id IN UNNEST(SPLIT(:graph_ids, CHR(10)))
UNION ALL
SELECT DISTINCT
  'macro_sets' AS kind,
  macro_set_id AS object_id,
  CAST(NULL AS STRING) AS content,
  CAST(NULL AS STRING) AS column_graph_id
FROM recce_metadata.store_runs
WHERE
  macro_set_id IN UNNEST(SPLIT(:macro_set_ids, CHR(10)))
UNION ALL
SELECT DISTINCT
  'column_parts' AS kind,
  column_graph_id AS object_id,
  CAST(NULL AS STRING) AS content,
  CAST(NULL AS STRING) AS column_graph_id
FROM recce_metadata.store_runs
WHERE
  column_graph_id IN UNNEST(SPLIT(:column_graph_ids, CHR(10)));
