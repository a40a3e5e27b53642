-- One row per run and node that dbt ran, from run_results.json. Key: run_id, unique_id.
CREATE OR REPLACE VIEW run_results AS
SELECT
  run_id,
  unique_id,
  status,
  seconds,
  rows_affected,
  bytes_processed,
  failures,
  message,
  COALESCE(
    execute_completed_at,
    compile_completed_at,
    CASE WHEN completed_at LIKE '2___-__-__T__:__:__%' THEN CAST(completed_at AS TIMESTAMPTZ) END
  ) AS completed_at,
  compile_started_at,
  compile_completed_at,
  execute_started_at,
  execute_completed_at,
  thread_id,
  query_id,
  adapter_response,
  failed_rows
FROM store_run_results;
