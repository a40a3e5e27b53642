-- One row per part of a column graph and node: the analysis of the node's SQL in this part.
-- A part is written once, by the first run that has it.
CREATE TABLE IF NOT EXISTS store_column_part_nodes (
  part_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  lineage_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (part_id, unique_id)
);
