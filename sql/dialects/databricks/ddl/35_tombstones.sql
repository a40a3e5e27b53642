-- One row per deleted run, written in the transaction that deletes it. A run with a row is not recorded or received again.
-- `prune` removes a row long after `first_seen_at`: when the row was written, the later of the warehouse's time and the
-- latest recording. It is NULL in rows that an earlier version wrote, and in rows of a store without runs.
CREATE TABLE IF NOT EXISTS recce_metadata.store_tombstones (
  run_id STRING NOT NULL,
  project_name STRING NOT NULL,
  deleted_at TIMESTAMP NOT NULL,
  deleted_by STRING NOT NULL,
  reason STRING NOT NULL,
  recorder_version STRING NOT NULL,
  first_seen_at TIMESTAMP
)
CLUSTER BY (run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
