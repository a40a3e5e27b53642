-- One row per column of the latest measurement of each table in each project and environment.
-- Key: project_name, environment, unique_id, ordinal. Shares are of the measured rows; the share of distinct values is
-- of the rows with a value. Values are strings and sort as strings; numbers are also in the `_number` columns.
-- `is_private` columns have no values.
CREATE OR REPLACE VIEW latest_column_quality AS
SELECT
  latest.project_name,
  latest.environment,
  latest.unique_id,
  latest.name,
  measured.ordinal,
  measured.column_name,
  measured.column_type,
  latest.quality_run_id,
  latest.run_id,
  latest.measured_at,
  measured.row_count,
  latest.sampled_rows,
  measured.row_count - measured.not_null_count AS null_count,
  CAST(measured.row_count - measured.not_null_count AS DOUBLE PRECISION) / NULLIF(measured.row_count, 0) AS null_share,
  measured.distinct_count,
  CAST(measured.distinct_count AS DOUBLE PRECISION) / NULLIF(measured.not_null_count, 0) AS distinct_share,
  measured.is_approximate,
  measured.min_value,
  measured.max_value,
  measured.average_value,
  measured.median_value,
  measured.min_number,
  measured.max_number,
  measured.average_number,
  measured.median_number,
  measured.true_count,
  measured.min_length,
  measured.max_length,
  measured.average_length,
  measured.blank_count,
  measured.is_declared_unique,
  measured.is_private,
  measured.score,
  measured.reason
FROM latest_table_quality AS latest
JOIN store_column_quality AS measured
  ON measured.quality_run_id = latest.quality_run_id AND measured.unique_id = latest.unique_id;
