-- One row per check result, from `check run --save` or an imported recce state. The id is a hash of the result, so
-- saving again is a no-op. Deleted with its current run, or its base run if it has no current run.
-- `findings` is a JSON list of nodes with counts in words: no values of the compared data.
CREATE TABLE IF NOT EXISTS recce_metadata.store_check_results (
  check_result_id VARCHAR(64) NOT NULL PRIMARY KEY,
  checked_at TIMESTAMPTZ NOT NULL,
  base_run_id VARCHAR(64),
  current_run_id VARCHAR(64),
  origin TEXT NOT NULL,
  file_name TEXT NOT NULL,
  ordinal BIGINT NOT NULL,
  check_name TEXT NOT NULL,
  check_type TEXT NOT NULL,
  description TEXT NOT NULL,
  status TEXT NOT NULL,
  has_expectations BOOLEAN NOT NULL,
  is_optional BOOLEAN NOT NULL,
  node_count BIGINT,
  differing_nodes BIGINT,
  uncompared_nodes BIGINT,
  message TEXT NOT NULL,
  violations JSON NOT NULL,
  findings JSON NOT NULL,
  seconds DOUBLE PRECISION,
  parameters JSON NOT NULL,
  recorder_version TEXT NOT NULL
);
