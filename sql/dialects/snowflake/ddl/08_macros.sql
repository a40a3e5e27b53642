-- One row per distinct content of a macro. Written by the first run that has it, never changed.
CREATE TABLE IF NOT EXISTS recce_metadata.store_macros (
  version_id VARCHAR(64) NOT NULL,
  unique_id VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  package_name VARCHAR NOT NULL,
  path VARCHAR NOT NULL,
  macro_sql VARCHAR NOT NULL,
  code_hash VARCHAR(64) NOT NULL,
  macros VARIANT NOT NULL,
  PRIMARY KEY (version_id)
);
