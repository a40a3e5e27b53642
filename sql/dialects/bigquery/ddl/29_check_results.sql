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
  ordinal INT64 NOT NULL,
  check_name STRING NOT NULL,
  check_type STRING NOT NULL,
  description STRING NOT NULL,
  status STRING NOT NULL,
  has_expectations BOOL NOT NULL,
  is_optional BOOL NOT NULL,
  node_count INT64,
  differing_nodes INT64,
  uncompared_nodes INT64,
  message STRING NOT NULL,
  violations JSON NOT NULL,
  findings JSON NOT NULL,
  seconds FLOAT64,
  parameters JSON NOT NULL,
  recorder_version STRING NOT NULL,
  PRIMARY KEY (check_result_id) NOT ENFORCED
)
CLUSTER BY check_result_id;
