-- One row per part and node: the version and the relation of the node in this part.
-- A part is written once, by the first run that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.store_part_nodes (
  part_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  version_id VARCHAR(64) NOT NULL,
  database_name TEXT,
  schema_name TEXT,
  identifier TEXT,
  relation_name TEXT,
  PRIMARY KEY (part_id, unique_id)
);
