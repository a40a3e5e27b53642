-- Differences between two graphs, computed once. `init` fills the table for the runs recorded before.
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_steps (
  previous_graph_id VARCHAR(64) NOT NULL,
  graph_id VARCHAR(64) NOT NULL,
  same_dbt BOOLEAN NOT NULL
);
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
