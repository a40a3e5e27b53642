-- Saved data diffs of a run, complete: those that are deleted with the run.
SELECT
  diff.diff_id,
  diff.taken_at,
  diff.base_run_id,
  diff.current_run_id,
  diff.parameters AS parameters,
  diff.result AS result,
  diff.recorder_version
FROM store_data_diffs AS diff
WHERE
  COALESCE(diff.current_run_id, diff.base_run_id) = :run_id;
