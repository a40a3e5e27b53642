-- hand-written: DuckDB's names match whatever their case
-- The tables and views that a schema holds; no row where there is no such schema.
SELECT table_name
FROM information_schema.tables
WHERE table_catalog = current_database() AND lower(table_schema) = lower(:schema);
