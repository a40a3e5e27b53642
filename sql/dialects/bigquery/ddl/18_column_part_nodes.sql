-- One row per part of a column graph and node: the analysis of the node's SQL in this part.
-- A part is written once, by the first run that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_part_nodes (
  part_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  lineage_id STRING NOT NULL,
  PRIMARY KEY (part_id, unique_id) NOT ENFORCED
)
CLUSTER BY part_id;
