-- One row per analysis of a node's SQL, keyed by a hash of its inputs: SQL, dialect, and the columns of parents.
-- `reason` explains why there are no columns. Written by the first run that has it, never changed.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_analyses (
  lineage_id STRING NOT NULL,
  tier STRING NOT NULL,
  reason STRING
)
CLUSTER BY (lineage_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
