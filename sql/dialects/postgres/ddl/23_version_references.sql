-- One row per version of a scanned relation and foreign key of the version, in the order of its constraints.
-- `columns` and `parent_columns` are arrays of names in the same order. Written with the version.
CREATE TABLE IF NOT EXISTS recce_metadata.store_version_references (
  version_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  name TEXT,
  parent_id TEXT NOT NULL,
  columns JSON NOT NULL,
  parent_columns JSON NOT NULL,
  on_update TEXT,
  on_delete TEXT,
  PRIMARY KEY (version_id, ordinal)
);
