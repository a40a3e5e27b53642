-- One row per run and source whose freshness dbt had measured, from sources.json. Key: run_id, unique_id.
-- A run has the last measurement until it was recorded: `snapshotted_at` is the time of the measurement.
CREATE OR REPLACE VIEW source_freshness AS
SELECT
  run_id,
  unique_id,
  status,
  max_loaded_at,
  snapshotted_at,
  max_loaded_at_time_ago_in_s,
  criteria,
  error
FROM store_source_freshness;
