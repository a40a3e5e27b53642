-- hand-written: each dataset has its own information schema
-- Columns of the tables and views of a schema, for the dbt package, which cannot catch an error about a missing column.
SELECT table_name, column_name
FROM recce_metadata.INFORMATION_SCHEMA.COLUMNS
WHERE table_schema = :schema;
