-- One row per set of macros and macro in it; runs point to a set.
CREATE TABLE IF NOT EXISTS recce_metadata.macro_sets (
  macro_set_id STRING NOT NULL,
  version_id STRING NOT NULL
)
CLUSTER BY (macro_set_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
