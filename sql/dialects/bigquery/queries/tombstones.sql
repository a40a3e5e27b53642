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
    CAST(:ids AS STRING) IS NULL
    OR run_id IN UNNEST(SPLIT(CAST(:ids AS STRING), CHR(10)))
  )
ORDER BY
  deleted_at DESC NULLS FIRST,
  run_id NULLS LAST;
