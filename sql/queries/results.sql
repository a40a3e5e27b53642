-- dbt's result of each node of a run.
SELECT
  unique_id,
  status,
  seconds,
  rows_affected,
  bytes_processed,
  failures,
  message,
  completed_at,
  compile_started_at,
  compile_completed_at,
  execute_started_at,
  execute_completed_at,
  thread_id,
  query_id,
  CAST(adapter_response AS TEXT) AS adapter_response,
  CAST(failed_rows AS TEXT) AS failed_rows
FROM store_run_results
WHERE run_id = :run_id;
