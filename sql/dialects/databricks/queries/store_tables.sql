-- hand-written: SHOW also sees what lies in hive_metastore, which no information_schema tells of
-- The tables and views that a schema holds; an error where there is no such schema.
SHOW TABLES IN recce_metadata;
