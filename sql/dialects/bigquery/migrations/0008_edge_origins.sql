-- hand-written: BigQuery limits how often a table's columns may change, so one statement adds them all
-- Origin of each edge. For stored edges, the view `lineage` derives it only for runs of dbt.
ALTER TABLE recce_metadata.store_version_parents
ADD COLUMN IF NOT EXISTS kind STRING,
ADD COLUMN IF NOT EXISTS confidence FLOAT64;
