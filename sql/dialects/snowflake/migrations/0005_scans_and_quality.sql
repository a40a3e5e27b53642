-- Tables of scans of a live database and of measurements of quality. Runs recorded before have none.
CREATE TABLE IF NOT EXISTS recce_metadata.store_fact_parts (
  run_id VARCHAR(64) NOT NULL,
  part_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (run_id, part_id)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_relation_facts (
  part_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR NOT NULL,
  row_estimate BIGINT,
  bytes BIGINT,
  created_at TIMESTAMPTZ,
  altered_at TIMESTAMPTZ,
  PRIMARY KEY (part_id, unique_id)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_version_references (
  version_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  name VARCHAR,
  parent_id VARCHAR NOT NULL,
  columns VARIANT NOT NULL,
  parent_columns VARIANT NOT NULL,
  on_update VARCHAR,
  on_delete VARCHAR,
  PRIMARY KEY (version_id, ordinal)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_runs (
  quality_run_id VARCHAR(64) NOT NULL,
  run_id VARCHAR(64) NOT NULL,
  project_name VARCHAR NOT NULL,
  environment VARCHAR NOT NULL,
  started_at TIMESTAMPTZ NOT NULL,
  finished_at TIMESTAMPTZ NOT NULL,
  target_name VARCHAR,
  sample_percent DOUBLE,
  sample_rows BIGINT,
  sample_seed BIGINT,
  keeps_values BOOLEAN NOT NULL,
  table_count BIGINT NOT NULL,
  failed_count BIGINT NOT NULL,
  score DOUBLE,
  recorder_version VARCHAR NOT NULL,
  PRIMARY KEY (quality_run_id)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_table_quality (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  relation VARCHAR NOT NULL,
  measured_at TIMESTAMPTZ NOT NULL,
  row_count BIGINT,
  sampled_rows BIGINT,
  column_count BIGINT NOT NULL,
  score DOUBLE,
  reason VARCHAR,
  notes VARIANT NOT NULL,
  PRIMARY KEY (quality_run_id, unique_id)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_quality (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name VARCHAR NOT NULL,
  column_type VARCHAR,
  row_count BIGINT,
  not_null_count BIGINT,
  distinct_count BIGINT,
  is_approximate BOOLEAN,
  min_value VARCHAR,
  max_value VARCHAR,
  average_value VARCHAR,
  median_value VARCHAR,
  min_number DOUBLE,
  max_number DOUBLE,
  average_number DOUBLE,
  median_number DOUBLE,
  value_kinds VARIANT NOT NULL,
  true_count BIGINT,
  min_length BIGINT,
  max_length BIGINT,
  average_length DOUBLE,
  blank_count BIGINT,
  is_declared_unique BOOLEAN NOT NULL,
  is_private BOOLEAN NOT NULL,
  score DOUBLE,
  reason VARCHAR,
  PRIMARY KEY (quality_run_id, unique_id, ordinal)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_top_values (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name VARCHAR NOT NULL,
  value VARCHAR,
  value_kind VARCHAR,
  value_count BIGINT NOT NULL,
  PRIMARY KEY (quality_run_id, unique_id, ordinal, place)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_metrics (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name VARCHAR,
  metric_name VARCHAR NOT NULL,
  value VARCHAR,
  value_kind VARCHAR,
  value_number DOUBLE,
  threshold VARCHAR,
  holds BOOLEAN,
  reason VARCHAR,
  PRIMARY KEY (quality_run_id, unique_id, ordinal, place)
);
