-- Which nodes have other code than when they were measured last. `init` fills the tables for the latest runs.
CREATE TABLE IF NOT EXISTS recce_metadata.store_code_steps (
  graph_id VARCHAR(64) NOT NULL,
  macro_set_id VARCHAR(64) NOT NULL,
  previous_graph_id VARCHAR(64) NOT NULL,
  previous_macro_set_id VARCHAR(64) NOT NULL,
  step_id VARCHAR(64) NOT NULL
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_code_changes (
  step_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL
);
