-- Tables of scans of a live database and of measurements of quality. Runs recorded before have none.
CREATE TABLE IF NOT EXISTS recce_metadata.store_fact_parts (
  run_id STRING NOT NULL,
  part_id STRING NOT NULL,
  PRIMARY KEY (run_id, part_id) NOT ENFORCED
)
CLUSTER BY run_id;
CREATE TABLE IF NOT EXISTS recce_metadata.store_relation_facts (
  part_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  row_estimate INT64,
  bytes INT64,
  created_at TIMESTAMP,
  altered_at TIMESTAMP,
  PRIMARY KEY (part_id, unique_id) NOT ENFORCED
)
CLUSTER BY part_id;
CREATE TABLE IF NOT EXISTS recce_metadata.store_version_references (
  version_id STRING NOT NULL,
  ordinal INT64 NOT NULL,
  name STRING,
  parent_id STRING NOT NULL,
  columns JSON NOT NULL,
  parent_columns JSON NOT NULL,
  on_update STRING,
  on_delete STRING,
  PRIMARY KEY (version_id, ordinal) NOT ENFORCED
)
CLUSTER BY version_id;
CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_runs (
  quality_run_id STRING NOT NULL,
  run_id STRING NOT NULL,
  project_name STRING NOT NULL,
  environment STRING NOT NULL,
  started_at TIMESTAMP NOT NULL,
  finished_at TIMESTAMP NOT NULL,
  target_name STRING,
  sample_percent FLOAT64,
  sample_rows INT64,
  sample_seed INT64,
  keeps_values BOOL NOT NULL,
  table_count INT64 NOT NULL,
  failed_count INT64 NOT NULL,
  score FLOAT64,
  recorder_version STRING NOT NULL,
  PRIMARY KEY (quality_run_id) NOT ENFORCED
)
CLUSTER BY quality_run_id;
CREATE TABLE IF NOT EXISTS recce_metadata.store_table_quality (
  quality_run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  name STRING NOT NULL,
  relation STRING NOT NULL,
  measured_at TIMESTAMP NOT NULL,
  row_count INT64,
  sampled_rows INT64,
  column_count INT64 NOT NULL,
  score FLOAT64,
  reason STRING,
  notes JSON NOT NULL,
  PRIMARY KEY (quality_run_id, unique_id) NOT ENFORCED
)
CLUSTER BY quality_run_id;
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_quality (
  quality_run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  ordinal INT64 NOT NULL,
  column_name STRING NOT NULL,
  column_type STRING,
  row_count INT64,
  not_null_count INT64,
  distinct_count INT64,
  is_approximate BOOL,
  min_value STRING,
  max_value STRING,
  average_value STRING,
  median_value STRING,
  min_number FLOAT64,
  max_number FLOAT64,
  average_number FLOAT64,
  median_number FLOAT64,
  value_kinds JSON NOT NULL,
  true_count INT64,
  min_length INT64,
  max_length INT64,
  average_length FLOAT64,
  blank_count INT64,
  is_declared_unique BOOL NOT NULL,
  is_private BOOL NOT NULL,
  score FLOAT64,
  reason STRING,
  PRIMARY KEY (quality_run_id, unique_id, ordinal) NOT ENFORCED
)
CLUSTER BY quality_run_id;
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_top_values (
  quality_run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  ordinal INT64 NOT NULL,
  place INT64 NOT NULL,
  column_name STRING NOT NULL,
  value STRING,
  value_kind STRING,
  value_count INT64 NOT NULL,
  PRIMARY KEY (quality_run_id, unique_id, ordinal, place) NOT ENFORCED
)
CLUSTER BY quality_run_id;
CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_metrics (
  quality_run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  ordinal INT64 NOT NULL,
  place INT64 NOT NULL,
  column_name STRING,
  metric_name STRING NOT NULL,
  value STRING,
  value_kind STRING,
  value_number FLOAT64,
  threshold STRING,
  holds BOOL,
  reason STRING,
  PRIMARY KEY (quality_run_id, unique_id, ordinal, place) NOT ENFORCED
)
CLUSTER BY quality_run_id;
