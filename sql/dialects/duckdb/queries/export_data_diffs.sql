-- The kept data diffs that belong to a run, whole: those that go when it is pruned.
SELECT
  diff.diff_id,
  diff.taken_at,
  diff.base_run_id,
  diff.current_run_id,
  CAST(diff.parameters AS TEXT) AS parameters,
  CAST(diff.result AS TEXT) AS result,
  diff.recorder_version
FROM recce_metadata.data_diffs AS diff
WHERE
  COALESCE(diff.current_run_id, diff.base_run_id) = :run_id;
