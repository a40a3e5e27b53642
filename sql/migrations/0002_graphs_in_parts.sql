-- Graphs share the parts in which nothing differs: the table of graphs' nodes becomes a view over parts,
-- each graph recorded before being one part. Results keep the time that dbt wrote, as dbt wrote it.
CREATE TABLE graph_parts (
  graph_id VARCHAR(64) NOT NULL,
  part_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (graph_id, part_id)
);

CREATE TABLE part_nodes (
  part_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  version_id VARCHAR(64) NOT NULL,
  database_name TEXT,
  schema_name TEXT,
  identifier TEXT,
  relation_name TEXT,
  PRIMARY KEY (part_id, unique_id)
);

INSERT INTO graph_parts (graph_id, part_id)
SELECT DISTINCT graph_id, graph_id FROM graph_nodes;

INSERT INTO part_nodes (part_id, unique_id, version_id, database_name, schema_name, identifier, relation_name)
SELECT graph_id, unique_id, version_id, database_name, schema_name, identifier, relation_name FROM graph_nodes;

DROP TABLE graph_nodes;

CREATE VIEW graph_nodes AS
SELECT
  graph_parts.graph_id,
  part_nodes.unique_id,
  part_nodes.version_id,
  part_nodes.database_name,
  part_nodes.schema_name,
  part_nodes.identifier,
  part_nodes.relation_name
FROM graph_parts
JOIN part_nodes ON part_nodes.part_id = graph_parts.part_id;

ALTER TABLE run_results
ALTER COLUMN completed_at TYPE TEXT
USING TO_CHAR(completed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
