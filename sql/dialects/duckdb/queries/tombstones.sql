-- Deletions of runs, newest first; NULL instead of a newline-separated list of runs means all.
SELECT
  run_id,
  project_name,
  deleted_at,
  deleted_by,
  reason,
  recorder_version
FROM recce_metadata.store_tombstones
WHERE
  (
    CAST(:ids AS TEXT) IS NULL
    OR run_id IN (
      SELECT
        wanted.run_id
      FROM UNNEST(STRING_TO_ARRAY(CAST(:ids AS TEXT), CHR(10))) AS wanted(run_id)
    )
  )
ORDER BY
  deleted_at DESC NULLS FIRST,
  run_id;
