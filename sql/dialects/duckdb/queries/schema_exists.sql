-- hand-written: names are case-insensitive in DuckDB
-- One row if the schema exists.
SELECT 1
FROM information_schema.schemata
WHERE catalog_name = current_database() AND lower(schema_name) = lower(:schema);
