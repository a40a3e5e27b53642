-- One row per stored check result, with the runs that were compared. Key: check_result_id.
-- Columns of a run are NULL if the run was pruned or never recorded.
CREATE OR REPLACE VIEW recce_metadata.check_history AS
SELECT
  result.check_result_id,
  result.checked_at,
  COALESCE(present.project_name, past.project_name) AS project_name,
  result.base_run_id,
  past.environment AS base_environment,
  past.run_at AS base_run_at,
  past.git_sha AS base_git_sha,
  result.current_run_id,
  present.environment AS current_environment,
  present.run_at AS current_run_at,
  present.git_sha AS current_git_sha,
  present.branch,
  present.pull_request,
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
  result.violations,
  result.findings,
  result.seconds,
  result.parameters
FROM recce_metadata.store_check_results AS result
LEFT JOIN recce_metadata.store_runs AS past
  ON past.run_id = result.base_run_id
LEFT JOIN recce_metadata.store_runs AS present
  ON present.run_id = result.current_run_id;
