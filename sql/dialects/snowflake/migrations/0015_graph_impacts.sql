-- Nodes downstream of the changes between two graphs. `init` fills the table for the pairs of graphs stored before.
ALTER TABLE recce_metadata.store_graph_steps
ADD IF NOT EXISTS impacts_id VARCHAR(64);
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_impacts (
  impacts_id VARCHAR(64) NOT NULL,
  changed_id VARCHAR NOT NULL,
  unique_id VARCHAR NOT NULL,
  changed_status VARCHAR NOT NULL,
  distance INT NOT NULL,
  PRIMARY KEY (impacts_id, unique_id, changed_id)
);
