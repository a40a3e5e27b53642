-- One row where the schema exists, whoever may use it: information_schema.schemata hides the others.
SELECT 1
FROM pg_catalog.pg_namespace
WHERE nspname = :schema;
