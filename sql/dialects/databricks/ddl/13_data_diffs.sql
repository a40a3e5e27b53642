-- One row per saved data diff (`--save`). The id is a hash of the content, so saving again is a no-op. Deleted with its
-- current run, or its base run if it has no current run.
CREATE TABLE IF NOT EXISTS recce_metadata.store_data_diffs (
  diff_id STRING NOT NULL,
  taken_at TIMESTAMP NOT NULL,
  base_run_id STRING,
  current_run_id STRING,
  unique_id STRING,
  subject_name STRING NOT NULL,
  base_relation STRING,
  current_relation STRING,
  diff_type STRING NOT NULL,
  is_equal BOOLEAN,
  base_rows BIGINT,
  current_rows BIGINT,
  added_rows BIGINT,
  removed_rows BIGINT,
  common_rows BIGINT,
  changed_rows BIGINT,
  differing_columns BIGINT,
  error STRING,
  parameters STRING NOT NULL,
  result STRING NOT NULL,
  recorder_version STRING NOT NULL
)
CLUSTER BY (diff_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
