-- hand-written: without the primary key, whose index takes a quarter of the file and slows loading;
-- recorders write one at a time, and nothing that is stored already
-- One row per part and node: which version of the node the part holds, and where it lives.
-- A part is written once, by the first run that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.part_nodes (
  part_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  version_id TEXT(64) NOT NULL,
  database_name TEXT,
  schema_name TEXT,
  identifier TEXT,
  relation_name TEXT
);
