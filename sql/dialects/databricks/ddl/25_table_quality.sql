-- One row per measurement and table. `sampled_rows` is NULL if all rows were measured. `reason` explains why a table
-- could not be measured. `notes` is an array of sentences.
CREATE TABLE IF NOT EXISTS recce_metadata.store_table_quality (
  quality_run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  name STRING NOT NULL,
  relation STRING NOT NULL,
  measured_at TIMESTAMP NOT NULL,
  row_count BIGINT,
  sampled_rows BIGINT,
  column_count BIGINT NOT NULL,
  score DOUBLE,
  reason STRING,
  notes STRING NOT NULL
)
CLUSTER BY (quality_run_id)
TBLPROPERTIES (
  'delta.enableDeletionVectors'='false',
  'delta.isolationLevel'='Serializable'
);
