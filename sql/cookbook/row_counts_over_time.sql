-- How have the row counts of a model developed?
-- Asked by: an analyst who hears that "there used to be more rows". Needs runs recorded with --stats.
-- Answer: shop | model.shop.orders | 2026-11-18 06:10 | 61 948 rows | 512 more than before (+0.8 %)
-- Topic: Data
WITH params AS (
  SELECT
    MIN(counted.unique_id) AS unique_id, -- edit: the unique id of the model instead of the first one by name
    'base' AS environment -- edit: the environment
  FROM node_statistics AS counted
  WHERE counted.row_count IS NOT NULL AND STARTS_WITH(counted.unique_id, 'model.')
), history AS (
  SELECT
    runs.project_name,
    counted.unique_id,
    runs.run_at,
    counted.row_count,
    LAG(counted.row_count) OVER (
      PARTITION BY runs.project_name
      ORDER BY LEAST(runs.run_at, runs.recorded_at), runs.recorded_at, runs.run_id DESC
    ) AS previous_row_count,
    runs.git_sha,
    runs.run_id
  FROM params
  JOIN node_statistics AS counted ON counted.unique_id = params.unique_id
  JOIN runs ON runs.run_id = counted.run_id AND runs.environment = params.environment
  WHERE counted.row_count IS NOT NULL
)
SELECT
  project_name,
  unique_id,
  run_at,
  row_count,
  row_count - previous_row_count AS row_delta,
  ROUND(CAST(100.0 * (row_count - previous_row_count) / NULLIF(previous_row_count, 0) AS NUMERIC(38, 4)), 1) AS percent_change,
  git_sha,
  run_id
FROM history
ORDER BY project_name, run_at DESC, run_id;
