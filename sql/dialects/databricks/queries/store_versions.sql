-- Versions of a store since version 7: of its tables, of the oldest readers, and of recce_meta.
-- Where transactions read a snapshot, each of two processes that create a store may insert its row: any of them counts.
SELECT
  MAX(schema_version) AS schema_version,
  MAX(read_version) AS read_version,
  MAX(migrated_by) AS migrated_by
FROM recce_metadata.store;
