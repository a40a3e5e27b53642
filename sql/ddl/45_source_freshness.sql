-- One row per run and source whose freshness dbt measured, from sources.json.
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
