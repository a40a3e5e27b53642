-- hand-written: without the primary key, whose index takes a quarter of the file and slows loading;
-- recorders write one at a time, and nothing that is stored already
-- One row per part of a column graph and node: which analysis of its SQL the part holds.
-- A part is written once, by the first run that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.column_part_nodes (
  part_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  lineage_id TEXT(64) NOT NULL
);
