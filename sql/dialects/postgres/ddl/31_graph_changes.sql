-- One row per pair of graphs and node that differs between them: the columns of `node_changes` that do not depend on
-- the run. Derived: `record` and `init` write the rows. The view computes the changes of other pairs.
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_changes (
  previous_graph_id VARCHAR(64) NOT NULL,
  graph_id VARCHAR(64) NOT NULL,
  same_dbt BOOLEAN NOT NULL,
  unique_id TEXT NOT NULL,
  name TEXT NOT NULL,
  resource_type TEXT NOT NULL,
  status TEXT NOT NULL,
  code_changed BOOLEAN,
  compiled_changed BOOLEAN,
  config_changed BOOLEAN,
  columns_changed BOOLEAN,
  description_changed BOOLEAN,
  contract_changed BOOLEAN,
  place_changed BOOLEAN,
  version_id TEXT,
  previous_version_id TEXT,
  relation_name TEXT,
  previous_relation_name TEXT,
  PRIMARY KEY (previous_graph_id, graph_id, same_dbt, unique_id)
);
