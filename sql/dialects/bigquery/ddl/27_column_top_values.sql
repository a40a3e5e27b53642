-- One row per measurement, table, column and frequent value, the most frequent first. `value` is a lossless string;
-- `value_kind` has the type of the string. Both are NULL for NULL.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_top_values (
  quality_run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  ordinal INT64 NOT NULL,
  place INT64 NOT NULL,
  column_name STRING NOT NULL,
  value STRING,
  value_kind STRING,
  value_count INT64 NOT NULL,
  PRIMARY KEY (quality_run_id, unique_id, ordinal, place) NOT ENFORCED
)
CLUSTER BY quality_run_id;
