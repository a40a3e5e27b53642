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
    CAST(:diff_id_prefix AS STRING) IS NULL
    OR STARTSWITH(diff.diff_id, CAST(:diff_id_prefix AS STRING))
  )
  AND (
    CAST(:unique_id AS STRING) IS NULL OR diff.unique_id = CAST(:unique_id AS STRING)
  )
  AND (
    CAST(:subject_name AS STRING) IS NULL
    OR diff.subject_name = CAST(:subject_name AS STRING)
  )
  AND (
    CAST(:diff_type AS STRING) IS NULL OR diff.diff_type = CAST(:diff_type AS STRING)
  )
  AND (
    CAST(:project AS STRING) IS NULL OR runs.project_name = CAST(:project AS STRING)
  )
  AND (
    CAST(:run_id AS STRING) IS NULL
    OR diff.base_run_id = CAST(:run_id AS STRING)
    OR diff.current_run_id = CAST(:run_id AS STRING)
  )
ORDER BY
  diff.taken_at DESC NULLS FIRST,
  diff.subject_name NULLS LAST,
  diff.diff_type NULLS LAST,
  diff.diff_id NULLS LAST
LIMIT CAST(LEAST(:most, 2147483647) AS INT);
