-- hand-written: also where the row is there already, for two may create the store at once
-- The row of a new store.
INSERT INTO recce_metadata.store (schema_version, migrated_at, read_version, migrated_by)
SELECT :version, CURRENT_TIMESTAMP(), :read_version, :migrated_by
WHERE NOT EXISTS (SELECT 1 FROM recce_metadata.store);
