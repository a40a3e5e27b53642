-- One row per deleted run, written in the transaction that deletes it. A run with a row is not recorded or received again.
-- `prune` removes a row long after `first_seen_at`: when the row was written, the later of the warehouse's time and the
-- latest recording. It is NULL in rows that an earlier version wrote, and in rows of a store without runs.
CREATE TABLE IF NOT EXISTS recce_metadata.store_tombstones (
  run_id VARCHAR(64) NOT NULL,
  project_name VARCHAR(65535) NOT NULL,
  deleted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  deleted_by VARCHAR(65535) NOT NULL,
  reason VARCHAR(65535) NOT NULL,
  recorder_version VARCHAR(65535) NOT NULL,
  first_seen_at TIMESTAMP WITH TIME ZONE
);
