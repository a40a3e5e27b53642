-- hand-written: names are compared as text
-- The tables and views that a schema holds; no row where there is no such schema.
SELECT CAST(table_name AS VARCHAR(128)) AS table_name
FROM information_schema.tables
WHERE table_catalog = CURRENT_DATABASE() AND table_schema = :schema;
