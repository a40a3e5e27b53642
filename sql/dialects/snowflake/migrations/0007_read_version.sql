-- Oldest version whose readers can read the store, and the version of recce_meta that migrated it.
ALTER TABLE recce_metadata.store
ADD IF NOT EXISTS read_version INT;
ALTER TABLE recce_metadata.store
ADD IF NOT EXISTS migrated_by VARCHAR;
