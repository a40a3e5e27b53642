-- One row per run: the hash of its contents without times, to find runs with the same id and other contents. The first
-- exchange with another store adds the rows of runs recorded before version 12. Deleted with the run.
CREATE TABLE IF NOT EXISTS recce_metadata.store_run_hashes (
  run_id STRING NOT NULL,
  content_hash STRING NOT NULL
)
CLUSTER BY (run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
