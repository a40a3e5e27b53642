-- One row per object that arrived under the id of a stored object with other contents, for example a run. The stored
-- object was not changed; `store_sync_conflict_pieces` has the one that arrived.
CREATE TABLE IF NOT EXISTS store_sync_conflicts (
  conflict_id VARCHAR(64) NOT NULL PRIMARY KEY,
  detected_at TIMESTAMPTZ NOT NULL,
  kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  run_id VARCHAR(64),
  project_name TEXT,
  peer TEXT NOT NULL,
  stored_hash VARCHAR(64) NOT NULL,
  arriving_hash VARCHAR(64) NOT NULL,
  recorder_version TEXT NOT NULL
);
