-- Origin of each edge. For stored edges, the view `lineage` derives it only for runs of dbt.
ALTER TABLE recce_metadata.store_version_parents
ADD COLUMN IF NOT EXISTS kind TEXT;
ALTER TABLE recce_metadata.store_version_parents
ADD COLUMN IF NOT EXISTS confidence DOUBLE;
