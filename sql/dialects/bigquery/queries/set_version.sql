-- Set the version of the store, as the last statement of a migration.
UPDATE recce_metadata.store SET schema_version = :version, read_version = :read_version, migrated_by = :migrated_by, migrated_at = CURRENT_TIMESTAMP()
WHERE
  TRUE;
