-- Results of a run that failed, then results that warn.
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
  run_id = :run_id
  AND status IN ('error', 'fail', 'runtime error', 'partial success', 'warn')
ORDER BY
  CASE WHEN status = 'warn' THEN 1 ELSE 0 END,
  unique_id
LIMIT :most;
