-- One row per version of a scanned relation and foreign key of it, in the order of its constraints. `columns`
-- and `parent_columns` are arrays of names, one column beside the other. Written with the version.
CREATE TABLE IF NOT EXISTS recce_metadata.version_references (
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
