-- Tables of scans of a live database and of measurements of quality. Runs recorded before have none.
CREATE TABLE IF NOT EXISTS recce_metadata.store_fact_parts (
  run_id VARCHAR(64) NOT NULL,
  part_id VARCHAR(64) NOT NULL
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_relation_facts (
  part_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  row_estimate BIGINT,
  bytes BIGINT,
  created_at TIMESTAMP WITH TIME ZONE,
  altered_at TIMESTAMP WITH TIME ZONE
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_version_references (
  version_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  name VARCHAR(65535),
  parent_id VARCHAR(65535) NOT NULL,
  columns SUPER NOT NULL,
  parent_columns SUPER NOT NULL,
  on_update VARCHAR(65535),
  on_delete VARCHAR(65535)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_runs (
  quality_run_id VARCHAR(64) NOT NULL,
  run_id VARCHAR(64) NOT NULL,
  project_name VARCHAR(65535) NOT NULL,
  environment VARCHAR(65535) NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  finished_at TIMESTAMP WITH TIME ZONE NOT NULL,
  target_name VARCHAR(65535),
  sample_percent DOUBLE PRECISION,
  sample_rows BIGINT,
  sample_seed BIGINT,
  keeps_values BOOLEAN NOT NULL,
  table_count BIGINT NOT NULL,
  failed_count BIGINT NOT NULL,
  score DOUBLE PRECISION,
  recorder_version VARCHAR(65535) NOT NULL
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_table_quality (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  name VARCHAR(65535) NOT NULL,
  relation VARCHAR(65535) NOT NULL,
  measured_at TIMESTAMP WITH TIME ZONE NOT NULL,
  row_count BIGINT,
  sampled_rows BIGINT,
  column_count BIGINT NOT NULL,
  score DOUBLE PRECISION,
  reason VARCHAR(65535),
  notes SUPER NOT NULL
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_quality (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name VARCHAR(65535) NOT NULL,
  column_type VARCHAR(65535),
  row_count BIGINT,
  not_null_count BIGINT,
  distinct_count BIGINT,
  is_approximate BOOLEAN,
  min_value VARCHAR(65535),
  max_value VARCHAR(65535),
  average_value VARCHAR(65535),
  median_value VARCHAR(65535),
  min_number DOUBLE PRECISION,
  max_number DOUBLE PRECISION,
  average_number DOUBLE PRECISION,
  median_number DOUBLE PRECISION,
  value_kinds SUPER NOT NULL,
  true_count BIGINT,
  min_length BIGINT,
  max_length BIGINT,
  average_length DOUBLE PRECISION,
  blank_count BIGINT,
  is_declared_unique BOOLEAN NOT NULL,
  is_private BOOLEAN NOT NULL,
  score DOUBLE PRECISION,
  reason VARCHAR(65535)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_top_values (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name VARCHAR(65535) NOT NULL,
  value VARCHAR(65535),
  value_kind VARCHAR(65535),
  value_count BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_metrics (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name VARCHAR(65535),
  metric_name VARCHAR(65535) NOT NULL,
  value VARCHAR(65535),
  value_kind VARCHAR(65535),
  value_number DOUBLE PRECISION,
  threshold VARCHAR(65535),
  holds BOOLEAN,
  reason VARCHAR(65535)
);
