-- One row per run and counted node, from `record --stats`. A figure never changes. A row without a figure has a
-- `reason` and is replaced by a row with a figure.
CREATE TABLE IF NOT EXISTS recce_metadata.store_node_statistics (
  run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  row_count BIGINT,
  counted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  reason VARCHAR(65535),
  profile_reason VARCHAR(65535)
);
