-- One row per measurement and measured table, with the previous measurement of the table in the same project and
-- environment. Key: quality_run_id, unique_id. `row_change` is a share of the previous count. `next_quality_run_id` is
-- the next measurement of the table, NULL for the newest.
CREATE OR REPLACE VIEW recce_metadata.table_quality_history AS
SELECT
  quality_run_id,
  run_id,
  project_name,
  environment,
  started_at,
  unique_id,
  name,
  measured_at,
  row_count,
  previous_row_count,
  row_count - previous_row_count AS row_delta,
  CAST(row_count - previous_row_count AS DOUBLE) / NULLIF(previous_row_count, 0) AS row_change,
  sampled_rows,
  column_count,
  score,
  previous_score,
  score - previous_score AS score_change,
  previous_quality_run_id,
  next_quality_run_id
FROM (
  SELECT
    run.quality_run_id,
    run.run_id,
    run.project_name,
    run.environment,
    run.started_at,
    measured.unique_id,
    measured.name,
    measured.measured_at,
    measured.row_count,
    LAG(measured.row_count) OVER in_time AS previous_row_count,
    measured.sampled_rows,
    measured.column_count,
    measured.score,
    LAG(measured.score) OVER in_time AS previous_score,
    LAG(run.quality_run_id) OVER in_time AS previous_quality_run_id,
    LEAD(run.quality_run_id) OVER in_time AS next_quality_run_id
  FROM recce_metadata.store_quality_runs AS run
  JOIN recce_metadata.store_table_quality AS measured
    ON measured.quality_run_id = run.quality_run_id
  WHERE
    measured.row_count IS NOT NULL
  WINDOW in_time AS (
    PARTITION BY run.project_name, run.environment, measured.unique_id
    ORDER BY run.started_at, run.finished_at, run.quality_run_id DESC
  )
) AS tables_in_time;
