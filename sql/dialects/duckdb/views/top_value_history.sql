-- One row per measurement, table, column and frequent value; `place` 1 is the most frequent.
-- Key: quality_run_id, unique_id, ordinal, place. `value_share` is of the measured rows; `value` is NULL for NULL.
CREATE OR REPLACE VIEW recce_metadata.top_value_history AS
SELECT
  run.quality_run_id,
  run.run_id,
  run.project_name,
  run.environment,
  run.started_at,
  frequent.unique_id,
  frequent.ordinal,
  frequent.column_name,
  frequent.place,
  frequent.value,
  frequent.value_kind,
  frequent.value_count,
  CAST(frequent.value_count AS DOUBLE) / NULLIF(measured.row_count, 0) AS value_share
FROM recce_metadata.store_quality_runs AS run
JOIN recce_metadata.store_column_top_values AS frequent
  ON frequent.quality_run_id = run.quality_run_id
JOIN recce_metadata.store_column_quality AS measured
  ON measured.quality_run_id = frequent.quality_run_id
  AND measured.unique_id = frequent.unique_id
  AND measured.ordinal = frequent.ordinal;
