-- From which version on readers can read the store, and which recce_meta migrated it.
ALTER TABLE recce_metadata.store
ADD COLUMN IF NOT EXISTS read_version INT;
ALTER TABLE recce_metadata.store
ADD COLUMN IF NOT EXISTS migrated_by TEXT;
