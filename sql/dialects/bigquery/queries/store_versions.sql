-- Versions of a store since version 7: of its tables, of the oldest readers, and of recce_meta.
SELECT
  schema_version,
  read_version,
  migrated_by
FROM recce_metadata.store;
