-- One row per run and node that dbt ran, from run_results.json. `completed_at` is ISO 8601 in UTC, as in that file.
CREATE TABLE IF NOT EXISTS store_run_results (
  run_id TEXT NOT NULL,
  unique_id TEXT NOT NULL,
  status TEXT NOT NULL,
  seconds REAL,
  rows_affected INTEGER,
  bytes_processed INTEGER,
  failures INTEGER,
  message TEXT,
  completed_at TEXT,
  PRIMARY KEY (run_id, unique_id)
);
