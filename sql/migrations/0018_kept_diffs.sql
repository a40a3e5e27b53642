-- Diffs that took long to compute.
CREATE TABLE IF NOT EXISTS store_kept_diffs (
  inputs_id VARCHAR(64) NOT NULL PRIMARY KEY,
  analysis_id VARCHAR(64) NOT NULL,
  base_run_id VARCHAR(64) NOT NULL,
  current_run_id VARCHAR(64) NOT NULL,
  kept_at TIMESTAMPTZ NOT NULL,
  answer TEXT NOT NULL
);
