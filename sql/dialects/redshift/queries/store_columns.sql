-- hand-written: names are compared as text
-- Columns of the tables and views of a schema, for the dbt package, which cannot catch an error about a missing column.
SELECT CAST(table_name AS VARCHAR(128)) AS table_name, CAST(column_name AS VARCHAR(128)) AS column_name
FROM information_schema.columns
WHERE table_catalog = CURRENT_DATABASE() AND table_schema = :schema;
