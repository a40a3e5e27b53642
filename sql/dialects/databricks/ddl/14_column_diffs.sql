-- One row per saved value diff and column: compared columns first, then columns only in base, then only in current.
-- Written with the diff's own row.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_diffs (
  diff_id STRING NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name STRING NOT NULL,
  status STRING NOT NULL,
  base_type STRING,
  current_type STRING,
  compared_as STRING,
  matched BIGINT,
  mismatched BIGINT,
  null_to_value BIGINT,
  value_to_null BIGINT,
  mean_difference DOUBLE,
  largest_difference DOUBLE,
  reason STRING
)
CLUSTER BY (diff_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
