-- Set the version of the store, as the last statement of a migration.
UPDATE store SET schema_version = :version, read_version = :read_version, migrated_by = :migrated_by, migrated_at = STRFTIME('%Y-%m-%d %H:%M:%f000+00:00', 'now');
