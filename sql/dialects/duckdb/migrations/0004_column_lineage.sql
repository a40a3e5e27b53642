-- hand-written: without the primary keys that cost more than they give
-- Column lineage beside the graph. Runs recorded before have none.
ALTER TABLE recce_metadata.runs ADD COLUMN IF NOT EXISTS column_graph_id TEXT(64);

CREATE TABLE IF NOT EXISTS recce_metadata.column_parts (
  column_graph_id TEXT(64) NOT NULL,
  part_id TEXT(64) NOT NULL
);

CREATE TABLE IF NOT EXISTS recce_metadata.column_part_nodes (
  part_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  lineage_id TEXT(64) NOT NULL
);

CREATE TABLE IF NOT EXISTS recce_metadata.column_analyses (
  lineage_id TEXT(64) NOT NULL,
  tier TEXT NOT NULL,
  reason TEXT
);

CREATE TABLE IF NOT EXISTS recce_metadata.column_edges (
  lineage_id TEXT(64) NOT NULL,
  ordinal BIGINT NOT NULL,
  column_name TEXT,
  parent_id TEXT,
  parent_column TEXT,
  kind TEXT NOT NULL,
  expression TEXT,
  confidence DOUBLE
);
