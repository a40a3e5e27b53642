-- Column lineage of runs. Runs recorded before have none.
ALTER TABLE recce_metadata.store_runs
ADD COLUMN IF NOT EXISTS column_graph_id STRING;
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_parts (
  column_graph_id STRING NOT NULL,
  part_id STRING NOT NULL,
  PRIMARY KEY (column_graph_id, part_id) NOT ENFORCED
)
CLUSTER BY column_graph_id;
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_part_nodes (
  part_id STRING NOT NULL,
  unique_id STRING NOT NULL,
  lineage_id STRING NOT NULL,
  PRIMARY KEY (part_id, unique_id) NOT ENFORCED
)
CLUSTER BY part_id;
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_analyses (
  lineage_id STRING NOT NULL,
  tier STRING NOT NULL,
  reason STRING,
  PRIMARY KEY (lineage_id) NOT ENFORCED
)
CLUSTER BY lineage_id;
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_edges (
  lineage_id STRING NOT NULL,
  ordinal INT64 NOT NULL,
  column_name STRING,
  parent_id STRING,
  parent_column STRING,
  kind STRING NOT NULL,
  expression STRING,
  confidence FLOAT64,
  PRIMARY KEY (lineage_id, ordinal) NOT ENFORCED
)
CLUSTER BY lineage_id;
