-- How each edge is known. Of edges that are stored, the view `lineage` derives it for runs of dbt alone.
ALTER TABLE recce_metadata.version_parents
ADD COLUMN IF NOT EXISTS kind TEXT;
ALTER TABLE recce_metadata.version_parents
ADD COLUMN IF NOT EXISTS confidence DOUBLE PRECISION;
