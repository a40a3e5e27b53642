-- hand-written: information_schema.schemata shows a user's own schemas alone
-- One row where the schema exists.
SELECT 1
FROM pg_catalog.pg_namespace
WHERE nspname = :schema;
