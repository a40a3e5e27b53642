-- hand-written: hive_metastore has no information schema, so the dbt package does not check columns

