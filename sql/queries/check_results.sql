-- Stored check results, newest first; NULL disables a filter. The results of a run are those that are deleted with it.
SELECT
  result.check_result_id,
  result.checked_at,
  result.base_run_id,
  result.current_run_id,
  result.origin,
  result.file_name,
  result.ordinal,
  result.check_name,
  result.check_type,
  result.description,
  result.status,
  result.has_expectations,
  result.is_optional,
  result.node_count,
  result.differing_nodes,
  result.uncompared_nodes,
  result.message,
  CAST(result.violations AS TEXT) AS violations,
  CAST(result.findings AS TEXT) AS findings,
  result.seconds,
  CAST(result.parameters AS TEXT) AS parameters,
  result.recorder_version
FROM store_check_results AS result
JOIN store_runs AS runs ON runs.run_id = COALESCE(result.current_run_id, result.base_run_id)
WHERE
  (CAST(:run_id AS TEXT) IS NULL OR runs.run_id = CAST(:run_id AS TEXT))
  AND (CAST(:check_name AS TEXT) IS NULL OR result.check_name = CAST(:check_name AS TEXT))
  AND (CAST(:file_name AS TEXT) IS NULL OR result.file_name = CAST(:file_name AS TEXT))
  AND (CAST(:project AS TEXT) IS NULL OR runs.project_name = CAST(:project AS TEXT))
ORDER BY result.checked_at DESC, result.ordinal, result.check_name, result.check_result_id
LIMIT CAST(:most AS BIGINT);
