-- Deletions of runs, newest first; NULL instead of a newline-separated list of runs means all.
SELECT
  run_id,
  project_name,
  deleted_at,
  deleted_by,
  reason,
  recorder_version
FROM store_tombstones
WHERE
  (
    CAST(:ids AS TEXT) IS NULL
    OR run_id IN (
      SELECT
        line.value
      FROM JSON_EACH(
        '[' || REPLACE(REPLACE(JSON_QUOTE(CAST(:ids AS TEXT)), '\\', '\u005c'), '\n', '","') || ']'
      ) AS line
    )
  )
ORDER BY
  deleted_at DESC NULLS FIRST,
  run_id NULLS LAST;
