-- Times, arguments and job of a build. Unknown for runs recorded before.
ALTER TABLE store_runs ADD COLUMN IF NOT EXISTS run_started_at TIMESTAMPTZ;
ALTER TABLE store_runs ADD COLUMN IF NOT EXISTS run_completed_at TIMESTAMPTZ;
ALTER TABLE store_runs ADD COLUMN IF NOT EXISTS elapsed_time DOUBLE PRECISION;
ALTER TABLE store_runs ADD COLUMN IF NOT EXISTS full_refresh BOOLEAN;
ALTER TABLE store_runs ADD COLUMN IF NOT EXISTS args JSON;
ALTER TABLE store_runs ADD COLUMN IF NOT EXISTS job JSON;
ALTER TABLE store_runs ADD COLUMN IF NOT EXISTS commit_url TEXT;
ALTER TABLE store_run_results ADD COLUMN IF NOT EXISTS compile_started_at TIMESTAMPTZ;
ALTER TABLE store_run_results ADD COLUMN IF NOT EXISTS compile_completed_at TIMESTAMPTZ;
ALTER TABLE store_run_results ADD COLUMN IF NOT EXISTS execute_started_at TIMESTAMPTZ;
ALTER TABLE store_run_results ADD COLUMN IF NOT EXISTS execute_completed_at TIMESTAMPTZ;
ALTER TABLE store_run_results ADD COLUMN IF NOT EXISTS thread_id TEXT;
ALTER TABLE store_run_results ADD COLUMN IF NOT EXISTS query_id TEXT;
ALTER TABLE store_run_results ADD COLUMN IF NOT EXISTS adapter_response JSON;

-- Measured freshness of sources.
CREATE TABLE IF NOT EXISTS store_source_freshness (
  run_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  status TEXT NOT NULL,
  max_loaded_at TIMESTAMPTZ,
  snapshotted_at TIMESTAMPTZ,
  max_loaded_at_time_ago_in_s DOUBLE PRECISION,
  criteria JSON,
  error TEXT,
  PRIMARY KEY (run_id, unique_id)
);
