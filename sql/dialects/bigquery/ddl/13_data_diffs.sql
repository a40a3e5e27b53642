-- One row per kept result of a data diff, whole in `result`: from `--save`. Its id is the hash of what it
-- says, so that saving it twice writes it once. It goes when its current run does; where it has none, its
-- base run.
CREATE TABLE IF NOT EXISTS recce_metadata.data_diffs (
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
