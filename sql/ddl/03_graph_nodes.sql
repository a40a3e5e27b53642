-- One row per graph and node: which version of the node the graph holds, and where it lives.
-- A graph is written once, by the first run that has it.
CREATE TABLE IF NOT EXISTS graph_nodes (
  graph_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  version_id VARCHAR(64) NOT NULL,
  database_name TEXT,
  schema_name TEXT,
  identifier TEXT,
  relation_name TEXT,
  PRIMARY KEY (graph_id, unique_id)
);
