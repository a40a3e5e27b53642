-- hand-written: DESCRIBE also sees what lies in hive_metastore, which no information_schema tells of
-- Some rows where the schema exists, and an error where not.
DESCRIBE SCHEMA recce_metadata;
