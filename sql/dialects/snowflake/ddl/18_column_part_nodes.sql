-- One row per part of a column graph and node: which analysis of its SQL the part holds.
-- A part is written once, by the first run that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.column_part_nodes (
  part_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR NOT NULL,
  lineage_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (part_id, unique_id)
);
