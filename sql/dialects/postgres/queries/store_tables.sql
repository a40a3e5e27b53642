-- Tables and views of a schema; no rows if the schema does not exist.
SELECT
  table_name
FROM information_schema.tables
WHERE
  table_catalog = CURRENT_DATABASE() AND table_schema = :schema;
