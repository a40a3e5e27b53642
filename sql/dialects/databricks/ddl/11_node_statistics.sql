-- One row per run and node that was counted with it: from `record --stats`. A figure never changes; a row
-- without one, which says why, gives way to a row that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.node_statistics (
  run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  row_count BIGINT,
  counted_at TIMESTAMP NOT NULL,
  reason STRING,
  profile_reason STRING
)
CLUSTER BY (run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
