-- One row per saved value diff and column: compared columns first, then columns only in base, then only in current.
-- Written with the diff's own row.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_diffs (
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
