-- One row per part and node: the version and the relation of the node in this part.
-- A part is written once, by the first run that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.store_part_nodes (
  part_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  version_id STRING NOT NULL,
  database_name STRING,
  schema_name STRING,
  identifier STRING,
  relation_name STRING,
  PRIMARY KEY (part_id, unique_id) NOT ENFORCED
)
CLUSTER BY part_id;
