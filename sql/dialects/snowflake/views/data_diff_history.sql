-- One row per saved data diff, with the runs that were compared. Key: diff_id.
-- Columns of a run are NULL if the run was pruned or never recorded.
CREATE OR REPLACE VIEW recce_metadata.data_diff_history AS
SELECT
  diff.diff_id,
  diff.taken_at,
  COALESCE(present.project_name, past.project_name) AS project_name,
  diff.base_run_id,
  past.environment AS base_environment,
  past.run_at AS base_run_at,
  past.git_sha AS base_git_sha,
  diff.current_run_id,
  present.environment AS current_environment,
  present.run_at AS current_run_at,
  present.git_sha AS current_git_sha,
  present.branch,
  present.pull_request,
  diff.unique_id,
  diff.subject_name,
  diff.base_relation,
  diff.current_relation,
  diff.diff_type,
  diff.is_equal,
  diff.base_rows,
  diff.current_rows,
  diff.current_rows - diff.base_rows AS row_delta,
  diff.added_rows,
  diff.removed_rows,
  diff.common_rows,
  diff.changed_rows,
  CAST(diff.changed_rows AS DOUBLE) / NULLIF(diff.common_rows, 0) AS changed_share,
  diff.differing_columns,
  diff.error,
  diff.parameters,
  diff.result
FROM recce_metadata.store_data_diffs AS diff
LEFT JOIN recce_metadata.store_runs AS past
  ON past.run_id = diff.base_run_id
LEFT JOIN recce_metadata.store_runs AS present
  ON present.run_id = diff.current_run_id;
