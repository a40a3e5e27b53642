-- The slowest results of a run.
SELECT
  unique_id,
  status,
  seconds,
  rows_affected,
  bytes_processed,
  failures,
  message,
  completed_at
FROM recce_metadata.store_run_results
WHERE
  run_id = :run_id AND seconds > 0
ORDER BY
  seconds DESC,
  unique_id
LIMIT CAST(:most AS BIGINT);
