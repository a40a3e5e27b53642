-- hand-written: Redshift has no ADD COLUMN IF NOT EXISTS
-- From which version on readers can read the store, and which recce_meta migrated it.
ALTER TABLE recce_metadata.store
ADD COLUMN read_version INTEGER;
ALTER TABLE recce_metadata.store
ADD COLUMN migrated_by VARCHAR(65535);
