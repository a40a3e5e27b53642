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
FROM store_run_results
WHERE
  run_id = :run_id
  AND unique_id IN (SELECT wanted.unique_id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS wanted(unique_id));
