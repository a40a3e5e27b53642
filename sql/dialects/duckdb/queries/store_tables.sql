-- hand-written: names are case-insensitive in DuckDB
-- Tables and views of a schema; no rows if the schema does not exist.
SELECT table_name
FROM information_schema.tables
WHERE table_catalog = current_database() AND lower(table_schema) = lower(:schema);
