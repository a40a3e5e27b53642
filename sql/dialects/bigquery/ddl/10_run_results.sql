-- One row per run and node that dbt ran, from run_results.json. `completed_at` is ISO 8601 in UTC, as in that file.
CREATE TABLE IF NOT EXISTS recce_metadata.store_run_results (
  run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  status STRING NOT NULL,
  seconds FLOAT64,
  rows_affected INT64,
  bytes_processed INT64,
  failures INT64,
  message STRING,
  completed_at STRING,
  PRIMARY KEY (run_id, unique_id) NOT ENFORCED
)
CLUSTER BY run_id;
