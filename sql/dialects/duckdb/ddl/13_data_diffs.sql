-- hand-written: without the primary key, because its index takes a quarter of the file and slows loading. Recorders
-- write one at a time and skip stored rows.
-- One row per saved data diff (`--save`). The id is a hash of the content, so saving again is a no-op. Deleted with its
-- current run, or its base run if it has no current run.
CREATE TABLE IF NOT EXISTS recce_metadata.store_data_diffs (
  diff_id TEXT(64) NOT NULL,
  taken_at TIMESTAMPTZ NOT NULL,
  base_run_id TEXT(64),
  current_run_id TEXT(64),
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
