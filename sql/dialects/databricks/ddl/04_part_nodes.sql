-- One row per part and node: which version of the node the part holds, and where it lives.
-- A part is written once, by the first run that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.part_nodes (
  part_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  version_id STRING NOT NULL,
  database_name STRING,
  schema_name STRING,
  identifier STRING,
  relation_name STRING
)
CLUSTER BY (part_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
