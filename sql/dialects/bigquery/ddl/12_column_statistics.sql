-- One row per run, node and profiled column, in the order of the relation, from `record --stats profile`.
-- All rows of a node are written at once, never changed. Values are lossless strings, numbers also doubles;
-- `value_kinds` has the type of each string.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_statistics (
  run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  ordinal INT64 NOT NULL,
  column_name STRING NOT NULL,
  column_type STRING NOT NULL,
  profiled_at TIMESTAMP NOT NULL,
  row_count INT64 NOT NULL,
  not_null_count INT64 NOT NULL,
  distinct_count INT64,
  is_approximate BOOL NOT NULL,
  min_value STRING,
  max_value STRING,
  average_value STRING,
  median_value STRING,
  min_number FLOAT64,
  max_number FLOAT64,
  average_number FLOAT64,
  median_number FLOAT64,
  value_kinds JSON NOT NULL,
  true_count INT64,
  min_length INT64,
  max_length INT64,
  average_length FLOAT64,
  PRIMARY KEY (run_id, unique_id, ordinal) NOT ENFORCED
)
CLUSTER BY run_id;
