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
  is_equal BOOL,
  base_rows INT64,
  current_rows INT64,
  added_rows INT64,
  removed_rows INT64,
  common_rows INT64,
  changed_rows INT64,
  differing_columns INT64,
  error STRING,
  parameters JSON NOT NULL,
  result JSON NOT NULL,
  recorder_version STRING NOT NULL,
  PRIMARY KEY (diff_id) NOT ENFORCED
)
CLUSTER BY diff_id;
