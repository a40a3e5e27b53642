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
      chosen.run_id
    FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(run_id)
  )
GROUP BY
  run_id,
  status;
