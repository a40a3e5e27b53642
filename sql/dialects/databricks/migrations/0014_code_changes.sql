-- Which nodes have other code than when they were measured last. `init` fills the tables for the latest runs.
CREATE TABLE IF NOT EXISTS recce_metadata.store_code_steps (
  graph_id STRING NOT NULL,
  macro_set_id STRING NOT NULL,
  previous_graph_id STRING NOT NULL,
  previous_macro_set_id STRING NOT NULL,
  step_id STRING NOT NULL
)
CLUSTER BY (graph_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_code_changes (
  step_id STRING NOT NULL,
  unique_id STRING NOT NULL
)
CLUSTER BY (step_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
