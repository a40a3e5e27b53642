-- One row per measurement of quality, written last: a measurement with a row is complete.
-- Deleted with the run whose nodes it measured.
CREATE TABLE IF NOT EXISTS store_quality_runs (
  quality_run_id TEXT NOT NULL PRIMARY KEY,
  run_id TEXT NOT NULL,
  project_name TEXT NOT NULL,
  environment TEXT NOT NULL,
  started_at TIMESTAMPTZ NOT NULL,
  finished_at TIMESTAMPTZ NOT NULL,
  target_name TEXT,
  sample_percent REAL,
  sample_rows INTEGER,
  sample_seed INTEGER,
  keeps_values BOOLEAN NOT NULL,
  table_count INTEGER NOT NULL,
  failed_count INTEGER NOT NULL,
  score REAL,
  recorder_version TEXT NOT NULL,
  status TEXT,
  reason TEXT
);
