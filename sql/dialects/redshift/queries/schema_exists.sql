-- hand-written: information_schema.schemata shows only a user's own schemas
-- One row if the schema exists.
SELECT 1
FROM pg_catalog.pg_namespace
WHERE nspname = :schema;
