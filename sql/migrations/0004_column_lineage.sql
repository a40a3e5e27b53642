-- Column lineage of runs. Runs recorded before have none.
ALTER TABLE store_runs ADD COLUMN IF NOT EXISTS column_graph_id VARCHAR(64);

CREATE TABLE IF NOT EXISTS store_column_parts (
  column_graph_id VARCHAR(64) NOT NULL,
  part_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (column_graph_id, part_id)
);

CREATE TABLE IF NOT EXISTS store_column_part_nodes (
  part_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  lineage_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (part_id, unique_id)
);

CREATE TABLE IF NOT EXISTS store_column_analyses (
  lineage_id VARCHAR(64) NOT NULL PRIMARY KEY,
  tier TEXT NOT NULL,
  reason TEXT
);

CREATE TABLE IF NOT EXISTS store_column_edges (
  lineage_id VARCHAR(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name TEXT,
  parent_id TEXT,
  parent_column TEXT,
  kind TEXT NOT NULL,
  expression TEXT,
  confidence DOUBLE PRECISION,
  PRIMARY KEY (lineage_id, ordinal)
);
