-- Insert the row of a new store.
INSERT INTO store (
  schema_version,
  migrated_at,
  read_version,
  migrated_by
)
VALUES
  (
    :version,
    STRFTIME('%Y-%m-%d %H:%M:%f000+00:00', 'now'),
    :read_version,
    :migrated_by
  );
