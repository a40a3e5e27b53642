-- hand-written: queries the dataset itself, because each location has its own list of datasets
-- One row if the schema exists.
SELECT COUNT(*)
FROM recce_metadata.INFORMATION_SCHEMA.TABLES
WHERE table_schema = :schema;
