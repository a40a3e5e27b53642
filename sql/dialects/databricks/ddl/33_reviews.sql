-- One row per mark of a reviewer on a node or a check, from the pages or from Python. Rows are only added: the latest
-- row of a reviewer for the same object and fingerprint counts. `fingerprint` identifies what was reviewed, on both
-- sides. Deleted with the current run.
CREATE TABLE IF NOT EXISTS recce_metadata.store_reviews (
  review_id STRING NOT NULL,
  reviewed_at TIMESTAMP NOT NULL,
  project_name STRING NOT NULL,
  base_run_id STRING,
  current_run_id STRING NOT NULL,
  unique_id STRING,
  check_name STRING,
  status STRING NOT NULL,
  comment STRING NOT NULL,
  reviewer STRING NOT NULL,
  fingerprint STRING NOT NULL,
  recorder_version STRING NOT NULL
)
CLUSTER BY (review_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
