-- One row per column graph and part of it: column lineage of a run, split into parts like a graph.
-- Written once, by the first run that has the column graph.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_parts (
  column_graph_id STRING NOT NULL,
  part_id STRING NOT NULL
)
CLUSTER BY (column_graph_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
