-- Graphs share equal parts: the table of graphs' nodes becomes a view over parts. Each graph that was recorded before
-- becomes one part. Results store the time exactly as dbt wrote it.
CREATE TABLE recce_metadata.store_graph_parts (
  graph_id VARCHAR(64) NOT NULL,
  part_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (graph_id, part_id)
);
CREATE TABLE recce_metadata.store_part_nodes (
  part_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  version_id VARCHAR(64) NOT NULL,
  database_name TEXT,
  schema_name TEXT,
  identifier TEXT,
  relation_name TEXT,
  PRIMARY KEY (part_id, unique_id)
);
INSERT INTO recce_metadata.store_graph_parts (
  graph_id,
  part_id
)
SELECT DISTINCT
  graph_id,
  graph_id
FROM recce_metadata.graph_nodes;
INSERT INTO recce_metadata.store_part_nodes (
  part_id,
  unique_id,
  version_id,
  database_name,
  schema_name,
  identifier,
  relation_name
)
SELECT
  graph_id,
  unique_id,
  version_id,
  database_name,
  schema_name,
  identifier,
  relation_name
FROM recce_metadata.graph_nodes;
DROP TABLE recce_metadata.graph_nodes;
CREATE VIEW recce_metadata.store_graph_nodes AS
SELECT
  graph_parts.graph_id,
  part_nodes.unique_id,
  part_nodes.version_id,
  part_nodes.database_name,
  part_nodes.schema_name,
  part_nodes.identifier,
  part_nodes.relation_name
FROM recce_metadata.store_graph_parts AS graph_parts
JOIN recce_metadata.store_part_nodes AS part_nodes
  ON part_nodes.part_id = graph_parts.part_id;
ALTER TABLE recce_metadata.store_run_results
  ALTER COLUMN completed_at SET DATA TYPE TEXT USING TO_CHAR(completed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
