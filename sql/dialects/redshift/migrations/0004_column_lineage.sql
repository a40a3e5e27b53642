-- hand-written: Redshift has no ADD COLUMN IF NOT EXISTS
-- Column lineage of runs. Runs recorded before have none.
ALTER TABLE recce_metadata.store_runs
ADD COLUMN column_graph_id VARCHAR(64);
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_parts (
  column_graph_id VARCHAR(64) NOT NULL,
  part_id VARCHAR(64) NOT NULL
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_part_nodes (
  part_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  lineage_id VARCHAR(64) NOT NULL
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_analyses (
  lineage_id VARCHAR(64) NOT NULL,
  tier VARCHAR(65535) NOT NULL,
  reason VARCHAR(65535)
);
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_edges (
  lineage_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name VARCHAR(65535),
  parent_id VARCHAR(65535),
  parent_column VARCHAR(65535),
  kind VARCHAR(65535) NOT NULL,
  expression VARCHAR(65535),
  confidence DOUBLE PRECISION
);
