-- One row per node version and node it reads.
CREATE TABLE IF NOT EXISTS recce_metadata.version_parents (
  version_id STRING NOT NULL,
  parent_id STRING NOT NULL
)
CLUSTER BY (version_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
