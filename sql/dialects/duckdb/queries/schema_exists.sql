-- hand-written: DuckDB's names match whatever their case
-- One row where the schema exists.
SELECT 1
FROM information_schema.schemata
WHERE catalog_name = current_database() AND lower(schema_name) = lower(:schema);
