-- One row per pair of graphs that were compared, the earlier one first. `same_dbt` says whether one version of dbt
-- wrote both: it decides what is compared. Written after the pair's rows of `graph_changes`.
CREATE TABLE IF NOT EXISTS recce_metadata.graph_steps (
  previous_graph_id STRING NOT NULL,
  graph_id STRING NOT NULL,
  same_dbt BOOLEAN NOT NULL
)
CLUSTER BY (previous_graph_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
