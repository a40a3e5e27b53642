-- One row per distinct content of a macro. Written by the first run that has it, never changed.
CREATE TABLE IF NOT EXISTS recce_metadata.store_macros (
  version_id VARCHAR(64) NOT NULL PRIMARY KEY,
  unique_id TEXT NOT NULL,
  name TEXT NOT NULL,
  package_name TEXT NOT NULL,
  path TEXT NOT NULL,
  macro_sql TEXT NOT NULL,
  code_hash VARCHAR(64) NOT NULL,
  macros JSON NOT NULL
);
