-- Nodes downstream of the changes between two graphs. `init` fills the table for the pairs of graphs stored before.
ALTER TABLE recce_metadata.store_graph_steps
ADD COLUMN IF NOT EXISTS impacts_id VARCHAR(64);
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_impacts (
  impacts_id VARCHAR(64) NOT NULL,
  changed_id VARCHAR(65535) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  changed_status VARCHAR(65535) NOT NULL,
  distance INTEGER NOT NULL
);
