-- hand-written: MERGE, because two processes may create the store concurrently
-- Insert the row of a new store.
MERGE INTO recce_metadata.store AS kept
USING (
  SELECT
    :version AS schema_version,
    CURRENT_TIMESTAMP() AS migrated_at,
    :read_version AS read_version,
    :migrated_by AS migrated_by
) AS new
ON TRUE
WHEN NOT MATCHED THEN INSERT (schema_version, migrated_at, read_version, migrated_by)
VALUES (new.schema_version, new.migrated_at, new.read_version, new.migrated_by);
