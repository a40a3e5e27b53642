-- Column lineage of runs. Runs recorded before have none.
ALTER TABLE recce_metadata.store_runs
ADD IF NOT EXISTS column_graph_id VARCHAR(64);
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_parts (
  column_graph_id VARCHAR(64) NOT NULL,
  part_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (column_graph_id, part_id)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_part_nodes (
  part_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR NOT NULL,
  lineage_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (part_id, unique_id)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_analyses (
  lineage_id VARCHAR(64) NOT NULL,
  tier VARCHAR NOT NULL,
  reason VARCHAR,
  PRIMARY KEY (lineage_id)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_edges (
  lineage_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name VARCHAR,
  parent_id VARCHAR,
  parent_column VARCHAR,
  kind VARCHAR NOT NULL,
  expression VARCHAR,
  confidence DOUBLE,
  PRIMARY KEY (lineage_id, ordinal)
);
