-- hand-written: names are compared as text
-- Tables and views of a schema; no rows if the schema does not exist.
SELECT CAST(table_name AS VARCHAR(128)) AS table_name
FROM information_schema.tables
WHERE table_catalog = CURRENT_DATABASE() AND table_schema = :schema;
