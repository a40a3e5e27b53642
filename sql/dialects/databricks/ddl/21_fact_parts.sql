-- One row per scanned run and part of what the catalog knew of the relations' data. Scans share the parts in
-- which no figure differs, so that a scan of an unchanged database writes the list of its parts alone.
CREATE TABLE IF NOT EXISTS recce_metadata.fact_parts (
  run_id STRING NOT NULL,
  part_id STRING NOT NULL
)
CLUSTER BY (run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
