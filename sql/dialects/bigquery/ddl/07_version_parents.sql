-- One row per node version and node that it reads. `kind` is ref, source, catalog or sql, and `confidence` is at most
-- 1.
-- Both are NULL if the edge was recorded before version 8.
CREATE TABLE IF NOT EXISTS recce_metadata.store_version_parents (
  version_id STRING NOT NULL,
  parent_id STRING NOT NULL,
  kind STRING,
  confidence FLOAT64,
  PRIMARY KEY (version_id, parent_id) NOT ENFORCED
)
CLUSTER BY version_id;
