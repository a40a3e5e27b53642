-- One row per node version and node that it reads. `kind` is ref, source, catalog or sql, and `confidence` is at most
-- 1.
-- Both are NULL if the edge was recorded before version 8.
CREATE TABLE IF NOT EXISTS store_version_parents (
  version_id TEXT NOT NULL,
  parent_id TEXT NOT NULL,
  kind TEXT,
  confidence REAL,
  PRIMARY KEY (version_id, parent_id)
);
