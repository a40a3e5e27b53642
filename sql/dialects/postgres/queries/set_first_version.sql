-- Insert the row of a new store.
INSERT INTO recce_metadata.store (
  schema_version,
  migrated_at,
  read_version,
  migrated_by
)
VALUES
  (:version, CURRENT_TIMESTAMP, :read_version, :migrated_by);
