-- One row per distinct content of a macro. Written by the first run that has it, never changed.
CREATE TABLE IF NOT EXISTS recce_metadata.store_macros (
  version_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  name STRING NOT NULL,
  package_name STRING NOT NULL,
  path STRING NOT NULL,
  macro_sql STRING NOT NULL,
  code_hash STRING NOT NULL,
  macros STRING NOT NULL
)
CLUSTER BY (version_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
