-- Number of checks whose latest result is a failure or an error, by run. `ids` is a newline-separated list of runs.
SELECT latest.run_id, COUNT(*) AS checks
FROM (
  SELECT
    COALESCE(result.current_run_id, result.base_run_id) AS run_id,
    result.status,
    ROW_NUMBER() OVER (
      PARTITION BY COALESCE(result.current_run_id, result.base_run_id), result.base_run_id, result.file_name, result.check_name
      ORDER BY result.checked_at DESC, result.check_result_id
    ) AS place
  FROM store_check_results AS result
  WHERE COALESCE(result.current_run_id, result.base_run_id)
    IN (SELECT chosen.run_id FROM UNNEST(STRING_TO_ARRAY(:ids, CHR(10))) AS chosen(run_id))
) AS latest
WHERE latest.place = 1 AND latest.status IN ('failed', 'error')
GROUP BY latest.run_id;
