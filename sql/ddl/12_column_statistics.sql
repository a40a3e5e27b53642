-- One row per run, node and profiled column, in the order of the relation, from `record --stats profile`.
-- All rows of a node are written at once, never changed. Values are lossless strings, numbers also doubles;
-- `value_kinds` has the type of each string.
CREATE TABLE IF NOT EXISTS store_column_statistics (
  run_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name TEXT NOT NULL,
  column_type TEXT NOT NULL,
  profiled_at TIMESTAMPTZ NOT NULL,
  row_count BIGINT NOT NULL,
  not_null_count BIGINT NOT NULL,
  distinct_count BIGINT,
  is_approximate BOOLEAN NOT NULL,
  min_value TEXT,
  max_value TEXT,
  average_value TEXT,
  median_value TEXT,
  min_number DOUBLE PRECISION,
  max_number DOUBLE PRECISION,
  average_number DOUBLE PRECISION,
  median_number DOUBLE PRECISION,
  value_kinds JSON NOT NULL,
  true_count BIGINT,
  min_length BIGINT,
  max_length BIGINT,
  average_length DOUBLE PRECISION,
  PRIMARY KEY (run_id, unique_id, ordinal)
);
