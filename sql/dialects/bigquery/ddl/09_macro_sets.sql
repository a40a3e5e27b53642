-- One row per set of macros and macro in it; runs point to a set.
CREATE TABLE IF NOT EXISTS recce_metadata.macro_sets (
  macro_set_id STRING NOT NULL,
  version_id STRING NOT NULL,
  PRIMARY KEY (macro_set_id, version_id) NOT ENFORCED
)
CLUSTER BY macro_set_id;
