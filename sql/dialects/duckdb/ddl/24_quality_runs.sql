-- One row per measurement of quality, written last: a measurement with a row is complete.
-- Deleted with the run whose nodes it measured.
CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_runs (
  quality_run_id TEXT(64) NOT NULL PRIMARY KEY,
  run_id TEXT(64) NOT NULL,
  project_name TEXT NOT NULL,
  environment TEXT NOT NULL,
  started_at TIMESTAMPTZ NOT NULL,
  finished_at TIMESTAMPTZ NOT NULL,
  target_name TEXT,
  sample_percent DOUBLE,
  sample_rows BIGINT,
  sample_seed BIGINT,
  keeps_values BOOLEAN NOT NULL,
  table_count BIGINT NOT NULL,
  failed_count BIGINT NOT NULL,
  score DOUBLE,
  recorder_version TEXT NOT NULL,
  status TEXT,
  reason TEXT
);
