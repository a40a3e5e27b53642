-- One row per recorded run, written last: a run with a row is complete.
CREATE TABLE IF NOT EXISTS recce_metadata.store_runs (
  run_id STRING NOT NULL,
  run_at TIMESTAMP NOT NULL,
  project_name STRING NOT NULL,
  environment STRING NOT NULL,
  invocation_id STRING,
  extractor STRING NOT NULL,
  dbt_version STRING,
  adapter_type STRING,
  manifest_version STRING,
  target_name STRING,
  target_database STRING,
  target_schema STRING,
  git_sha STRING,
  branch STRING,
  git_dirty BOOLEAN,
  pull_request STRING,
  command STRING,
  node_count BIGINT NOT NULL,
  edge_count BIGINT NOT NULL,
  recorded_at TIMESTAMP NOT NULL,
  recorder_version STRING NOT NULL,
  graph_id STRING NOT NULL,
  macro_set_id STRING NOT NULL,
  column_graph_id STRING,
  git_proven BOOLEAN,
  status STRING,
  reason STRING,
  build_status STRING,
  build_errors BIGINT,
  build_failures BIGINT,
  build_warnings BIGINT,
  build_skipped BIGINT,
  warnings STRING,
  extraction STRING,
  variables STRING
)
CLUSTER BY (run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
