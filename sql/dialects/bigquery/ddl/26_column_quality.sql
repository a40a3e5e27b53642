-- One row per measurement, table and column, in the order of the relation. Values are lossless strings, numbers also
-- doubles; `value_kinds` has the type of each string. Figures are NULL if the column could not be measured; see
-- `reason`. Values are NULL if they are withheld.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_quality (
  quality_run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  ordinal INT64 NOT NULL,
  column_name STRING NOT NULL,
  column_type STRING,
  row_count INT64,
  not_null_count INT64,
  distinct_count INT64,
  is_approximate BOOL,
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
  blank_count INT64,
  is_declared_unique BOOL NOT NULL,
  is_private BOOL NOT NULL,
  score FLOAT64,
  reason STRING,
  PRIMARY KEY (quality_run_id, unique_id, ordinal) NOT ENFORCED
)
CLUSTER BY quality_run_id;
