-- One row per mark of a reviewer on a node or a check, from the pages or from Python. Rows are only added: the latest
-- row of a reviewer for the same object and fingerprint counts. `fingerprint` identifies what was reviewed, on both
-- sides. Deleted with the current run.
CREATE TABLE IF NOT EXISTS recce_metadata.store_reviews (
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
