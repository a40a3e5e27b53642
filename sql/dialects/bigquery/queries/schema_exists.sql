-- hand-written: asked of the dataset itself, for the list of datasets is one for each location
-- One row where the schema exists.
SELECT COUNT(*)
FROM recce_metadata.INFORMATION_SCHEMA.TABLES
WHERE table_schema = :schema;
