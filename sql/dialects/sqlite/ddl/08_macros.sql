-- One row per distinct content of a macro. Written by the first run that has it, never changed.
CREATE TABLE IF NOT EXISTS store_macros (
  version_id TEXT NOT NULL PRIMARY KEY,
  unique_id TEXT NOT NULL,
  name TEXT NOT NULL,
  package_name TEXT NOT NULL,
  path TEXT NOT NULL,
  macro_sql TEXT NOT NULL,
  code_hash TEXT NOT NULL,
  macros TEXT NOT NULL
);
