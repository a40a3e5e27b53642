-- One row per check result, from `check run --save` or an imported recce state. The id is a hash of the result, so
-- saving again is a no-op. Deleted with its current run, or its base run if it has no current run.
-- `findings` is a JSON list of nodes with counts in words: no values of the compared data.
CREATE TABLE IF NOT EXISTS recce_metadata.store_check_results (
  check_result_id VARCHAR(64) NOT NULL,
  checked_at TIMESTAMP WITH TIME ZONE NOT NULL,
  base_run_id VARCHAR(64),
  current_run_id VARCHAR(64),
  origin VARCHAR(65535) NOT NULL,
  file_name VARCHAR(65535) NOT NULL,
  ordinal BIGINT NOT NULL,
  check_name VARCHAR(65535) NOT NULL,
  check_type VARCHAR(65535) NOT NULL,
  description VARCHAR(65535) NOT NULL,
  status VARCHAR(65535) NOT NULL,
  has_expectations BOOLEAN NOT NULL,
  is_optional BOOLEAN NOT NULL,
  node_count BIGINT,
  differing_nodes BIGINT,
  uncompared_nodes BIGINT,
  message VARCHAR(65535) NOT NULL,
  violations SUPER NOT NULL,
  findings SUPER NOT NULL,
  seconds DOUBLE PRECISION,
  parameters SUPER NOT NULL,
  recorder_version VARCHAR(65535) NOT NULL
);
