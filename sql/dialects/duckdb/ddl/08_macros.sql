-- hand-written: without the primary key, because its index takes a quarter of the file and slows loading. Recorders
-- write one at a time and skip stored rows.
-- One row per distinct content of a macro. Written by the first run that has it, never changed.
CREATE TABLE IF NOT EXISTS recce_metadata.store_macros (
  version_id TEXT(64) NOT NULL,
  unique_id TEXT NOT NULL,
  name TEXT NOT NULL,
  package_name TEXT NOT NULL,
  path TEXT NOT NULL,
  macro_sql TEXT NOT NULL,
  code_hash TEXT(64) NOT NULL,
  macros JSON NOT NULL
);
