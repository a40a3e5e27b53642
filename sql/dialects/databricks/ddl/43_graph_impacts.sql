-- One row per pair of graphs, changed node and downstream node: the columns of `impacted_nodes` that do not depend on the
-- run. Derived: `record` and `init` write the rows. The view computes them for pairs without an id.
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
