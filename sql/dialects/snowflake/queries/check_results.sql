-- Stored results of checks, newest first; a filter that is NULL lets everything through. Those that belong to a run
-- are those that go when it is pruned.
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
  TO_JSON(result.violations) AS violations,
  TO_JSON(result.findings) AS findings,
  result.seconds,
  TO_JSON(result.parameters) AS parameters,
  result.recorder_version
FROM recce_metadata.check_results AS result
JOIN recce_metadata.runs
  ON runs.run_id = COALESCE(result.current_run_id, result.base_run_id)
WHERE
  (
    CAST(:run_id AS VARCHAR) IS NULL OR runs.run_id = CAST(:run_id AS VARCHAR)
  )
  AND (
    CAST(:check_name AS VARCHAR) IS NULL
    OR result.check_name = CAST(:check_name AS VARCHAR)
  )
  AND (
    CAST(:project AS VARCHAR) IS NULL
    OR runs.project_name = CAST(:project AS VARCHAR)
  )
ORDER BY
  result.checked_at DESC,
  result.ordinal,
  result.check_name,
  result.check_result_id
LIMIT :most;
