-- hand-written: each dataset has its own information schema, which is missing if the dataset is missing
-- Tables and views of a schema; no rows if the schema does not exist.
SELECT table_name
FROM recce_metadata.INFORMATION_SCHEMA.TABLES
WHERE table_schema = :schema;
