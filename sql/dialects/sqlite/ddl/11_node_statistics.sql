-- One row per run and counted node, from `record --stats`. A figure never changes. A row without a figure has a
-- `reason` and is replaced by a row with a figure.
CREATE TABLE IF NOT EXISTS store_node_statistics (
  run_id TEXT NOT NULL,
  unique_id TEXT NOT NULL,
  row_count INTEGER,
  counted_at TIMESTAMPTZ NOT NULL,
  reason TEXT,
  profile_reason TEXT,
  PRIMARY KEY (run_id, unique_id)
);
