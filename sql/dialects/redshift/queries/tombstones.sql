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
    CAST(:ids AS VARCHAR(65535)) IS NULL
    OR run_id IN (
      SELECT
        CAST(line AS VARCHAR(65535))
      FROM (
        SELECT
          SPLIT_TO_ARRAY(CAST(:ids AS VARCHAR(65535)), CHR(10)) AS lines
      ) AS split, split.lines AS line
    )
  )
ORDER BY
  deleted_at DESC,
  run_id;
