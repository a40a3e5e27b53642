-- Oldest version whose readers can read the store, and the version of recce_meta that migrated it.
ALTER TABLE store ADD COLUMN IF NOT EXISTS read_version INTEGER;

ALTER TABLE store ADD COLUMN IF NOT EXISTS migrated_by TEXT;
