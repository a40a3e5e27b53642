-- The row of a new store.
INSERT INTO store (schema_version, migrated_at) VALUES (:version, CURRENT_TIMESTAMP);
