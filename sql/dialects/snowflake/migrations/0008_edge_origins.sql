-- Origin of each edge. For stored edges, the view `lineage` derives it only for runs of dbt.
ALTER TABLE recce_metadata.store_version_parents
ADD IF NOT EXISTS kind VARCHAR;
ALTER TABLE recce_metadata.store_version_parents
ADD IF NOT EXISTS confidence DOUBLE;
