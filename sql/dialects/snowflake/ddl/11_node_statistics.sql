-- One row per run and counted node, from `record --stats`. A figure never changes. A row without a figure has a
-- `reason` and is replaced by a row with a figure.
CREATE TABLE IF NOT EXISTS recce_metadata.store_node_statistics (
  run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR NOT NULL,
  row_count BIGINT,
  counted_at TIMESTAMPTZ NOT NULL,
  reason VARCHAR,
  profile_reason VARCHAR,
  PRIMARY KEY (run_id, unique_id)
);
