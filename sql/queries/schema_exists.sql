-- One row if the schema exists, even if the role may not use it: information_schema.schemata hides such schemas.
SELECT 1
FROM pg_catalog.pg_namespace
WHERE nspname = :schema;
