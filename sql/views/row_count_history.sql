-- One row per run and node with a row count, with the previous count in the same project and environment.
-- Key: run_id, unique_id. `row_change` is a share of the previous count. `next_run_id` is the run with the next count,
-- NULL for the newest.
CREATE OR REPLACE VIEW row_count_history AS
SELECT
  run_id,
  project_name,
  environment,
  run_at,
  git_sha,
  unique_id,
  row_count,
  counted_at,
  previous_run_id,
  previous_row_count,
  row_count - previous_row_count AS row_delta,
  CAST(row_count - previous_row_count AS DOUBLE PRECISION) / NULLIF(previous_row_count, 0) AS row_change,
  next_run_id
FROM (
  SELECT
    runs.run_id,
    runs.project_name,
    runs.environment,
    runs.run_at,
    runs.git_sha,
    counted.unique_id,
    counted.row_count,
    counted.counted_at,
    LAG(runs.run_id) OVER in_time AS previous_run_id,
    LAG(counted.row_count) OVER in_time AS previous_row_count,
    LEAD(runs.run_id) OVER in_time AS next_run_id
  FROM store_node_statistics AS counted
  JOIN store_runs AS runs ON runs.run_id = counted.run_id
  WHERE counted.row_count IS NOT NULL
  WINDOW in_time AS (
    PARTITION BY runs.project_name, runs.environment, counted.unique_id
    ORDER BY LEAST(runs.run_at, runs.recorded_at), runs.recorded_at, runs.run_id DESC
  )
) AS counts_in_time;
