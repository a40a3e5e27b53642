-- Conflicts of exchanges, newest first; NULL disables the filter.
SELECT
  conflict_id,
  detected_at,
  kind,
  object_id,
  run_id,
  project_name,
  peer,
  stored_hash,
  arriving_hash,
  recorder_version
FROM recce_metadata.store_sync_conflicts
WHERE
  (
    CAST(:id_prefix AS VARCHAR(65535)) IS NULL
    OR LEFT(conflict_id, LENGTH(CAST(:id_prefix AS VARCHAR(65535)))) = CAST(:id_prefix AS VARCHAR(65535))
  )
ORDER BY
  detected_at DESC,
  conflict_id;
