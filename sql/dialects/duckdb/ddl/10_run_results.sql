-- hand-written: without the primary key, because its index takes a quarter of the file and slows loading. Recorders
-- write one at a time and skip stored rows.
-- One row per run and node that dbt ran, from run_results.json. `completed_at` is ISO 8601 in UTC, as in that file.
CREATE TABLE IF NOT EXISTS recce_metadata.store_run_results (
  run_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  status TEXT NOT NULL,
  seconds DOUBLE,
  rows_affected BIGINT,
  bytes_processed BIGINT,
  failures BIGINT,
  message TEXT,
  completed_at TEXT
);
