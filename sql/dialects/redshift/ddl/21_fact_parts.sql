-- One row per scanned run and one part of the catalog's statistics. Scans share equal parts, so scanning an unchanged
-- database adds only a list of parts.
CREATE TABLE IF NOT EXISTS recce_metadata.store_fact_parts (
  run_id VARCHAR(64) NOT NULL,
  part_id VARCHAR(64) NOT NULL
);
