-- Number of results by run and status, with the seconds of work. `ids` is a newline-separated list of runs.
SELECT
  run_id,
  status,
  COUNT(*) AS results,
  SUM(seconds) AS seconds
FROM store_run_results
WHERE
  run_id IN (
    SELECT
      line.value
    FROM JSON_EACH('[' || REPLACE(REPLACE(JSON_QUOTE(:ids), '\\', '\u005c'), '\n', '","') || ']') AS line
  )
GROUP BY
  run_id,
  status;
