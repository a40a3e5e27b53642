-- Number of results by run and status, with the seconds of work. `ids` is a newline-separated list of runs.
SELECT
  run_id,
  status,
  COUNT(*) AS results,
  SUM(seconds) AS seconds
FROM recce_metadata.store_run_results
WHERE
  run_id IN (
    SELECT
      EXPLODE(SPLIT(:ids, CHR(10)))
  )
GROUP BY
  run_id,
  status;
