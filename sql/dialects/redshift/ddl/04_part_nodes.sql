-- One row per part and node: which version of the node the part holds, and where it lives.
-- A part is written once, by the first run that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.part_nodes (
  part_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  version_id VARCHAR(64) NOT NULL,
  database_name VARCHAR(65535),
  schema_name VARCHAR(65535),
  identifier VARCHAR(65535),
  relation_name VARCHAR(65535)
);
