-- hand-written: without primary keys whose index is too expensive
-- Statistics of runs, and saved results of data diffs.
CREATE TABLE recce_metadata.store_node_statistics (
  run_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  row_count BIGINT,
  counted_at TIMESTAMPTZ NOT NULL,
  reason TEXT,
  profile_reason TEXT
);
CREATE TABLE recce_metadata.store_column_statistics (
  run_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name TEXT NOT NULL,
  column_type TEXT NOT NULL,
  profiled_at TIMESTAMPTZ NOT NULL,
  row_count BIGINT NOT NULL,
  not_null_count BIGINT NOT NULL,
  distinct_count BIGINT,
  is_approximate BOOLEAN NOT NULL,
  min_value TEXT,
  max_value TEXT,
  average_value TEXT,
  median_value TEXT,
  min_number DOUBLE,
  max_number DOUBLE,
  average_number DOUBLE,
  median_number DOUBLE,
  value_kinds JSON NOT NULL,
  true_count BIGINT,
  min_length BIGINT,
  max_length BIGINT,
  average_length DOUBLE
);
CREATE TABLE recce_metadata.store_data_diffs (
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
CREATE TABLE recce_metadata.store_column_diffs (
  diff_id TEXT(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name TEXT NOT NULL,
  status TEXT NOT NULL,
  base_type TEXT,
  current_type TEXT,
  compared_as TEXT,
  matched BIGINT,
  mismatched BIGINT,
  null_to_value BIGINT,
  value_to_null BIGINT,
  mean_difference DOUBLE,
  largest_difference DOUBLE,
  reason TEXT
);
