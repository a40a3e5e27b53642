-- hand-written: without the primary key, whose index takes a quarter of the file and slows loading;
-- recorders write one at a time, and nothing that is stored already
-- One row per pair of graphs and node that differs between them: the columns of `node_changes` that no run decides.
-- Derived: `record` and `init` write the rows, and the view computes those of other pairs.
CREATE TABLE IF NOT EXISTS recce_metadata.graph_changes (
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
