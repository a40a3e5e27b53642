-- hand-written: Redshift has no ADD COLUMN IF NOT EXISTS
-- Oldest version whose readers can read the store, and the version of recce_meta that migrated it.
ALTER TABLE recce_metadata.store
ADD COLUMN read_version INTEGER;
ALTER TABLE recce_metadata.store
ADD COLUMN migrated_by VARCHAR(65535);
