-- One row per set of macros and macro of the set. Runs point to a set.
CREATE TABLE IF NOT EXISTS recce_metadata.store_macro_sets (
  macro_set_id STRING NOT NULL,
  version_id STRING NOT NULL,
  PRIMARY KEY (macro_set_id, version_id) NOT ENFORCED
)
CLUSTER BY macro_set_id;
