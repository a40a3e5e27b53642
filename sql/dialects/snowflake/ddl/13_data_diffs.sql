-- One row per saved data diff (`--save`). The id is a hash of the content, so saving again is a no-op. Deleted with its
-- current run, or its base run if it has no current run.
CREATE TABLE IF NOT EXISTS recce_metadata.store_data_diffs (
  diff_id VARCHAR(64) NOT NULL,
  taken_at TIMESTAMPTZ NOT NULL,
  base_run_id VARCHAR(64),
  current_run_id VARCHAR(64),
  unique_id VARCHAR,
  subject_name VARCHAR NOT NULL,
  base_relation VARCHAR,
  current_relation VARCHAR,
  diff_type VARCHAR NOT NULL,
  is_equal BOOLEAN,
  base_rows BIGINT,
  current_rows BIGINT,
  added_rows BIGINT,
  removed_rows BIGINT,
  common_rows BIGINT,
  changed_rows BIGINT,
  differing_columns BIGINT,
  error VARCHAR,
  parameters VARIANT NOT NULL,
  result VARIANT NOT NULL,
  recorder_version VARCHAR NOT NULL,
  PRIMARY KEY (diff_id)
);
