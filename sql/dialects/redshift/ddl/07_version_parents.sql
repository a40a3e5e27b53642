-- One row per node version and node it reads.
CREATE TABLE IF NOT EXISTS recce_metadata.version_parents (
  version_id VARCHAR(64) NOT NULL,
  parent_id VARCHAR(65535) NOT NULL
);
