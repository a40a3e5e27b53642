-- One row per check result, from `check run --save` or an imported recce state. The id is a hash of the result, so
-- saving again is a no-op. Deleted with its current run, or its base run if it has no current run.
-- `findings` is a JSON list of nodes with counts in words: no values of the compared data.
CREATE TABLE IF NOT EXISTS recce_metadata.store_check_results (
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
