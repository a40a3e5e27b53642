-- One row per version of a scanned relation and foreign key of the version, in the order of its constraints.
-- `columns` and `parent_columns` are arrays of names in the same order. Written with the version.
CREATE TABLE IF NOT EXISTS recce_metadata.store_version_references (
  version_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  name VARCHAR(65535),
  parent_id VARCHAR(65535) NOT NULL,
  columns SUPER NOT NULL,
  parent_columns SUPER NOT NULL,
  on_update VARCHAR(65535),
  on_delete VARCHAR(65535)
);
