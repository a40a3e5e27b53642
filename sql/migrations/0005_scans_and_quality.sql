-- Tables of scans of a live database and of measurements of quality. Runs recorded before have none.
CREATE TABLE IF NOT EXISTS store_fact_parts (
  run_id VARCHAR(64) NOT NULL,
  part_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (run_id, part_id)
);

CREATE TABLE IF NOT EXISTS store_relation_facts (
  part_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  row_estimate BIGINT,
  bytes BIGINT,
  created_at TIMESTAMPTZ,
  altered_at TIMESTAMPTZ,
  PRIMARY KEY (part_id, unique_id)
);

CREATE TABLE IF NOT EXISTS store_version_references (
  version_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  name TEXT,
  parent_id TEXT NOT NULL,
  columns JSON NOT NULL,
  parent_columns JSON NOT NULL,
  on_update TEXT,
  on_delete TEXT,
  PRIMARY KEY (version_id, ordinal)
);

CREATE TABLE IF NOT EXISTS store_quality_runs (
  quality_run_id VARCHAR(64) NOT NULL PRIMARY KEY,
  run_id VARCHAR(64) NOT NULL,
  project_name TEXT NOT NULL,
  environment TEXT NOT NULL,
  started_at TIMESTAMPTZ NOT NULL,
  finished_at TIMESTAMPTZ NOT NULL,
  target_name TEXT,
  sample_percent DOUBLE PRECISION,
  sample_rows BIGINT,
  sample_seed BIGINT,
  keeps_values BOOLEAN NOT NULL,
  table_count BIGINT NOT NULL,
  failed_count BIGINT NOT NULL,
  score DOUBLE PRECISION,
  recorder_version TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS store_table_quality (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  name TEXT NOT NULL,
  relation TEXT NOT NULL,
  measured_at TIMESTAMPTZ NOT NULL,
  row_count BIGINT,
  sampled_rows BIGINT,
  column_count BIGINT NOT NULL,
  score DOUBLE PRECISION,
  reason TEXT,
  notes JSON NOT NULL,
  PRIMARY KEY (quality_run_id, unique_id)
);

CREATE TABLE IF NOT EXISTS store_column_quality (
  quality_run_id VARCHAR(64) NOT NULL,
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
  min_number DOUBLE PRECISION,
  max_number DOUBLE PRECISION,
  average_number DOUBLE PRECISION,
  median_number DOUBLE PRECISION,
  value_kinds JSON NOT NULL,
  true_count BIGINT,
  min_length BIGINT,
  max_length BIGINT,
  average_length DOUBLE PRECISION,
  blank_count BIGINT,
  is_declared_unique BOOLEAN NOT NULL,
  is_private BOOLEAN NOT NULL,
  score DOUBLE PRECISION,
  reason TEXT,
  PRIMARY KEY (quality_run_id, unique_id, ordinal)
);

CREATE TABLE IF NOT EXISTS store_column_top_values (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name TEXT NOT NULL,
  value TEXT,
  value_kind TEXT,
  value_count BIGINT NOT NULL,
  PRIMARY KEY (quality_run_id, unique_id, ordinal, place)
);

CREATE TABLE IF NOT EXISTS store_quality_metrics (
  quality_run_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name TEXT,
  metric_name TEXT NOT NULL,
  value TEXT,
  value_kind TEXT,
  value_number DOUBLE PRECISION,
  threshold TEXT,
  holds BOOLEAN,
  reason TEXT,
  PRIMARY KEY (quality_run_id, unique_id, ordinal, place)
);
