-- hand-written: a no-op if the row exists, because two processes may create the store concurrently
-- Insert the row of a new store.
INSERT INTO recce_metadata.store (schema_version, migrated_at, read_version, migrated_by)
SELECT :version, GETDATE(), :read_version, :migrated_by
WHERE NOT EXISTS (SELECT 1 FROM recce_metadata.store);
