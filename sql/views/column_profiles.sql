-- One row per run, node and column that was profiled with it: the kept figures, and shares of the rows.
-- Key: run_id, unique_id, ordinal. Values are texts that sort as texts do: numbers are in `_number` too.
CREATE OR REPLACE VIEW column_profiles AS
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
  CAST(figures.not_null_count AS DOUBLE PRECISION) / NULLIF(figures.row_count, 0) AS not_null_share,
  figures.distinct_count,
  CAST(figures.distinct_count AS DOUBLE PRECISION) / NULLIF(figures.row_count, 0) AS distinct_share,
  figures.is_approximate,
  CASE
    WHEN figures.row_count > 0 AND NOT figures.is_approximate THEN figures.distinct_count = figures.row_count
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
FROM column_statistics AS figures
JOIN runs ON runs.run_id = figures.run_id;
