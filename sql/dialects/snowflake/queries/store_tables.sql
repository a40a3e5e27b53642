-- hand-written: of the connection's database
-- The tables and views that a schema holds; no row where there is no such schema.
SELECT table_name
FROM information_schema.tables
WHERE table_catalog = CURRENT_DATABASE() AND table_schema = :schema;
