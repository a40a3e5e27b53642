-- Which nodes have other code than when they were measured last. `init` fills the tables for the latest runs.
CREATE TABLE IF NOT EXISTS recce_metadata.store_code_steps (
  graph_id STRING NOT NULL,
  macro_set_id STRING NOT NULL,
  previous_graph_id STRING NOT NULL,
  previous_macro_set_id STRING NOT NULL,
  step_id STRING NOT NULL,
  PRIMARY KEY (graph_id, macro_set_id, previous_graph_id, previous_macro_set_id) NOT ENFORCED
)
CLUSTER BY graph_id;
CREATE TABLE IF NOT EXISTS recce_metadata.store_code_changes (
  step_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  PRIMARY KEY (step_id, unique_id) NOT ENFORCED
)
CLUSTER BY step_id;
