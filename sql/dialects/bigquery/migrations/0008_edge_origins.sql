-- hand-written: BigQuery limits how often a table's columns may change, so one statement adds them all
-- How each edge is known. Of edges that are stored, the view `lineage` derives it for runs of dbt alone.
ALTER TABLE recce_metadata.version_parents
ADD COLUMN IF NOT EXISTS kind STRING,
ADD COLUMN IF NOT EXISTS confidence FLOAT64;
