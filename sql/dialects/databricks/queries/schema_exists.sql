-- hand-written: DESCRIBE includes hive_metastore, which is missing from information_schema
-- Some rows if the schema exists, otherwise an error.
DESCRIBE SCHEMA recce_metadata;
