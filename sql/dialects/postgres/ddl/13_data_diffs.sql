-- One row per kept result of a data diff, whole in `result`: from `--save`. Its id is the hash of what it
-- says, so that saving it twice writes it once. It goes when its current run does; where it has none, its
-- base run.
CREATE TABLE IF NOT EXISTS recce_metadata.data_diffs (
  diff_id VARCHAR(64) NOT NULL PRIMARY KEY,
  taken_at TIMESTAMPTZ NOT NULL,
  base_run_id VARCHAR(64),
  current_run_id VARCHAR(64),
  unique_id TEXT,
  subject_name TEXT NOT NULL,
  base_relation TEXT,
  current_relation TEXT,
  diff_type TEXT NOT NULL,
  is_equal BOOLEAN,
  base_rows BIGINT,
  current_rows BIGINT,
  added_rows BIGINT,
  removed_rows BIGINT,
  common_rows BIGINT,
  changed_rows BIGINT,
  differing_columns BIGINT,
  error TEXT,
  parameters JSON NOT NULL,
  result JSON NOT NULL,
  recorder_version TEXT NOT NULL
);
