-- One row: which version of this schema the store has. Written by init and by migrations; recorders
-- update it first, so that two of them in one database wait for each other.
CREATE TABLE IF NOT EXISTS recce_metadata.store (
  schema_version INT NOT NULL,
  migrated_at TIMESTAMPTZ NOT NULL,
  written_at TIMESTAMPTZ
);
