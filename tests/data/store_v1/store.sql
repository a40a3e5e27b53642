-- A store of schema version 1 with one run. Kept as it was; never edit.
CREATE SCHEMA recce_metadata;
-- One row: which version of this schema the store has. Written by init and by migrations; recorders
-- update it first, so that two of them in one database wait for each other.
CREATE TABLE IF NOT EXISTS recce_metadata.store (
  schema_version INTEGER NOT NULL,
  migrated_at TIMESTAMPTZ NOT NULL,
  written_at TIMESTAMPTZ
);
-- One row per recorded run, written last: a run is visible when its row is, and then it is whole.
CREATE TABLE IF NOT EXISTS recce_metadata.runs (
  run_id VARCHAR(64) NOT NULL PRIMARY KEY,
  run_at TIMESTAMPTZ NOT NULL,
  project_name TEXT NOT NULL,
  environment TEXT NOT NULL,
  invocation_id TEXT,
  extractor TEXT NOT NULL,
  dbt_version TEXT,
  adapter_type TEXT,
  manifest_version TEXT,
  target_name TEXT,
  target_database TEXT,
  target_schema TEXT,
  git_sha TEXT,
  branch TEXT,
  git_dirty BOOLEAN,
  pull_request TEXT,
  command TEXT,
  node_count BIGINT NOT NULL,
  edge_count BIGINT NOT NULL,
  recorded_at TIMESTAMPTZ NOT NULL,
  recorder_version TEXT NOT NULL,
  graph_id VARCHAR(64) NOT NULL,
  macro_set_id VARCHAR(64) NOT NULL
);
-- One row per graph and node: which version of the node the graph holds, and where it lives.
-- A graph is written once, by the first run that has it.
CREATE TABLE IF NOT EXISTS recce_metadata.graph_nodes (
  graph_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  version_id VARCHAR(64) NOT NULL,
  database_name TEXT,
  schema_name TEXT,
  identifier TEXT,
  relation_name TEXT,
  PRIMARY KEY (graph_id, unique_id)
);
-- One row per distinct content of a node, whatever the environment it is built in. Written by the
-- first run that has it, never changed.
CREATE TABLE IF NOT EXISTS recce_metadata.node_versions (
  version_id VARCHAR(64) NOT NULL PRIMARY KEY,
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
  code_hash VARCHAR(64),
  compiled_hash VARCHAR(64),
  config JSON NOT NULL,
  unrendered_config JSON NOT NULL,
  columns JSON NOT NULL,
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
-- One row per node version and node it reads.
CREATE TABLE IF NOT EXISTS recce_metadata.version_parents (
  version_id VARCHAR(64) NOT NULL,
  parent_id TEXT NOT NULL,
  PRIMARY KEY (version_id, parent_id)
);
-- One row per distinct content of a macro. Written by the first run that has it, never changed.
CREATE TABLE IF NOT EXISTS recce_metadata.macros (
  version_id VARCHAR(64) NOT NULL PRIMARY KEY,
  unique_id TEXT NOT NULL,
  name TEXT NOT NULL,
  package_name TEXT NOT NULL,
  path TEXT NOT NULL,
  macro_sql TEXT NOT NULL,
  code_hash VARCHAR(64) NOT NULL,
  macros JSON NOT NULL
);
-- One row per set of macros and macro in it; runs point to a set.
CREATE TABLE IF NOT EXISTS recce_metadata.macro_sets (
  macro_set_id VARCHAR(64) NOT NULL,
  version_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (macro_set_id, version_id)
);
-- One row per run and node that dbt ran: from run_results.json.
CREATE TABLE IF NOT EXISTS recce_metadata.run_results (
  run_id VARCHAR(64) NOT NULL,
  unique_id TEXT NOT NULL,
  status TEXT NOT NULL,
  seconds DOUBLE PRECISION,
  rows_affected BIGINT,
  bytes_processed BIGINT,
  failures BIGINT,
  message TEXT,
  completed_at TIMESTAMPTZ,
  PRIMARY KEY (run_id, unique_id)
);
INSERT INTO recce_metadata.store VALUES (1, '2026-01-01T00:00:00+00:00', NULL);
INSERT INTO recce_metadata.node_versions VALUES
  ('v-orders', 'model.shop.orders', 'orders', 'model', 'shop', 'models/orders.sql', '["shop","orders"]', 'table', 'sql',
   'select * from {{ ref(''raw'') }} -- ünï', 'select * from ⟦seed.shop.raw⟧ -- ünï', 'abc', 'stripped', 'hash-orders', 'compiled-orders',
   '{"materialized":"table","n":1.0}', '{}', '[{"name":"id","type":"INTEGER"},{"name":"amount"}]', 'catalog', 'All orders',
   '["daily"]', '{}', 'protected', NULL, NULL, NULL, '{"enforced":false}', '["macro.shop.cents"]', '{}'),
  ('v-raw', 'seed.shop.raw', 'raw', 'seed', 'shop', 'seeds/raw.csv', '["shop","raw"]', 'seed', 'sql',
   '', NULL, 'def', 'file', 'hash-raw', NULL, '{}', '{}', '[]', NULL, '', '[]', '{}', NULL, NULL, NULL, NULL, NULL, '[]', '{}'),
  ('v-finance', 'group.shop.finance', 'finance', 'group', 'shop', 'models/groups.yml', '[]', NULL, NULL,
   NULL, NULL, NULL, NULL, NULL, NULL, '{}', '{}', '[]', NULL, '', '[]', '{}', NULL, NULL, NULL, NULL, NULL, '[]', '{"owner":{"name":"Ada"}}');
INSERT INTO recce_metadata.version_parents VALUES ('v-orders', 'seed.shop.raw');
INSERT INTO recce_metadata.graph_nodes VALUES
  ('g-prod', 'model.shop.orders', 'v-orders', 'db', 'prod', 'orders', '"db"."prod"."orders"'),
  ('g-prod', 'seed.shop.raw', 'v-raw', 'db', 'prod', 'raw', '"db"."prod"."raw"'),
  ('g-prod', 'group.shop.finance', 'v-finance', NULL, NULL, NULL, NULL);
INSERT INTO recce_metadata.macros VALUES
  ('v-cents', 'macro.shop.cents', 'cents', 'shop', 'macros/cents.sql', '{% macro cents() %}1{% endmacro %}', 'hash-cents', '[]');
INSERT INTO recce_metadata.macro_sets VALUES ('m-1', 'v-cents');
INSERT INTO recce_metadata.run_results VALUES
  ('run-1', 'model.shop.orders', 'success', 1.5, 10, NULL, NULL, 'OK', '2026-01-01T10:00:01.25+00:00');
INSERT INTO recce_metadata.runs VALUES
  ('run-1', '2026-01-01T10:00:00+00:00', 'shop', 'base', 'run-1', 'dbt', '1.10.0', 'duckdb', 'v12', 'prod', 'db', 'prod',
   'abcdef0123', 'main', FALSE, NULL, 'build', 2, 1, '2026-01-01T10:05:00+00:00', '0.1.0', 'g-prod', 'm-1');
