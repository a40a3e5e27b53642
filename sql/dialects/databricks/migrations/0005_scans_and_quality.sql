-- Tables of scans of a live database and of measurements of quality. Runs recorded before have none.
CREATE TABLE IF NOT EXISTS recce_metadata.store_fact_parts (
  run_id STRING NOT NULL,
  part_id STRING NOT NULL
)
CLUSTER BY (run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_relation_facts (
  part_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  row_estimate BIGINT,
  bytes BIGINT,
  created_at TIMESTAMP,
  altered_at TIMESTAMP
)
CLUSTER BY (part_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_version_references (
  version_id STRING NOT NULL,
  ordinal BIGINT NOT NULL,
  name STRING,
  parent_id STRING NOT NULL,
  columns STRING NOT NULL,
  parent_columns STRING NOT NULL,
  on_update STRING,
  on_delete STRING
)
CLUSTER BY (version_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_runs (
  quality_run_id STRING NOT NULL,
  run_id STRING NOT NULL,
  project_name STRING NOT NULL,
  environment STRING NOT NULL,
  started_at TIMESTAMP NOT NULL,
  finished_at TIMESTAMP NOT NULL,
  target_name STRING,
  sample_percent DOUBLE,
  sample_rows BIGINT,
  sample_seed BIGINT,
  keeps_values BOOLEAN NOT NULL,
  table_count BIGINT NOT NULL,
  failed_count BIGINT NOT NULL,
  score DOUBLE,
  recorder_version STRING NOT NULL
)
CLUSTER BY (quality_run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_table_quality (
  quality_run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  name STRING NOT NULL,
  relation STRING NOT NULL,
  measured_at TIMESTAMP NOT NULL,
  row_count BIGINT,
  sampled_rows BIGINT,
  column_count BIGINT NOT NULL,
  score DOUBLE,
  reason STRING,
  notes STRING NOT NULL
)
CLUSTER BY (quality_run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_quality (
  quality_run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name STRING NOT NULL,
  column_type STRING,
  row_count BIGINT,
  not_null_count BIGINT,
  distinct_count BIGINT,
  is_approximate BOOLEAN,
  min_value STRING,
  max_value STRING,
  average_value STRING,
  median_value STRING,
  min_number DOUBLE,
  max_number DOUBLE,
  average_number DOUBLE,
  median_number DOUBLE,
  value_kinds STRING NOT NULL,
  true_count BIGINT,
  min_length BIGINT,
  max_length BIGINT,
  average_length DOUBLE,
  blank_count BIGINT,
  is_declared_unique BOOLEAN NOT NULL,
  is_private BOOLEAN NOT NULL,
  score DOUBLE,
  reason STRING
)
CLUSTER BY (quality_run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_top_values (
  quality_run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name STRING NOT NULL,
  value STRING,
  value_kind STRING,
  value_count BIGINT NOT NULL
)
CLUSTER BY (quality_run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_metrics (
  quality_run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  ordinal BIGINT NOT NULL,
  place BIGINT NOT NULL,
  column_name STRING,
  metric_name STRING NOT NULL,
  value STRING,
  value_kind STRING,
  value_number DOUBLE,
  threshold STRING,
  holds BOOLEAN,
  reason STRING
)
CLUSTER BY (quality_run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
