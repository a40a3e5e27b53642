-- hand-written: without the primary key, because its index takes a quarter of the file and slows loading. Recorders
-- write one at a time and skip stored rows.
-- One row per run, node and profiled column, in the order of the relation, from `record --stats profile`.
-- All rows of a node are written at once, never changed. Values are lossless strings, numbers also doubles;
-- `value_kinds` has the type of each string.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_statistics (
  run_id TEXT(64) NOT NULL,
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
  min_number DOUBLE,
  max_number DOUBLE,
  average_number DOUBLE,
  median_number DOUBLE,
  value_kinds JSON NOT NULL,
  true_count BIGINT,
  min_length BIGINT,
  max_length BIGINT,
  average_length DOUBLE
);
