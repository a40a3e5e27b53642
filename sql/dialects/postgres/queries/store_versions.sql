-- The versions of a store, from version 7 on: of its tables, of the oldest readers, and of recce_meta.
SELECT
  schema_version,
  read_version,
  migrated_by
FROM recce_metadata.store;
