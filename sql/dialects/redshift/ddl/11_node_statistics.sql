-- One row per run and node that was counted with it: from `record --stats`. A figure never changes; a row
-- without one, which says why, gives way to a row that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.node_statistics (
  run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  row_count BIGINT,
  counted_at TIMESTAMP WITH TIME ZONE NOT NULL,
  reason VARCHAR(65535),
  profile_reason VARCHAR(65535)
);
