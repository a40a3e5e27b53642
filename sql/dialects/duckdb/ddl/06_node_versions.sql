-- hand-written: without the primary key, because its index takes a quarter of the file and slows loading. Recorders
-- write one at a time and skip stored rows.
-- One row per distinct content of a node, independent of its environment. Written by the first run that has it, never
-- changed.
CREATE TABLE IF NOT EXISTS recce_metadata.store_node_versions (
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
