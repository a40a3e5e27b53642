-- Columns of the tables and views of a schema, for the dbt package, which cannot catch an error about a missing column.
SELECT
  table_name,
  column_name
FROM information_schema.columns
WHERE
  table_catalog = CURRENT_DATABASE() AND table_schema = :schema;
