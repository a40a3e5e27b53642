-- hand-written: of the connection's database
-- One row if the schema exists.
SELECT 1
FROM information_schema.schemata
WHERE catalog_name = CURRENT_DATABASE() AND schema_name = :schema;
