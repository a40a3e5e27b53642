-- hand-written: without the primary key, because its index takes a quarter of the file and slows loading. Recorders
-- write one at a time and skip stored rows.
-- One row per node version and node that it reads. `kind` is ref, source, catalog or sql, and `confidence` is at most
-- 1.
-- Both are NULL if the edge was recorded before version 8.
CREATE TABLE IF NOT EXISTS recce_metadata.store_version_parents (
  version_id TEXT(64) NOT NULL,
  parent_id TEXT NOT NULL,
  kind TEXT,
  confidence DOUBLE
);
