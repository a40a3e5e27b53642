-- One row per pair of graphs and node that differs between them: the columns of `node_changes` that do not depend on
-- the run. Derived: `record` and `init` write the rows. The view computes the changes of other pairs.
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_changes (
  previous_graph_id VARCHAR(64) NOT NULL,
  graph_id VARCHAR(64) NOT NULL,
  same_dbt BOOLEAN NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  name VARCHAR(65535) NOT NULL,
  resource_type VARCHAR(65535) NOT NULL,
  status VARCHAR(65535) NOT NULL,
  code_changed BOOLEAN,
  compiled_changed BOOLEAN,
  config_changed BOOLEAN,
  columns_changed BOOLEAN,
  description_changed BOOLEAN,
  contract_changed BOOLEAN,
  place_changed BOOLEAN,
  version_id VARCHAR(65535),
  previous_version_id VARCHAR(65535),
  relation_name VARCHAR(65535),
  previous_relation_name VARCHAR(65535)
);
