-- Nodes downstream of the changes between two graphs. `init` fills the table for the pairs of graphs stored before.
ALTER TABLE recce_metadata.store_graph_steps
ADD COLUMN IF NOT EXISTS impacts_id STRING;
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_impacts (
  impacts_id STRING NOT NULL,
  changed_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  changed_status STRING NOT NULL,
  distance INT64 NOT NULL,
  PRIMARY KEY (impacts_id, unique_id, changed_id) NOT ENFORCED
)
CLUSTER BY impacts_id;
