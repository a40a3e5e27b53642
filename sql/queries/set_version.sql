-- What a migration ends with.
UPDATE store SET schema_version = :version, migrated_at = CURRENT_TIMESTAMP;
