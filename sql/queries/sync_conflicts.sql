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
FROM store_sync_conflicts
WHERE (CAST(:id_prefix AS TEXT) IS NULL OR STARTS_WITH(conflict_id, CAST(:id_prefix AS TEXT)))
ORDER BY detected_at DESC, conflict_id;
