-- One row per run and node that dbt ran, from run_results.json. `completed_at` is ISO 8601 in UTC, as in that file.
CREATE TABLE IF NOT EXISTS recce_metadata.store_run_results (
  run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  status STRING NOT NULL,
  seconds DOUBLE,
  rows_affected BIGINT,
  bytes_processed BIGINT,
  failures BIGINT,
  message STRING,
  completed_at STRING
)
CLUSTER BY (run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
