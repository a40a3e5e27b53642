-- One row per mark of a reviewer on a node or a check, from the pages or from Python. Rows are only added: the latest
-- row of a reviewer for the same object and fingerprint counts. `fingerprint` identifies what was reviewed, on both
-- sides. Deleted with the current run.
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
