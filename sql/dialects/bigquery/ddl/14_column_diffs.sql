-- One row per kept diff of values and column: those compared in the result's order, then those of base alone,
-- then those of current alone. Written with the diff's own row.
CREATE TABLE IF NOT EXISTS recce_metadata.column_diffs (
  diff_id STRING NOT NULL,
  ordinal INT64 NOT NULL,
  column_name STRING NOT NULL,
  status STRING NOT NULL,
  base_type STRING,
  current_type STRING,
  compared_as STRING,
  matched INT64,
  mismatched INT64,
  null_to_value INT64,
  value_to_null INT64,
  mean_difference FLOAT64,
  largest_difference FLOAT64,
  reason STRING,
  PRIMARY KEY (diff_id, ordinal) NOT ENFORCED
)
CLUSTER BY diff_id;
