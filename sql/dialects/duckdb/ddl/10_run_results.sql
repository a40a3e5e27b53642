-- hand-written: without the primary key, whose index takes a quarter of the file and slows loading;
-- recorders write one at a time, and nothing that is stored already
-- One row per run and node that dbt ran: from run_results.json. `completed_at` is
-- ISO 8601 in UTC, as dbt wrote it.
CREATE TABLE IF NOT EXISTS recce_metadata.run_results (
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
