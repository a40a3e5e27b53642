-- One row per result of a check: from `check run --save`, and from an imported state of recce. Its id is the hash of
-- the result, so that saving it again is a no-op. It goes when its current run does; without one, when its base run
-- does. `findings` is a JSON list of nodes with counts in words: no values of the compared data.
CREATE TABLE IF NOT EXISTS recce_metadata.check_results (
  check_result_id VARCHAR(64) NOT NULL,
  checked_at TIMESTAMPTZ NOT NULL,
  base_run_id VARCHAR(64),
  current_run_id VARCHAR(64),
  origin VARCHAR NOT NULL,
  file_name VARCHAR NOT NULL,
  ordinal BIGINT NOT NULL,
  check_name VARCHAR NOT NULL,
  check_type VARCHAR NOT NULL,
  description VARCHAR NOT NULL,
  status VARCHAR NOT NULL,
  has_expectations BOOLEAN NOT NULL,
  is_optional BOOLEAN NOT NULL,
  node_count BIGINT,
  differing_nodes BIGINT,
  uncompared_nodes BIGINT,
  message VARCHAR NOT NULL,
  violations VARIANT NOT NULL,
  findings VARIANT NOT NULL,
  seconds DOUBLE,
  parameters VARIANT NOT NULL,
  recorder_version VARCHAR NOT NULL,
  PRIMARY KEY (check_result_id)
);
