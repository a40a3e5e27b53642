-- One row per pair of graphs and node that differs between them: the columns of `node_changes` that do not depend on
-- the run. Derived: `record` and `init` write the rows. The view computes the changes of other pairs.
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_changes (
  previous_graph_id STRING NOT NULL,
  graph_id STRING NOT NULL,
  same_dbt BOOL NOT NULL,
  unique_id STRING NOT NULL,
  name STRING NOT NULL,
  resource_type STRING NOT NULL,
  status STRING NOT NULL,
  code_changed BOOL,
  compiled_changed BOOL,
  config_changed BOOL,
  columns_changed BOOL,
  description_changed BOOL,
  contract_changed BOOL,
  place_changed BOOL,
  version_id STRING,
  previous_version_id STRING,
  relation_name STRING,
  previous_relation_name STRING,
  PRIMARY KEY (previous_graph_id, graph_id, same_dbt, unique_id) NOT ENFORCED
)
CLUSTER BY previous_graph_id;
