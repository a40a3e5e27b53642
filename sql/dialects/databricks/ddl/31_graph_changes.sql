-- One row per pair of graphs and node that differs between them: the columns of `node_changes` that do not depend on
-- the run. Derived: `record` and `init` write the rows. The view computes the changes of other pairs.
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
