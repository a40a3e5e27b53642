-- hand-written: Redshift has no ADD COLUMN IF NOT EXISTS
-- How each edge is known. Of edges that are stored, the view `lineage` derives it for runs of dbt alone.
ALTER TABLE recce_metadata.version_parents
ADD COLUMN kind VARCHAR(65535);
ALTER TABLE recce_metadata.version_parents
ADD COLUMN confidence DOUBLE PRECISION;
