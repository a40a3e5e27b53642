-- Versions of a store, and the time of its last write, which differs after every write.
SELECT
  schema_version,
  read_version,
  written_at
FROM recce_metadata.store;
