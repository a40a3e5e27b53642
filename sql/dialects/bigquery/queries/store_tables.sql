-- hand-written: a dataset has an information schema of its own, which is missing where the dataset is
-- The tables and views that a schema holds; no row where there is no such schema.
SELECT table_name
FROM recce_metadata.INFORMATION_SCHEMA.TABLES
WHERE table_schema = :schema;
