-- One row per version of a scanned relation and foreign key of the version, in the order of its constraints.
-- `columns` and `parent_columns` are arrays of names in the same order. Written with the version.
CREATE TABLE IF NOT EXISTS recce_metadata.store_version_references (
  version_id STRING NOT NULL,
  ordinal BIGINT NOT NULL,
  name STRING,
  parent_id STRING NOT NULL,
  columns STRING NOT NULL,
  parent_columns STRING NOT NULL,
  on_update STRING,
  on_delete STRING
)
CLUSTER BY (version_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
