-- One row per run, node and profiled column, in the order of the relation, from `record --stats profile`.
-- All rows of a node are written at once, never changed. Values are lossless strings, numbers also doubles;
-- `value_kinds` has the type of each string.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_statistics (
  run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name VARCHAR(65535) NOT NULL,
  column_type VARCHAR(65535) NOT NULL,
  profiled_at TIMESTAMP WITH TIME ZONE NOT NULL,
  row_count BIGINT NOT NULL,
  not_null_count BIGINT NOT NULL,
  distinct_count BIGINT,
  is_approximate BOOLEAN NOT NULL,
  min_value VARCHAR(65535),
  max_value VARCHAR(65535),
  average_value VARCHAR(65535),
  median_value VARCHAR(65535),
  min_number DOUBLE PRECISION,
  max_number DOUBLE PRECISION,
  average_number DOUBLE PRECISION,
  median_number DOUBLE PRECISION,
  value_kinds SUPER NOT NULL,
  true_count BIGINT,
  min_length BIGINT,
  max_length BIGINT,
  average_length DOUBLE PRECISION
);
