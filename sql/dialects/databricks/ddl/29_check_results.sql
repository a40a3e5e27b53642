-- One row per result of a check: from `check run --save`, and from an imported state of recce. Its id is the hash of
-- the result, so that saving it again is a no-op. It goes when its current run does; without one, when its base run
-- does. `findings` is a JSON list of nodes with counts in words: no values of the compared data.
CREATE TABLE IF NOT EXISTS recce_metadata.check_results (
  check_result_id STRING NOT NULL,
  checked_at TIMESTAMP NOT NULL,
  base_run_id STRING,
  current_run_id STRING,
  origin STRING NOT NULL,
  file_name STRING NOT NULL,
  ordinal BIGINT NOT NULL,
  check_name STRING NOT NULL,
  check_type STRING NOT NULL,
  description STRING NOT NULL,
  status STRING NOT NULL,
  has_expectations BOOLEAN NOT NULL,
  is_optional BOOLEAN NOT NULL,
  node_count BIGINT,
  differing_nodes BIGINT,
  uncompared_nodes BIGINT,
  message STRING NOT NULL,
  violations STRING NOT NULL,
  findings STRING NOT NULL,
  seconds DOUBLE,
  parameters STRING NOT NULL,
  recorder_version STRING NOT NULL
)
CLUSTER BY (check_result_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
