-- Nodes downstream of the changes between two graphs. `init` fills the table for the pairs of graphs stored before.
ALTER TABLE store_graph_steps ADD COLUMN IF NOT EXISTS impacts_id VARCHAR(64);

CREATE TABLE IF NOT EXISTS store_graph_impacts (
  impacts_id VARCHAR(64) NOT NULL,
  changed_id TEXT NOT NULL,
  unique_id TEXT NOT NULL,
  changed_status TEXT NOT NULL,
  distance INTEGER NOT NULL,
  PRIMARY KEY (impacts_id, unique_id, changed_id)
);
