-- How each edge is known. Of edges that are stored, the view `lineage` derives it for runs of dbt alone.
ALTER TABLE recce_metadata.version_parents
ADD IF NOT EXISTS kind VARCHAR;
ALTER TABLE recce_metadata.version_parents
ADD IF NOT EXISTS confidence DOUBLE;
