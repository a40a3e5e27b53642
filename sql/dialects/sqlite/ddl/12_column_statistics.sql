-- One row per run, node and profiled column, in the order of the relation, from `record --stats profile`.
-- All rows of a node are written at once, never changed. Values are lossless strings, numbers also doubles;
-- `value_kinds` has the type of each string.
CREATE TABLE IF NOT EXISTS store_column_statistics (
  run_id TEXT NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  column_name TEXT NOT NULL,
  column_type TEXT NOT NULL,
  profiled_at TIMESTAMPTZ NOT NULL,
  row_count INTEGER NOT NULL,
  not_null_count INTEGER NOT NULL,
  distinct_count INTEGER,
  is_approximate BOOLEAN NOT NULL,
  min_value TEXT,
  max_value TEXT,
  average_value TEXT,
  median_value TEXT,
  min_number REAL,
  max_number REAL,
  average_number REAL,
  median_number REAL,
  value_kinds TEXT NOT NULL,
  true_count INTEGER,
  min_length INTEGER,
  max_length INTEGER,
  average_length REAL,
  PRIMARY KEY (run_id, unique_id, ordinal)
);
