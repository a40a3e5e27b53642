-- One row per pair of compared codes; a code is a graph with its macros. The first is that of the latest run of an
-- environment, the previous one that of an earlier run with the last result or row count of a node. Derived: `record` and
-- `init` write the rows, each after the pair's rows of `code_changes`.
CREATE TABLE IF NOT EXISTS recce_metadata.store_code_steps (
  graph_id STRING NOT NULL,
  macro_set_id STRING NOT NULL,
  previous_graph_id STRING NOT NULL,
  previous_macro_set_id STRING NOT NULL,
  step_id STRING NOT NULL,
  PRIMARY KEY (graph_id, macro_set_id, previous_graph_id, previous_macro_set_id) NOT ENFORCED
)
CLUSTER BY graph_id;
