-- What a migration ends with.
UPDATE recce_metadata.store SET schema_version = :version, migrated_at = CURRENT_TIMESTAMP();
