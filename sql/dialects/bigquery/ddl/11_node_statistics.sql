-- One row per run and node that was counted with it: from `record --stats`. A figure never changes; a row
-- without one, which says why, gives way to a row that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.node_statistics (
  run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  row_count INT64,
  counted_at TIMESTAMP NOT NULL,
  reason STRING,
  profile_reason STRING,
  PRIMARY KEY (run_id, unique_id) NOT ENFORCED
)
CLUSTER BY run_id;
