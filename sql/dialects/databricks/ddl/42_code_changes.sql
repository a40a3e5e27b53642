-- One row per pair of compared codes and node of the first whose code, or that of an ancestor, differs from the previous one.
-- `is_certain` is false if it may differ: only one of both runs compiled it, and it reads variables or flags.
CREATE TABLE IF NOT EXISTS recce_metadata.store_code_changes (
  step_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  is_certain BOOLEAN
)
CLUSTER BY (step_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
