-- Which version of the schema the store has; no row only while it is being created.
SELECT
  schema_version
FROM recce_metadata.store;
