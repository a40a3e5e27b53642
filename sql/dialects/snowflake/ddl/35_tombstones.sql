-- One row per deleted run, written in the transaction that deletes it. A run with a row is not recorded or received again.
CREATE TABLE IF NOT EXISTS recce_metadata.store_tombstones (
  run_id VARCHAR(64) NOT NULL,
  project_name VARCHAR NOT NULL,
  deleted_at TIMESTAMPTZ NOT NULL,
  deleted_by VARCHAR NOT NULL,
  reason VARCHAR NOT NULL,
  recorder_version VARCHAR NOT NULL,
  PRIMARY KEY (run_id)
);
