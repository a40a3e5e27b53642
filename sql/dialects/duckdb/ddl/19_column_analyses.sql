-- hand-written: without the primary key, because its index takes a quarter of the file and slows loading. Recorders
-- write one at a time and skip stored rows.
-- One row per analysis of a node's SQL, keyed by a hash of its inputs: SQL, dialect, and the columns of parents.
-- `reason` explains why there are no columns. Written by the first run that has it, never changed.
CREATE TABLE IF NOT EXISTS recce_metadata.store_column_analyses (
  lineage_id TEXT(64) NOT NULL,
  tier TEXT NOT NULL,
  reason TEXT
);
