-- One row per part and node: the version and the relation of the node in this part.
-- A part is written once, by the first run that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.store_part_nodes (
  part_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  version_id VARCHAR(64) NOT NULL,
  database_name VARCHAR(65535),
  schema_name VARCHAR(65535),
  identifier VARCHAR(65535),
  relation_name VARCHAR(65535)
);
