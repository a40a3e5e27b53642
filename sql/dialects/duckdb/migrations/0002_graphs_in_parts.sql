-- hand-written: DuckDB formats times differently, and drops primary keys whose index is too expensive
-- Graphs share equal parts: the table of graphs' nodes becomes a view over parts. Each graph that was recorded before
-- becomes one part. Results store the time exactly as dbt wrote it.
CREATE TABLE recce_metadata.store_graph_parts (
  graph_id TEXT(64) NOT NULL,
  part_id TEXT(64) NOT NULL
);
CREATE TABLE recce_metadata.store_part_nodes (
  part_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  version_id TEXT(64) NOT NULL,
  database_name TEXT,
  schema_name TEXT,
  identifier TEXT,
  relation_name TEXT
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
CREATE TEMPORARY TABLE results_before AS
SELECT
  run_id, unique_id, status, seconds, rows_affected, bytes_processed, failures, message,
  strftime(completed_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ') AS completed_at
FROM recce_metadata.store_run_results;
DROP TABLE recce_metadata.store_run_results;
CREATE TABLE recce_metadata.store_run_results (
  run_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  status TEXT NOT NULL,
  seconds DOUBLE,
  rows_affected BIGINT,
  bytes_processed BIGINT,
  failures BIGINT,
  message TEXT,
  completed_at TEXT
);
INSERT INTO recce_metadata.store_run_results SELECT * FROM results_before;
DROP TABLE results_before;
CREATE TEMPORARY TABLE parents_before AS SELECT version_id, parent_id FROM recce_metadata.store_version_parents;
DROP TABLE recce_metadata.store_version_parents;
CREATE TABLE recce_metadata.store_version_parents (
  version_id TEXT(64) NOT NULL,
  parent_id TEXT NOT NULL
);
INSERT INTO recce_metadata.store_version_parents SELECT * FROM parents_before;
DROP TABLE parents_before;
CREATE TEMPORARY TABLE node_versions_before AS SELECT * FROM recce_metadata.store_node_versions;
DROP TABLE recce_metadata.store_node_versions;
CREATE TABLE recce_metadata.store_node_versions (
  version_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  name TEXT NOT NULL,
  resource_type TEXT NOT NULL,
  package_name TEXT NOT NULL,
  path TEXT NOT NULL,
  fqn JSON NOT NULL,
  materialized TEXT,
  language TEXT,
  raw_code TEXT,
  compiled_code TEXT,
  checksum TEXT,
  checksum_rule TEXT,
  code_hash TEXT(64),
  compiled_hash TEXT(64),
  config JSON NOT NULL,
  unrendered_config JSON NOT NULL,
  "columns" JSON NOT NULL,
  columns_from TEXT,
  description TEXT NOT NULL,
  tags JSON NOT NULL,
  meta JSON NOT NULL,
  access TEXT,
  group_name TEXT,
  version TEXT,
  source_name TEXT,
  contract JSON,
  macros JSON NOT NULL,
  properties JSON NOT NULL
);
INSERT INTO recce_metadata.store_node_versions SELECT * FROM node_versions_before;
DROP TABLE node_versions_before;
CREATE TEMPORARY TABLE macros_before AS SELECT * FROM recce_metadata.store_macros;
DROP TABLE recce_metadata.store_macros;
CREATE TABLE recce_metadata.store_macros (
  version_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  name TEXT NOT NULL,
  package_name TEXT NOT NULL,
  path TEXT NOT NULL,
  macro_sql TEXT NOT NULL,
  code_hash TEXT(64) NOT NULL,
  macros JSON NOT NULL
);
INSERT INTO recce_metadata.store_macros SELECT * FROM macros_before;
DROP TABLE macros_before;
CREATE TEMPORARY TABLE macro_sets_before AS SELECT * FROM recce_metadata.store_macro_sets;
DROP TABLE recce_metadata.store_macro_sets;
CREATE TABLE recce_metadata.store_macro_sets (
  macro_set_id TEXT(64) NOT NULL,
  version_id TEXT(64) NOT NULL
);
INSERT INTO recce_metadata.store_macro_sets SELECT * FROM macro_sets_before;
DROP TABLE macro_sets_before;
