-- Marks of reviewers on nodes and checks. A store migrated from before has none.
CREATE TABLE IF NOT EXISTS store_reviews (
  review_id VARCHAR(64) NOT NULL PRIMARY KEY,
  reviewed_at TIMESTAMPTZ NOT NULL,
  project_name TEXT NOT NULL,
  base_run_id VARCHAR(64),
  current_run_id VARCHAR(64) NOT NULL,
  unique_id TEXT,
  check_name TEXT,
  status TEXT NOT NULL,
  comment TEXT NOT NULL,
  reviewer TEXT NOT NULL,
  fingerprint VARCHAR(64) NOT NULL,
  recorder_version TEXT NOT NULL
);
