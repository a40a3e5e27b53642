-- hand-written: without the primary key, whose index takes a quarter of the file and slows loading;
-- recorders write one at a time, and nothing that is stored already
-- One row per analysis of a node's SQL, under a hash of all that it was computed from: SQL, dialect, and the
-- columns of parents. `reason` says why there are no columns. Written by the first run that has it, never changed.
CREATE TABLE IF NOT EXISTS recce_metadata.column_analyses (
  lineage_id TEXT(64) NOT NULL,
  tier TEXT NOT NULL,
  reason TEXT
);
