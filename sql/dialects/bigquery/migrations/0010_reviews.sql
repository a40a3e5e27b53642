-- Marks of reviewers on nodes and checks. A store migrated from before has none.
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
  recorder_version STRING NOT NULL,
  PRIMARY KEY (review_id) NOT ENFORCED
)
CLUSTER BY review_id;
