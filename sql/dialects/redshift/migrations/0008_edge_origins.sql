-- hand-written: Redshift has no ADD COLUMN IF NOT EXISTS
-- Origin of each edge. For stored edges, the view `lineage` derives it only for runs of dbt.
ALTER TABLE recce_metadata.store_version_parents
ADD COLUMN kind VARCHAR(65535);
ALTER TABLE recce_metadata.store_version_parents
ADD COLUMN confidence DOUBLE PRECISION;
