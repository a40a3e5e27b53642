-- One row per object that arrived under the id of a stored object with other contents, for example a run. The stored
-- object was not changed; `store_sync_conflict_pieces` has the one that arrived.
CREATE TABLE IF NOT EXISTS recce_metadata.store_sync_conflicts (
  conflict_id VARCHAR(64) NOT NULL,
  detected_at TIMESTAMP WITH TIME ZONE NOT NULL,
  kind VARCHAR(65535) NOT NULL,
  object_id VARCHAR(65535) NOT NULL,
  run_id VARCHAR(64),
  project_name VARCHAR(65535),
  peer VARCHAR(65535) NOT NULL,
  stored_hash VARCHAR(64) NOT NULL,
  arriving_hash VARCHAR(64) NOT NULL,
  recorder_version VARCHAR(65535) NOT NULL
);
