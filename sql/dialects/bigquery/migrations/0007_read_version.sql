-- hand-written: BigQuery limits how often a table's columns may change, so one statement adds them all
-- Oldest version whose readers can read the store, and the version of recce_meta that migrated it.
ALTER TABLE recce_metadata.store
ADD COLUMN IF NOT EXISTS read_version INT64,
ADD COLUMN IF NOT EXISTS migrated_by STRING;
