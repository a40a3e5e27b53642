-- One row per object that arrived under the id of a stored one with other contents. Key: conflict_id. The stored object
-- was not changed.
CREATE OR REPLACE VIEW sync_conflicts AS
SELECT
  conflict_id,
  detected_at,
  kind,
  object_id,
  run_id,
  project_name,
  peer,
  stored_hash,
  arriving_hash
FROM store_sync_conflicts;
