-- One row per object that arrived under the id of a stored object with other contents, for example a run. The stored
-- object was not changed; `store_sync_conflict_pieces` has the one that arrived.
CREATE TABLE IF NOT EXISTS recce_metadata.store_sync_conflicts (
  conflict_id STRING NOT NULL,
  detected_at TIMESTAMP NOT NULL,
  kind STRING NOT NULL,
  object_id STRING NOT NULL,
  run_id STRING,
  project_name STRING,
  peer STRING NOT NULL,
  stored_hash STRING NOT NULL,
  arriving_hash STRING NOT NULL,
  recorder_version STRING NOT NULL,
  PRIMARY KEY (conflict_id) NOT ENFORCED
)
CLUSTER BY conflict_id;
