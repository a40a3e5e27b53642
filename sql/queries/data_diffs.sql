-- Saved data diffs, newest first, without their results; NULL disables a filter.
SELECT
  diff.diff_id,
  diff.taken_at,
  diff.base_run_id,
  diff.current_run_id,
  diff.unique_id,
  diff.subject_name,
  diff.base_relation,
  diff.current_relation,
  diff.diff_type,
  diff.is_equal,
  diff.base_rows,
  diff.current_rows,
  diff.added_rows,
  diff.removed_rows,
  diff.common_rows,
  diff.changed_rows,
  diff.differing_columns,
  diff.error,
  CAST(diff.parameters AS TEXT) AS parameters
FROM store_data_diffs AS diff
JOIN store_runs AS runs ON runs.run_id = COALESCE(diff.current_run_id, diff.base_run_id)
WHERE
  (CAST(:unique_id AS TEXT) IS NULL OR diff.unique_id = CAST(:unique_id AS TEXT))
  AND (CAST(:subject_name AS TEXT) IS NULL OR diff.subject_name = CAST(:subject_name AS TEXT))
  AND (CAST(:diff_type AS TEXT) IS NULL OR diff.diff_type = CAST(:diff_type AS TEXT))
  AND (CAST(:project AS TEXT) IS NULL OR runs.project_name = CAST(:project AS TEXT))
  AND (
    CAST(:run_id AS TEXT) IS NULL
    OR diff.base_run_id = CAST(:run_id AS TEXT)
    OR diff.current_run_id = CAST(:run_id AS TEXT)
  )
ORDER BY diff.taken_at DESC, diff.subject_name, diff.diff_type, diff.diff_id
LIMIT CAST(:most AS BIGINT);
