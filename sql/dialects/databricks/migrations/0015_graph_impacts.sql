-- Nodes downstream of the changes between two graphs. `init` fills the table for the pairs of graphs stored before.
ALTER TABLE recce_metadata.store_graph_steps
ADD COLUMN IF NOT EXISTS impacts_id STRING;
CREATE TABLE IF NOT EXISTS recce_metadata.store_graph_impacts (
  impacts_id STRING NOT NULL,
  changed_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  changed_status STRING NOT NULL,
  distance INT NOT NULL
)
CLUSTER BY (impacts_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
