-- Marks of reviewers on nodes and checks. A store migrated from before has none.
CREATE TABLE IF NOT EXISTS recce_metadata.store_reviews (
  review_id VARCHAR(64) NOT NULL,
  reviewed_at TIMESTAMPTZ NOT NULL,
  project_name VARCHAR NOT NULL,
  base_run_id VARCHAR(64),
  current_run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR,
  check_name VARCHAR,
  status VARCHAR NOT NULL,
  comment VARCHAR NOT NULL,
  reviewer VARCHAR NOT NULL,
  fingerprint VARCHAR(64) NOT NULL,
  recorder_version VARCHAR NOT NULL,
  PRIMARY KEY (review_id)
);
