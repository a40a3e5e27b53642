-- hand-written: without primary keys, as in sql/dialects/duckdb/ddl
-- Differences between two graphs, computed once. `init` fills the table for the runs recorded before.
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_steps (
  previous_graph_id TEXT(64) NOT NULL,
  graph_id TEXT(64) NOT NULL,
  same_dbt BOOLEAN NOT NULL
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_changes (
  previous_graph_id TEXT(64) NOT NULL,
  graph_id TEXT(64) NOT NULL,
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
  previous_relation_name TEXT
);
