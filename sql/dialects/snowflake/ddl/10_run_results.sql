-- One row per run and node that dbt ran, from run_results.json. `completed_at` is ISO 8601 in UTC, as in that file.
CREATE TABLE IF NOT EXISTS recce_metadata.store_run_results (
  run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR NOT NULL,
  status VARCHAR NOT NULL,
  seconds DOUBLE,
  rows_affected BIGINT,
  bytes_processed BIGINT,
  failures BIGINT,
  message VARCHAR,
  completed_at VARCHAR,
  PRIMARY KEY (run_id, unique_id)
);
