-- One row per measurement of quality, written last: a measurement with a row is complete.
-- Deleted with the run whose nodes it measured.
CREATE TABLE IF NOT EXISTS recce_metadata.store_quality_runs (
  quality_run_id VARCHAR(64) NOT NULL,
  run_id VARCHAR(64) NOT NULL,
  project_name VARCHAR NOT NULL,
  environment VARCHAR NOT NULL,
  started_at TIMESTAMPTZ NOT NULL,
  finished_at TIMESTAMPTZ NOT NULL,
  target_name VARCHAR,
  sample_percent DOUBLE,
  sample_rows BIGINT,
  sample_seed BIGINT,
  keeps_values BOOLEAN NOT NULL,
  table_count BIGINT NOT NULL,
  failed_count BIGINT NOT NULL,
  score DOUBLE,
  recorder_version VARCHAR NOT NULL,
  status VARCHAR,
  reason VARCHAR,
  PRIMARY KEY (quality_run_id)
);
