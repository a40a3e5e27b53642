-- One row per measurement, table and measured column, with the previous measurement of the column in the same project
-- and environment. Key: quality_run_id, unique_id, ordinal.
-- Shares are of the measured rows; the share of distinct values is of the rows with a value. `sampled_rows` is NULL if
-- all rows of the table were measured. `next_quality_run_id` is NULL for the newest.
CREATE OR REPLACE VIEW recce_metadata.quality_history AS
SELECT
  quality_run_id,
  run_id,
  project_name,
  environment,
  started_at,
  unique_id,
  ordinal,
  column_name,
  row_count,
  previous_row_count,
  sampled_rows,
  previous_sampled_rows,
  null_count,
  null_share,
  previous_null_share,
  null_share - previous_null_share AS null_share_change,
  distinct_count,
  distinct_share,
  previous_distinct_share,
  distinct_share - previous_distinct_share AS distinct_share_change,
  min_number,
  previous_min_number,
  max_number,
  previous_max_number,
  average_number,
  previous_average_number,
  average_length,
  previous_average_length,
  score,
  previous_score,
  score - previous_score AS score_change,
  previous_quality_run_id,
  next_quality_run_id
FROM (
  SELECT
    figures.*,
    LAG(row_count) OVER (
      PARTITION BY project_name, environment, unique_id, column_name
      ORDER BY started_at, finished_at, quality_run_id DESC
    ) AS previous_row_count,
    LAG(sampled_rows) OVER (
      PARTITION BY project_name, environment, unique_id, column_name
      ORDER BY started_at, finished_at, quality_run_id DESC
    ) AS previous_sampled_rows,
    LAG(null_share) OVER (
      PARTITION BY project_name, environment, unique_id, column_name
      ORDER BY started_at, finished_at, quality_run_id DESC
    ) AS previous_null_share,
    LAG(distinct_share) OVER (
      PARTITION BY project_name, environment, unique_id, column_name
      ORDER BY started_at, finished_at, quality_run_id DESC
    ) AS previous_distinct_share,
    LAG(min_number) OVER (
      PARTITION BY project_name, environment, unique_id, column_name
      ORDER BY started_at, finished_at, quality_run_id DESC
    ) AS previous_min_number,
    LAG(max_number) OVER (
      PARTITION BY project_name, environment, unique_id, column_name
      ORDER BY started_at, finished_at, quality_run_id DESC
    ) AS previous_max_number,
    LAG(average_number) OVER (
      PARTITION BY project_name, environment, unique_id, column_name
      ORDER BY started_at, finished_at, quality_run_id DESC
    ) AS previous_average_number,
    LAG(average_length) OVER (
      PARTITION BY project_name, environment, unique_id, column_name
      ORDER BY started_at, finished_at, quality_run_id DESC
    ) AS previous_average_length,
    LAG(score) OVER (
      PARTITION BY project_name, environment, unique_id, column_name
      ORDER BY started_at, finished_at, quality_run_id DESC
    ) AS previous_score,
    LAG(quality_run_id) OVER (
      PARTITION BY project_name, environment, unique_id, column_name
      ORDER BY started_at, finished_at, quality_run_id DESC
    ) AS previous_quality_run_id,
    LEAD(quality_run_id) OVER (
      PARTITION BY project_name, environment, unique_id, column_name
      ORDER BY started_at, finished_at, quality_run_id DESC
    ) AS next_quality_run_id
  FROM (
    SELECT
      run.quality_run_id,
      run.run_id,
      run.project_name,
      run.environment,
      run.started_at,
      run.finished_at,
      measured.unique_id,
      measured.ordinal,
      measured.column_name,
      measured.row_count,
      whole.sampled_rows,
      measured.row_count - measured.not_null_count AS null_count,
      CAST(measured.row_count - measured.not_null_count AS DOUBLE) / NULLIF(measured.row_count, 0) AS null_share,
      measured.distinct_count,
      CAST(measured.distinct_count AS DOUBLE) / NULLIF(measured.not_null_count, 0) AS distinct_share,
      measured.min_number,
      measured.max_number,
      measured.average_number,
      measured.average_length,
      measured.score
    FROM recce_metadata.store_quality_runs AS run
    JOIN recce_metadata.store_column_quality AS measured
      ON measured.quality_run_id = run.quality_run_id
    JOIN recce_metadata.store_table_quality AS whole
      ON whole.quality_run_id = measured.quality_run_id
      AND whole.unique_id = measured.unique_id
    WHERE
      measured.row_count IS NOT NULL
  ) AS figures
) AS columns_in_time;
