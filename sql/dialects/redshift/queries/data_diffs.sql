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
  diff.parameters AS parameters
FROM recce_metadata.store_data_diffs AS diff
JOIN recce_metadata.store_runs AS runs
  ON runs.run_id = COALESCE(diff.current_run_id, diff.base_run_id)
WHERE
  (
    CAST(:diff_id_prefix AS VARCHAR(65535)) IS NULL
    OR LEFT(diff.diff_id, LENGTH(CAST(:diff_id_prefix AS VARCHAR(65535)))) = CAST(:diff_id_prefix AS VARCHAR(65535))
  )
  AND (
    CAST(:unique_id AS VARCHAR(65535)) IS NULL
    OR diff.unique_id = CAST(:unique_id AS VARCHAR(65535))
  )
  AND (
    CAST(:subject_name AS VARCHAR(65535)) IS NULL
    OR diff.subject_name = CAST(:subject_name AS VARCHAR(65535))
  )
  AND (
    CAST(:diff_type AS VARCHAR(65535)) IS NULL
    OR diff.diff_type = CAST(:diff_type AS VARCHAR(65535))
  )
  AND (
    CAST(:project AS VARCHAR(65535)) IS NULL
    OR runs.project_name = CAST(:project AS VARCHAR(65535))
  )
  AND (
    CAST(:run_id AS VARCHAR(65535)) IS NULL
    OR diff.base_run_id = CAST(:run_id AS VARCHAR(65535))
    OR diff.current_run_id = CAST(:run_id AS VARCHAR(65535))
  )
ORDER BY
  diff.taken_at DESC,
  diff.subject_name,
  diff.diff_type,
  diff.diff_id
LIMIT :most;
