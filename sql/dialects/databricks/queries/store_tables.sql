-- hand-written: SHOW includes hive_metastore, which is missing from information_schema
-- Tables and views of a schema; an error if the schema does not exist.
SHOW TABLES IN recce_metadata;
