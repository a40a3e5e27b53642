-- One row per part of a column graph and node: which analysis of its SQL the part holds.
-- A part is written once, by the first run that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.column_part_nodes (
  part_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  lineage_id STRING NOT NULL
)
CLUSTER BY (part_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
