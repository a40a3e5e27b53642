-- One row per measurement of quality, written last: a measurement with a row is complete.
-- Deleted with the run whose nodes it measured.
CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_runs (
  quality_run_id VARCHAR(64) NOT NULL,
  run_id VARCHAR(64) NOT NULL,
  project_name VARCHAR(65535) NOT NULL,
  environment VARCHAR(65535) NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  finished_at TIMESTAMP WITH TIME ZONE NOT NULL,
  target_name VARCHAR(65535),
  sample_percent DOUBLE PRECISION,
  sample_rows BIGINT,
  sample_seed BIGINT,
  keeps_values BOOLEAN NOT NULL,
  table_count BIGINT NOT NULL,
  failed_count BIGINT NOT NULL,
  score DOUBLE PRECISION,
  recorder_version VARCHAR(65535) NOT NULL,
  status VARCHAR(65535),
  reason VARCHAR(65535)
);
