-- Results of a run, for the nodes in a newline-separated list.
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
  run_id = :run_id AND unique_id IN (
    SELECT
      EXPLODE(SPLIT(:ids, CHR(10)))
  );
