-- One row: the versions of this store, written by `init` and by migrations. A recorder updates the row first, so
-- concurrent recorders in one database wait for each other.
-- `schema_version` is the exact version of the tables, which a writer needs. `read_version` is the oldest version whose
-- readers can read them. `migrated_by` is the version of recce_meta that created or migrated the store.
CREATE TABLE IF NOT EXISTS recce_metadata.store (
  schema_version INTEGER NOT NULL,
  migrated_at TIMESTAMP WITH TIME ZONE NOT NULL,
  written_at TIMESTAMP WITH TIME ZONE,
  read_version INTEGER,
  migrated_by VARCHAR(65535)
);
