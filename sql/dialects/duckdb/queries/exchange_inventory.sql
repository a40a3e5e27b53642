-- Objects of the store: kind, id, a text that differs if the contents differ, run, project, and when a run was recorded or deleted,
-- or its statistics were measured last.
SELECT
  'run' AS kind,
  runs.run_id AS object_id,
  hashes.content_hash AS content,
  runs.run_id,
  runs.project_name,
  runs.recorded_at
FROM recce_metadata.store_runs AS runs
LEFT JOIN recce_metadata.store_run_hashes AS hashes
  ON hashes.run_id = runs.run_id
UNION ALL
SELECT
  'column lineage' AS kind,
  run_id AS object_id,
  '' AS content,
  run_id,
  project_name,
  recorded_at
FROM recce_metadata.store_runs
WHERE
  NOT column_graph_id IS NULL
UNION ALL
SELECT
  'statistics' AS kind,
  run_id AS object_id,
  CAST(SUM(is_node) AS TEXT) || ' ' || CAST(SUM(is_column) AS TEXT) || ' ' || CAST(CAST(SUM(total) AS BIGINT) AS TEXT) AS content,
  run_id,
  CAST(NULL AS TEXT) AS project_name,
  MAX(measured_at) AS recorded_at
FROM (
  SELECT
    run_id,
    1 AS is_node,
    0 AS is_column,
    COALESCE(MAX(row_count), -1) AS total,
    MAX(counted_at) AS measured_at
  FROM recce_metadata.store_node_statistics
  GROUP BY
    run_id,
    unique_id
  UNION ALL
  SELECT
    run_id,
    0 AS is_node,
    1 AS is_column,
    MAX(not_null_count) AS total,
    MAX(profiled_at) AS measured_at
  FROM recce_metadata.store_column_statistics
  GROUP BY
    run_id,
    unique_id,
    ordinal
) AS figures
GROUP BY
  run_id
UNION ALL
SELECT
  'quality' AS kind,
  quality_run_id AS object_id,
  CAST(table_count AS TEXT) || ' ' || CAST(failed_count AS TEXT) AS content,
  run_id,
  project_name,
  CAST(NULL AS TIMESTAMPTZ) AS recorded_at
FROM recce_metadata.store_quality_runs
UNION ALL
SELECT
  'data diff' AS kind,
  diff_id AS object_id,
  '' AS content,
  COALESCE(current_run_id, base_run_id) AS run_id,
  CAST(NULL AS TEXT) AS project_name,
  CAST(NULL AS TIMESTAMPTZ) AS recorded_at
FROM recce_metadata.store_data_diffs
UNION ALL
SELECT
  'check result' AS kind,
  check_result_id AS object_id,
  '' AS content,
  COALESCE(current_run_id, base_run_id) AS run_id,
  CAST(NULL AS TEXT) AS project_name,
  CAST(NULL AS TIMESTAMPTZ) AS recorded_at
FROM recce_metadata.store_check_results
UNION ALL
SELECT
  'review' AS kind,
  review_id AS object_id,
  '' AS content,
  current_run_id AS run_id,
  project_name,
  CAST(NULL AS TIMESTAMPTZ) AS recorded_at
FROM recce_metadata.store_reviews
UNION ALL
SELECT
  'annotation' AS kind,
  event_id AS object_id,
  '' AS content,
  CAST(NULL AS TEXT) AS run_id,
  project_name,
  CAST(NULL AS TIMESTAMPTZ) AS recorded_at
FROM recce_metadata.store_annotation_events
UNION ALL
SELECT
  'deletion' AS kind,
  run_id AS object_id,
  '' AS content,
  run_id,
  project_name,
  deleted_at AS recorded_at
FROM recce_metadata.store_tombstones;
