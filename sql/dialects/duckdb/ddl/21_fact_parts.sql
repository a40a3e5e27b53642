-- hand-written: without the primary key, whose index takes a quarter of the file and slows loading;
-- recorders write one at a time, and nothing that is stored already
-- One row per scanned run and part of what the catalog knew of the relations' data. Scans share the parts in
-- which no figure differs, so that a scan of an unchanged database writes the list of its parts alone.
CREATE TABLE IF NOT EXISTS recce_metadata.fact_parts (
  run_id TEXT(64) NOT NULL,
  part_id TEXT(64) NOT NULL
);
