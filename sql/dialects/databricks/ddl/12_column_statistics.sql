-- One row per run, node and profiled column, in the order of the relation, from `record --stats profile`.
-- All rows of a node are written at once, never changed. Values are lossless strings, numbers also doubles;
-- `value_kinds` has the type of each string.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_statistics (
  run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name STRING NOT NULL,
  column_type STRING NOT NULL,
  profiled_at TIMESTAMP NOT NULL,
  row_count BIGINT NOT NULL,
  not_null_count BIGINT NOT NULL,
  distinct_count BIGINT,
  is_approximate BOOLEAN NOT NULL,
  min_value STRING,
  max_value STRING,
  average_value STRING,
  median_value STRING,
  min_number DOUBLE,
  max_number DOUBLE,
  average_number DOUBLE,
  median_number DOUBLE,
  value_kinds STRING NOT NULL,
  true_count BIGINT,
  min_length BIGINT,
  max_length BIGINT,
  average_length DOUBLE
)
CLUSTER BY (run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
