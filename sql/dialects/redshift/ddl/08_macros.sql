-- One row per distinct content of a macro. Written by the first run that has it, never changed.
CREATE TABLE IF NOT EXISTS recce_metadata.store_macros (
  version_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR(65535) NOT NULL,
  name VARCHAR(65535) NOT NULL,
  package_name VARCHAR(65535) NOT NULL,
  path VARCHAR(65535) NOT NULL,
  macro_sql VARCHAR(65535) NOT NULL,
  code_hash VARCHAR(64) NOT NULL,
  macros SUPER NOT NULL
);
