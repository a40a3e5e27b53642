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
  sample_percent FLOAT64,
  sample_rows INT64,
  sample_seed INT64,
  keeps_values BOOL NOT NULL,
  table_count INT64 NOT NULL,
  failed_count INT64 NOT NULL,
  score FLOAT64,
  recorder_version STRING NOT NULL,
  status STRING,
  reason STRING,
  PRIMARY KEY (quality_run_id) NOT ENFORCED
)
CLUSTER BY quality_run_id;
