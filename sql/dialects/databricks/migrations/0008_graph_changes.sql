-- Differences between two graphs, computed once. `init` fills the table for the runs recorded before.
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_steps (
  previous_graph_id STRING NOT NULL,
  graph_id STRING NOT NULL,
  same_dbt BOOLEAN NOT NULL
)
CLUSTER BY (previous_graph_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_changes (
  previous_graph_id STRING NOT NULL,
  graph_id STRING NOT NULL,
  same_dbt BOOLEAN NOT NULL,
  unique_id STRING NOT NULL,
  name STRING NOT NULL,
  resource_type STRING NOT NULL,
  status STRING NOT NULL,
  code_changed BOOLEAN,
  compiled_changed BOOLEAN,
  config_changed BOOLEAN,
  columns_changed BOOLEAN,
  description_changed BOOLEAN,
  contract_changed BOOLEAN,
  place_changed BOOLEAN,
  version_id STRING,
  previous_version_id STRING,
  relation_name STRING,
  previous_relation_name STRING
)
CLUSTER BY (previous_graph_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
