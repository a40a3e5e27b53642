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
    CAST(:ids AS VARCHAR) IS NULL
    OR run_id IN (
      SELECT
        CAST(line.value AS VARCHAR)
      FROM TABLE(FLATTEN(INPUT => SPLIT(CAST(:ids AS VARCHAR), CHR(10)))) AS line
    )
  )
ORDER BY
  deleted_at DESC,
  run_id;
