-- One row per run and node that dbt ran, from run_results.json. `completed_at` is ISO 8601 in UTC, as in that file: earlier
-- versions read it. `adapter_response` has what no other column has.
-- `failed_rows` are the first rows of a failed test, if they were read.
CREATE TABLE IF NOT EXISTS store_run_results (
  run_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  status TEXT NOT NULL,
  seconds DOUBLE PRECISION,
  rows_affected BIGINT,
  bytes_processed BIGINT,
  failures BIGINT,
  message TEXT,
  completed_at TEXT,
  compile_started_at TIMESTAMPTZ,
  compile_completed_at TIMESTAMPTZ,
  execute_started_at TIMESTAMPTZ,
  execute_completed_at TIMESTAMPTZ,
  thread_id TEXT,
  query_id TEXT,
  adapter_response JSON,
  failed_rows JSON,
  PRIMARY KEY (run_id, unique_id)
);
