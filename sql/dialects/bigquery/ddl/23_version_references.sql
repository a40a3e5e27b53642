-- One row per version of a scanned relation and foreign key of it, in the order of its constraints. `columns`
-- and `parent_columns` are arrays of names, one column beside the other. Written with the version.
CREATE TABLE IF NOT EXISTS recce_metadata.version_references (
  version_id STRING NOT NULL,
  ordinal INT64 NOT NULL,
  name STRING,
  parent_id STRING NOT NULL,
  columns JSON NOT NULL,
  parent_columns JSON NOT NULL,
  on_update STRING,
  on_delete STRING,
  PRIMARY KEY (version_id, ordinal) NOT ENFORCED
)
CLUSTER BY version_id;
