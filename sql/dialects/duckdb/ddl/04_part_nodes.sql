-- hand-written: without the primary key, because its index takes a quarter of the file and slows loading. Recorders
-- write one at a time and skip stored rows.
-- One row per part and node: the version and the relation of the node in this part.
-- A part is written once, by the first run that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.store_part_nodes (
  part_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  version_id TEXT(64) NOT NULL,
  database_name TEXT,
  schema_name TEXT,
  identifier TEXT,
  relation_name TEXT
);
