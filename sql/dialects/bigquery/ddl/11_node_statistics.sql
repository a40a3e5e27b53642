-- One row per run and counted node, from `record --stats`. A figure never changes. A row without a figure has a
-- `reason` and is replaced by a row with a figure.
CREATE TABLE IF NOT EXISTS recce_metadata.store_node_statistics (
  run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  row_count INT64,
  counted_at TIMESTAMP NOT NULL,
  reason STRING,
  profile_reason STRING,
  PRIMARY KEY (run_id, unique_id) NOT ENFORCED
)
CLUSTER BY run_id;
