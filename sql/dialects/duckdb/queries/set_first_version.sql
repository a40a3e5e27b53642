-- The row of a new store.
INSERT INTO recce_metadata.store (
  schema_version,
  migrated_at
)
VALUES
  (:version, CURRENT_TIMESTAMP);
