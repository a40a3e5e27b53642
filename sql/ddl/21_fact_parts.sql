-- One row per scanned run and part of what the catalog knew of the relations' data. Scans share the parts in
-- which no figure differs, so that a scan of an unchanged database writes the list of its parts alone.
CREATE TABLE IF NOT EXISTS fact_parts (
  run_id VARCHAR(64) NOT NULL,
  part_id VARCHAR(64) NOT NULL,
  PRIMARY KEY (run_id, part_id)
);
