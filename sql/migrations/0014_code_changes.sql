-- Which nodes have other code than when they were measured last. `init` fills the tables for the latest runs.
CREATE TABLE IF NOT EXISTS store_code_steps (
  graph_id VARCHAR(64) NOT NULL,
  macro_set_id VARCHAR(64) NOT NULL,
  previous_graph_id VARCHAR(64) NOT NULL,
  previous_macro_set_id VARCHAR(64) NOT NULL,
  step_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (graph_id, macro_set_id, previous_graph_id, previous_macro_set_id)
);

CREATE TABLE IF NOT EXISTS store_code_changes (
  step_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  PRIMARY KEY (step_id, unique_id)
);
