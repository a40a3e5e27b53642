-- One row per measurement and table. `sampled_rows` is NULL if all rows were measured. `reason` explains why a table
-- could not be measured. `notes` is an array of sentences.
CREATE TABLE IF NOT EXISTS recce_metadata.store_table_quality (
  quality_run_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  name STRING NOT NULL,
  relation STRING NOT NULL,
  measured_at TIMESTAMP NOT NULL,
  row_count INT64,
  sampled_rows INT64,
  column_count INT64 NOT NULL,
  score FLOAT64,
  reason STRING,
  notes JSON NOT NULL,
  PRIMARY KEY (quality_run_id, unique_id) NOT ENFORCED
)
CLUSTER BY quality_run_id;
