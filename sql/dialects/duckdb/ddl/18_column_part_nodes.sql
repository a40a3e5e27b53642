-- hand-written: without the primary key, because its index takes a quarter of the file and slows loading. Recorders
-- write one at a time and skip stored rows.
-- One row per part of a column graph and node: the analysis of the node's SQL in this part.
-- A part is written once, by the first run that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_part_nodes (
  part_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  lineage_id TEXT(64) NOT NULL
);
