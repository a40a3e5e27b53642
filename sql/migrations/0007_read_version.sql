-- From which version on readers can read the store, and which recce_meta migrated it.
ALTER TABLE store ADD COLUMN IF NOT EXISTS read_version INTEGER;

ALTER TABLE store ADD COLUMN IF NOT EXISTS migrated_by TEXT;
