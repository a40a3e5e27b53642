-- One row per run and node that dbt ran, from run_results.json. `completed_at` is ISO 8601 in UTC, as in that file.
CREATE OR REPLACE VIEW recce_metadata.run_results AS
SELECT
  run_id,
  unique_id,
  status,
  seconds,
  rows_affected,
  bytes_processed,
  failures,
  message,
  completed_at
FROM recce_metadata.store_run_results;
