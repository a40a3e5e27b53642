-- Marks of reviewers on nodes and checks. A store migrated from before has none.
CREATE TABLE IF NOT EXISTS recce_metadata.store_reviews (
  review_id VARCHAR(64) NOT NULL,
  reviewed_at TIMESTAMP WITH TIME ZONE NOT NULL,
  project_name VARCHAR(65535) NOT NULL,
  base_run_id VARCHAR(64),
  current_run_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR(65535),
  check_name VARCHAR(65535),
  status VARCHAR(65535) NOT NULL,
  comment VARCHAR(65535) NOT NULL,
  reviewer VARCHAR(65535) NOT NULL,
  fingerprint VARCHAR(64) NOT NULL,
  recorder_version VARCHAR(65535) NOT NULL
);
