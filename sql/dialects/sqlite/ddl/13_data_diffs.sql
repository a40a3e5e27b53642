-- One row per saved data diff (`--save`). The id is a hash of the content, so saving again is a no-op. Deleted with its
-- current run, or its base run if it has no current run.
CREATE TABLE IF NOT EXISTS store_data_diffs (
  diff_id TEXT NOT NULL PRIMARY KEY,
  taken_at TIMESTAMPTZ NOT NULL,
  base_run_id TEXT,
  current_run_id TEXT,
  unique_id TEXT,
  subject_name TEXT NOT NULL,
  base_relation TEXT,
  current_relation TEXT,
  diff_type TEXT NOT NULL,
  is_equal BOOLEAN,
  base_rows INTEGER,
  current_rows INTEGER,
  added_rows INTEGER,
  removed_rows INTEGER,
  common_rows INTEGER,
  changed_rows INTEGER,
  differing_columns INTEGER,
  error TEXT,
  parameters TEXT NOT NULL,
  result TEXT NOT NULL,
  recorder_version TEXT NOT NULL
);
