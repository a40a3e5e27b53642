-- One row per run, node and profiled column: stored statistics and shares of rows.
-- Key: run_id, unique_id, ordinal. Values are strings and sort as strings; numbers are also in the `_number` columns.
DROP VIEW IF EXISTS column_profiles;
CREATE VIEW column_profiles AS
SELECT
  runs.run_id,
  runs.project_name,
  runs.environment,
  runs.run_at,
  figures.unique_id,
  figures.ordinal,
  figures.column_name,
  figures.column_type,
  figures.profiled_at,
  figures.row_count,
  figures.not_null_count,
  CAST(figures.not_null_count AS REAL) / NULLIF(figures.row_count, 0) AS not_null_share,
  figures.distinct_count,
  CAST(figures.distinct_count AS REAL) / NULLIF(figures.row_count, 0) AS distinct_share,
  figures.is_approximate,
  CASE
    WHEN figures.row_count > 0 AND NOT figures.is_approximate
    THEN figures.distinct_count = figures.row_count
  END AS is_unique,
  figures.min_value,
  figures.max_value,
  figures.average_value,
  figures.median_value,
  figures.min_number,
  figures.max_number,
  figures.average_number,
  figures.median_number,
  figures.true_count,
  figures.min_length,
  figures.max_length,
  figures.average_length
FROM store_column_statistics AS figures
JOIN store_runs AS runs
  ON runs.run_id = figures.run_id;
