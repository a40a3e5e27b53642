-- One row per measurement, table, column and frequent value, the most frequent first. `value` is a lossless string;
-- `value_kind` has the type of the string. Both are NULL for NULL.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_top_values (
  quality_run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name STRING NOT NULL,
  value STRING,
  value_kind STRING,
  value_count BIGINT NOT NULL
)
CLUSTER BY (quality_run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
