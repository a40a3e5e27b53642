-- What a migration ends with.
UPDATE recce_metadata.store SET schema_version = :version, read_version = :read_version, migrated_by = :migrated_by, migrated_at = GETDATE();
