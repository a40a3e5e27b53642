-- One row per distinct content of a node, independent of its environment. Written by the first run that has it, never
-- changed.
CREATE TABLE IF NOT EXISTS recce_metadata.store_node_versions (
  version_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  name STRING NOT NULL,
  resource_type STRING NOT NULL,
  package_name STRING NOT NULL,
  path STRING NOT NULL,
  fqn STRING NOT NULL,
  materialized STRING,
  language STRING,
  raw_code STRING,
  compiled_code STRING,
  checksum STRING,
  checksum_rule STRING,
  code_hash STRING,
  compiled_hash STRING,
  config STRING NOT NULL,
  unrendered_config STRING NOT NULL,
  columns STRING NOT NULL,
  columns_from STRING,
  description STRING NOT NULL,
  tags STRING NOT NULL,
  meta STRING NOT NULL,
  access STRING,
  group_name STRING,
  version STRING,
  source_name STRING,
  contract STRING,
  macros STRING NOT NULL,
  properties STRING NOT NULL
)
CLUSTER BY (version_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
