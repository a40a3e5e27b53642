-- One row per measurement of quality, written last: a measurement with a row is complete.
-- Deleted with the run whose nodes it measured.
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
  recorder_version STRING NOT NULL,
  status STRING,
  reason STRING
)
CLUSTER BY (quality_run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
