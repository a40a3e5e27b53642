-- hand-written: without primary keys whose index is too expensive
-- Tables of scans of a live database and of measurements of quality. Runs recorded before have none.
CREATE TABLE IF NOT EXISTS recce_metadata.store_fact_parts (
  run_id TEXT(64) NOT NULL,
  part_id TEXT(64) NOT NULL
);

CREATE TABLE IF NOT EXISTS recce_metadata.store_relation_facts (
  part_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  row_estimate BIGINT,
  bytes BIGINT,
  created_at TIMESTAMPTZ,
  altered_at TIMESTAMPTZ
);

CREATE TABLE IF NOT EXISTS recce_metadata.store_version_references (
  version_id TEXT(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  name TEXT,
  parent_id TEXT NOT NULL,
  "columns" JSON NOT NULL,
  parent_columns JSON NOT NULL,
  on_update TEXT,
  on_delete TEXT
);

CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_runs (
  quality_run_id TEXT(64) NOT NULL PRIMARY KEY,
  run_id TEXT(64) NOT NULL,
  project_name TEXT NOT NULL,
  environment TEXT NOT NULL,
  started_at TIMESTAMPTZ NOT NULL,
  finished_at TIMESTAMPTZ NOT NULL,
  target_name TEXT,
  sample_percent DOUBLE,
  sample_rows BIGINT,
  sample_seed BIGINT,
  keeps_values BOOLEAN NOT NULL,
  table_count BIGINT NOT NULL,
  failed_count BIGINT NOT NULL,
  score DOUBLE,
  recorder_version TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS recce_metadata.store_table_quality (
  quality_run_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  name TEXT NOT NULL,
  relation TEXT NOT NULL,
  measured_at TIMESTAMPTZ NOT NULL,
  row_count BIGINT,
  sampled_rows BIGINT,
  column_count BIGINT NOT NULL,
  score DOUBLE,
  reason TEXT,
  notes JSON NOT NULL
);

CREATE TABLE IF NOT EXISTS recce_metadata.store_column_quality (
  quality_run_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name TEXT NOT NULL,
  column_type TEXT,
  row_count BIGINT,
  not_null_count BIGINT,
  distinct_count BIGINT,
  is_approximate BOOLEAN,
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
  average_length DOUBLE,
  blank_count BIGINT,
  is_declared_unique BOOLEAN NOT NULL,
  is_private BOOLEAN NOT NULL,
  score DOUBLE,
  reason TEXT
);

CREATE TABLE IF NOT EXISTS recce_metadata.store_column_top_values (
  quality_run_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name TEXT NOT NULL,
  value TEXT,
  value_kind TEXT,
  value_count BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_metrics (
  quality_run_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name TEXT,
  metric_name TEXT NOT NULL,
  value TEXT,
  value_kind TEXT,
  value_number DOUBLE,
  threshold TEXT,
  holds BOOLEAN,
  reason TEXT
);
